"""A grid over data sets: each judged by itself, and all with the set as a block."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from core.analysis import compare_arms, markdown, take_look
from core.analysis.shapes import Report
from core.design import BatchSizeScan, LrRangeTest
from core.results import Results
from core.spec import parse
from tests.core.analysis.reading import not_none

MakeResults = Callable[..., Results]
RNG = np.random.default_rng(3)
SEEDS = 5


def datasets(number: int) -> list[dict[str, Any]]:
    return [{"name": "two_spirals", "noise": round(0.01 * (1 + i), 2)} for i in range(number)]


@pytest.fixture
def over(experiment: MakeResults) -> Callable[..., Results]:
    """`over(values)`: a grid of batch sizes over data sets with these values (treatments, sets, seeds)."""

    def make(values: NDArray[Any], **spec: Any) -> Results:
        treatments, sets, seeds = values.shape
        grid = {"batch_size": [10 * (1 + i) for i in range(treatments)], "dataset": datasets(sets)}
        labels = [arm.label for arm in parse({"grid": grid}).expanded]
        finals = {label: one.tolist() for label, one in zip(labels, values.reshape(-1, seeds), strict=True)}
        return experiment(finals, arms=None, grid=grid, seeds=seeds, **spec)

    return make


def drawn(sets: int, effects: list[float]) -> NDArray[Any]:
    """Values (treatments, sets, seeds) whose spread differs by set, with effects in it."""
    spread = np.exp(RNG.normal(size=(1, sets, 1)))
    seed = RNG.normal(size=(1, sets, SEEDS))
    own = RNG.normal(size=(len(effects), sets, SEEDS))
    return np.asarray(spread * (seed + own + np.array(effects)[:, None, None]))


def pair(report: Report, a: str, b: str) -> Any:
    assert report["datasets"] is not None
    (found,) = (c for c in report["datasets"]["comparisons"] if {c["a"], c["b"]} == {a, b})
    return found


def test_over_the_sets_it_is_students_t_of_scaled_differences(over: Callable[..., Results]) -> None:
    values = drawn(6, [0.0, 2.0])
    report = compare_arms(over(values))
    found = pair(report, "batch_size=10", "batch_size=20")
    d = values[0] - values[1]
    scaled = d.mean(axis=1) / d.std(axis=1, ddof=1)
    peer = stats.ttest_1samp(scaled, 0)
    assert found["n"] == 6
    assert found["p"] == pytest.approx(peer.pvalue, rel=1e-9)
    assert found["scaled"] == pytest.approx(scaled.mean(), rel=1e-9)
    assert found["difference"] == pytest.approx(d.mean(), rel=1e-9)
    low, high = peer.confidence_interval(0.95)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((low, high), rel=1e-9)
    assert found["decision"] == "worse"


def test_only_arms_of_one_set_are_compared_and_each_set_is_a_family_of_its_own(over: Callable[..., Results]) -> None:
    values = drawn(4, [0.0, 3.0, 0.1])
    report = compare_arms(over(values))
    assert len(report["comparisons"]) == 4 * 3
    assert report["datasets"] is not None
    for s, one in enumerate(report["datasets"]["sets"]):
        mine = [c for c in report["comparisons"] if c["a"] in one["arms"]]
        assert all(c["b"] in one["arms"] for c in mine)
        p = sorted(stats.ttest_rel(values[i, s], values[j, s]).pvalue for i, j in ((0, 1), (0, 2), (1, 2)))
        assert sorted(c["p"] for c in mine if c["p"] is not None) == pytest.approx(p, rel=1e-9)
        assert min(c["p_adjusted"] for c in mine if c["p_adjusted"] is not None) == pytest.approx(min(1, 3 * p[0]))
    assert max(arm["rank_high"] or 0 for arm in report["arms"]) <= 3
    assert report["reference"] is None
    assert {c["winner"].split(",")[1] == c["loser"].split(",")[1] for c in report["verdict"]["beats"]} <= {True}
    for group, worse in zip(report["verdict"]["groups"], report["verdict"]["groups"][1:], strict=False):
        assert not set(group) & set(worse)


def test_an_overall_difference_that_no_single_set_shows(over: Callable[..., Results]) -> None:
    report = compare_arms(over(drawn(12, [0.0, 1.1])))
    assert pair(report, "batch_size=10", "batch_size=20")["decision"] == "worse"
    assert len(report["verdict"]["beats"]) < 6
    won = '"batch_size=20" has a better validation accuracy than "batch_size=10"'
    assert report["verdict"]["headline"] == f"Decided over 12 data sets: {won}. Open: nothing."


def test_from_ten_sets_ranks_are_tested(over: Callable[..., Results]) -> None:
    values = drawn(10, [0.0, 0.8, 1.6])
    report = compare_arms(over(values))
    assert report["datasets"] is not None
    ranks = report["datasets"]["ranks"]
    assert ranks is not None
    means = values.mean(axis=2)
    peer = stats.friedmanchisquare(*means)
    assert ranks["chi_square"] == pytest.approx(peer.statistic, rel=1e-9)
    mean_ranks = stats.rankdata(-means, axis=0).mean(axis=1)
    assert [one["mean_rank"] for one in report["datasets"]["treatments"]] == pytest.approx(mean_ranks.tolist())
    q = stats.studentized_range.ppf(0.95, 3, np.inf) / np.sqrt(2)
    assert ranks["critical_difference"] == pytest.approx(q * np.sqrt(3 * 4 / 60), rel=1e-6)
    few = compare_arms(over(values[:, :9]))
    assert few["datasets"] is not None
    assert few["datasets"]["ranks"] is None


def test_a_baseline_is_that_treatment_on_every_set(over: Callable[..., Results]) -> None:
    values = drawn(5, [0.0, 3.0, 3.0])
    label = "batch_size=10, dataset=two_spirals(noise=0.01)"
    report = compare_arms(over(values, baseline=label))
    assert report["datasets"] is not None
    assert report["datasets"]["baseline"] == "batch_size=10"
    assert [(c["a"], c["b"]) for c in report["datasets"]["comparisons"]] == [
        ("batch_size=10", "batch_size=20"),
        ("batch_size=10", "batch_size=30"),
    ]
    assert len(report["comparisons"]) == 5 * 2


def test_a_margin_is_asked_in_the_unit_of_the_outcome(over: Callable[..., Results]) -> None:
    values = 0.9 + 0.001 * drawn(6, [0.0, 0.0])
    d = (values[0] - values[1]).mean(axis=1)
    found = pair(compare_arms(over(values, margin=0.01)), "batch_size=10", "batch_size=20")
    p = max(
        stats.ttest_1samp(d, 0.01, alternative="less").pvalue, stats.ttest_1samp(d, -0.01, alternative="greater").pvalue
    )
    assert found["p_equivalence"] == pytest.approx(p, rel=1e-9)
    assert found["decision"] == "equivalent"


def test_an_arm_that_lost_half_of_its_runs_on_a_set_is_the_worst_there(over: Callable[..., Results]) -> None:
    values = drawn(8, [0.0, 3.0]).astype(object)
    values[1, :6, :3] = "diverged"  # the survivors are better
    report = compare_arms(over(values))
    assert pair(report, "batch_size=10", "batch_size=20")["decision"] == "open"
    values[1, :, :3] = "diverged"
    assert pair(compare_arms(over(values)), "batch_size=10", "batch_size=20")["decision"] == "better"


def test_a_set_on_which_nothing_varies_is_left_out_and_said(over: Callable[..., Results]) -> None:
    values = drawn(5, [0.0, 3.0])
    values[0, 2], values[1, 2] = 0.5, 0.75
    report = compare_arms(over(values))
    assert pair(report, "batch_size=10", "batch_size=20")["n"] == 4
    assert "two_spirals(noise=0.03)" in (report["verdict"]["text"] or "")


@pytest.mark.parametrize(
    "grid",
    [
        {"batch_size": [10, 20]},
        {"dataset": ["digits", "breast_cancer"]},
        {"dataset": [{"name": "digits", "split_seed": 0}, {"name": "digits", "split_seed": 1}], "batch_size": [10, 20]},
    ],
)
def test_other_grids_have_no_blocks(experiment: MakeResults, grid: dict[str, Any]) -> None:
    cells = 1
    for levels in grid.values():
        cells *= len(levels)
    labels = [arm.label for arm in parse({"grid": grid}).expanded]
    assert len(labels) == cells
    report = compare_arms(experiment({label: [0.1, 0.2, 0.3] for label in labels}, arms=None, grid=grid))
    assert report["datasets"] is None


def test_experiments_of_another_kind_have_no_blocks(over: Callable[..., Results]) -> None:
    design = over(drawn(3, [0.0, 1.0])).design
    assert design.dataset_grid is not None
    assert replace(design, batch_size_scan=BatchSizeScan(rule="linear", base=10)).dataset_grid is None
    lr_range = LrRangeTest(low=1e-4, high=1.0, steps=10, smoothing=0.9)
    assert replace(design, lr_range=lr_range).dataset_grid is None


def test_the_page_shows_the_sets_and_is_whole(over: Callable[..., Results]) -> None:
    results = over(drawn(10, [0.0, 1.0, 3.0]))
    page = markdown(compare_arms(results), results)
    assert "## Over the data sets" in page
    assert "Iman and Davenport" in page
    assert "nan" not in page.lower().replace("nanmean", "")


def test_survivors_lead_no_arm_over_the_sets(over: Callable[..., Results]) -> None:
    """Two of five runs are lost on every set, and the rest are better by much: ranks with the lost ones last decide."""
    values = drawn(10, [3.0, 0.0]).astype(object)
    values[0, :, :2] = "diverged"
    report = compare_arms(over(values))
    found = pair(report, "batch_size=10", "batch_size=20")
    assert (found["test"], found["ci_low"], found["p_equivalence"]) == ("ranks", None, None)
    assert found["p"] > 0.05, "of fifty runs twenty are the worst, thirty the best: that is no sure gain"
    assert found["decision"] == "open"
    assert report["datasets"] is not None
    first, second = report["datasets"]["treatments"]
    assert (first["mean_rank"], second["mean_rank"]) == (2, 1), "fewer runs lost come first"
    lost = values.copy()
    lost[0, :, :] = "diverged"
    assert pair(compare_arms(over(lost[:, :3])), "batch_size=10", "batch_size=20")["p"] == 2 * 4.0**-3


def test_a_lost_run_costs_no_more_than_a_bad_one_over_the_sets(over: Callable[..., Results]) -> None:
    values = drawn(8, [9.0, 0.0]).astype(object)
    values[0, 2, 1] = "diverged"
    found = pair(compare_arms(over(values)), "batch_size=10", "batch_size=20")
    assert (found["decision"], found["p"]) == ("better", 2 * 0.5**8), "the sets decide, as the 40 seeds are surer"


def test_arms_that_are_equivalent_over_the_sets_share_their_places(over: Callable[..., Results]) -> None:
    """A difference that is sure, and within the margin: it does not matter, whatever its p."""
    values = drawn(10, [0.0, 0.0])
    values[1] = values[0] + 0.05 + RNG.normal(0, 0.01, values[0].shape)
    report = compare_arms(over(values, margin=0.2))
    found = pair(report, "batch_size=10", "batch_size=20")
    assert (found["decision"], found["p_adjusted"] < 0.001) == ("equivalent", True)
    assert report["datasets"] is not None
    assert [(one["rank_low"], one["rank_high"]) for one in report["datasets"]["treatments"]] == [(1, 2), (1, 2)]
    text = report["verdict"]["text"] or ""
    assert "within 20.00 percentage points by two one-sided tests, adjusted p < 0.001" in text


def test_each_set_is_judged_by_the_errors_that_know_of_its_splits(over: Callable[..., Results]) -> None:
    values = drawn(3, [0.0, 1.0])
    plain, corrected = (compare_arms(over(values, split=split)) for split in ("fixed", "per_seed"))
    assert corrected["scope"] == "splits"
    for before, after in zip(plain["comparisons"], corrected["comparisons"], strict=True):
        t = stats.t.isf(not_none(before["p"]) / 2, SEEDS - 1)
        t /= np.sqrt(1 + SEEDS * 0.25)  # one held out to four trained on
        assert after["p"] == pytest.approx(2 * stats.t.sf(t, SEEDS - 1), rel=1e-2)


def test_looks_ask_about_the_arms_of_one_set_alone(over: Callable[..., Results]) -> None:
    values = drawn(3, [0.0, 4.0, 0.1])
    results = over(values)
    design = replace(results.design, looks=(3, 5))
    assert len(design.pairs) == 3 * 3
    first = take_look(replace(results, design=design))
    assert first["comparisons"] == 9
    report = compare_arms(replace(results, design=design, looks=(first,)))
    assert len(report["comparisons"]) == 9
    decided = {frozenset((c["a"], c["b"])) for c in report["comparisons"] if c["better"]}
    assert decided == {frozenset((c["a"], c["b"])) for c in first["pairs"] if c["decision"] != "open"}
