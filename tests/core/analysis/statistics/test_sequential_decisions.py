import numpy as np
import pytest
from scipy import stats

from core.analysis.statistics.decisions import DecisionRule
from core.analysis.statistics.sequential import look_levels, overall_p
from core.analysis.statistics.sequential_decisions import LooksTaken, decide_at_looks

LOOKS = (5, 10, 15, 20)
RULE = DecisionRule(sign=1)
VALUES = np.random.default_rng(3).normal([[0.0], [0.2], [3.0]], 1.0, (3, 20))
NONE = np.zeros(VALUES.shape, bool)


def taken(*reached: int) -> LooksTaken:
    return LooksTaken(LOOKS, np.array(reached))


def test_nothing_is_decided_but_at_a_look_that_both_arms_came_to() -> None:
    """The last arm is better beyond doubt at the second look, and was trained no further."""
    before = decide_at_looks(VALUES, NONE, RULE, taken(0, 0, 0))
    assert set(before.decision[np.triu_indices(3, 1)]) == {"open"}
    assert not before.beats.any()
    first = decide_at_looks(VALUES, NONE, RULE, taken(1, 1, 1))
    assert set(first.decision[np.triu_indices(3, 1)]) == {"open"}
    found = decide_at_looks(VALUES, NONE, RULE, taken(4, 4, 2))
    assert found.decision.tolist() == [["", "open", "worse"], ["open", "", "worse"], ["better", "better", ""]]
    assert found.found.n.tolist() == [[20, 20, 10], [20, 20, 10], [10, 10, 20]]
    assert [(int(low), int(high)) for low, high in zip(found.rank_low, found.rank_high, strict=True)] == [
        (2, 3), (2, 3), (1, 1)
    ]  # fmt: skip


def test_intervals_are_those_of_the_paired_t_at_the_looks_levels() -> None:
    found = decide_at_looks(VALUES, NONE, RULE, taken(4, 4, 2))
    together, alone = look_levels(LOOKS, 0.05 / 3), look_levels(LOOKS, 0.05)
    for i, j, k in ((0, 1, 3), (2, 0, 1), (1, 2, 1)):
        peer = stats.ttest_rel(VALUES[i, : LOOKS[k]], VALUES[j, : LOOKS[k]])
        assert found.p[i, j] == pytest.approx(peer.pvalue)
        low, high = peer.confidence_interval(1 - together[k])
        assert (found.ci_low[i, j], found.ci_high[i, j]) == (pytest.approx(low), pytest.approx(high))
        low, high = peer.confidence_interval(1 - alone[k])
        assert (found.found.ci_low[i, j], found.found.ci_high[i, j]) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize("level", [0.2, 0.05, 0.001])
def test_a_p_at_a_looks_boundary_is_the_level_that_the_boundary_is_for(level: float) -> None:
    for seeds, nominal in zip(LOOKS, look_levels(LOOKS, level), strict=True):
        assert overall_p(LOOKS, seeds, np.array(nominal)) == pytest.approx(level, rel=0.15 if level < 0.01 else 0.03)


def test_p_adjusted_is_below_alpha_where_a_pair_is_decided() -> None:
    found = decide_at_looks(VALUES, NONE, RULE, taken(4, 4, 2))
    decided = np.isin(found.decision, ["better", "worse"])
    assert (found.p_adjusted[decided] < 0.05).all()
    assert found.p_adjusted[0, 1] > 0.05
