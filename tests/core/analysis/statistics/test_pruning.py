"""Which arms are given up on the way: those that the seeds tell apart from the best, and no other."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.analysis import Decision, RungValues, build_report, decide_rung, markdown, pruned_arms
from core.datasets import DatasetPaths
from core.metrics import Task
from core.results import Results, RunResult
from core.spec import Spec, parse
from core.training.designs import design_of, rung_rule, trained_results
from tests.core.analysis.reading import verdict_text

FAR = [0.1, 0.1, 0.1]
GOOD = [[0.90, 0.92, 0.91], [0.91, 0.90, 0.92], [0.89, 0.92, 0.90]]


def spec_of(arms: int, seeds: int = 3, **more: Any) -> Spec:
    given: dict[str, Any] = {"pruning": {"first": 1}, "epochs": 6, "seeds": seeds}
    labelled = [{"label": f"arm {i}", "initializer": "he_normal"} for i in range(arms)]
    return parse(given | {"arms": labelled} | more)


def decided(
    spec: Spec,
    epoch: int,
    values: Any,
    before: Sequence[Decision] = (),
    task: Task = "multiclass",
    lost: Any = None,
) -> Decision:
    design = design_of(spec, task=task, paths=DatasetPaths(), measured=("valid_accuracy", "valid_loss"))
    values = np.array(values)
    measured = RungValues(values, np.zeros(values.shape, dtype=bool) if lost is None else np.array(lost))
    return decide_rung(design, rung_rule(spec, task), epoch=epoch, measured=measured, before=before)


def pruned(values: list[list[float]], gone: tuple[str, ...] = (), task: Any = "multiclass", **more: Any) -> list[str]:
    """The arms that are pruned at the second look, where the first has pruned those that are gone."""
    spec = spec_of(len(values), len(values[0]), **more)
    first = {"epoch": 1, "worse": gone, "pruned": [{"arm": label} for label in gone]}
    return list(pruned_arms([decided(spec, 2, values, [first], task)]))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([*GOOD, FAR], ["arm 3"]),
        ([FAR, *GOOD], ["arm 0"]),
        ([*GOOD, FAR, [0.2, 0.21, 0.19], FAR], ["arm 4", "arm 3", "arm 5"]),
        (GOOD, []),
        ([GOOD[0], GOOD[0]], []),
        ([GOOD[0], FAR, FAR], ["arm 2"]),  # the second is in the better half: the next look may take it
        ([*GOOD, [0.1, 0.95, 0.1]], []),  # much worse in the mean, but not in every pair
        ([*GOOD, [0.1, np.nan, 0.1]], []),  # two pairs only
        ([*GOOD, [np.nan] * 3], []),
        ([[np.nan] * 3, [np.nan] * 3], []),
    ],
)
def test_the_table_of_decisions(values: list[list[float]], expected: list[str]) -> None:
    assert pruned(values) == expected


def test_a_loss_is_better_when_it_is_less() -> None:
    assert set(pruned([*GOOD, FAR], pruning={"first": 1, "metric": "valid_loss"})) == {"arm 0", "arm 1"}
    assert pruned([[2.3, 2.3, 2.3], *GOOD], pruning={"first": 1, "metric": "valid_loss"}) == ["arm 0"]
    assert pruned([[2.3, 2.3, 2.3], *GOOD], task="regression") == ["arm 0"]


def test_the_baseline_stays_and_those_that_are_gone_play_no_part() -> None:
    assert pruned([*GOOD, FAR], baseline="arm 3") == []
    best = [0.99, 0.99, 0.99]
    assert pruned([GOOD[0], GOOD[1], [0.71, 0.7, 0.73], best], gone=("arm 3",)) == ["arm 2"]


def test_the_numbers_are_those_of_the_paired_test_corrected_for_pairs_and_looks() -> None:
    values = np.array([[0.90, 0.93, 0.91], [0.89, 0.925, 0.90], [0.62, 0.60, 0.63]])
    decision = decided(spec_of(3), 2, values)
    t = [stats.ttest_rel(values[a], values[b]).pvalue for a, b in ((0, 1), (0, 2), (1, 2))]
    [found] = decision["pruned"]
    assert (decision["epoch"], decision["looks"], decision["arms"]) == (2, 3, 3)  # after 1, 2 and 4 epochs
    assert (found["arm"], found["best"], found["n"]) == ("arm 2", "arm 0", 3)
    assert found["p"] == pytest.approx(t[1])
    assert min(t) == t[1]
    assert found["p_adjusted"] == pytest.approx(3 * 3 * t[1])  # of three pairs the smallest, and three looks
    interval = stats.ttest_rel(values[0], values[2]).confidence_interval(0.95)
    assert (found["ci_low"], found["ci_high"]) == (pytest.approx(interval.low), pytest.approx(interval.high))


@pytest.mark.parametrize("seeds", [3, 5])
def test_of_equal_arms_none_is_given_up_but_for_one_experiment_in_twenty(seeds: int) -> None:
    """Four arms without a difference, looked at three times while they learn: any pruning is a false one."""
    spec, draw, wrong, many = spec_of(4, seeds), np.random.default_rng(0), 0, 500
    for _ in range(many):
        values, looks = draw.normal(0.5, 0.02, (1, seeds)), list[Decision]()
        values = values + draw.normal(0, 0.02, (4, seeds))
        for epoch in (1, 2, 4):
            values = values + draw.normal(0.05, 0.02, (4, seeds))
            looks.append(decided(spec, epoch, values, looks))
        wrong += bool(pruned_arms(looks))
    assert wrong <= 0.05 * many


def test_an_arm_that_does_not_learn_is_given_up_at_the_first_look() -> None:
    """All zeros beside four good ones, five seeds: at chance while the others learn."""
    spec, draw = spec_of(5, 5), np.random.default_rng(1)
    for _ in range(50):
        values = draw.normal(0.7, 0.03, (5, 5))
        values[2] = 0.1
        assert list(pruned_arms([decided(spec, 1, values)])) == ["arm 2"]


NAN = np.nan


@pytest.mark.parametrize("gone", [6, 4])
def test_s3_an_arm_that_never_diverged_is_not_pruned_by_survivors(gone: int) -> None:
    """Six or four of ten runs diverged, and the others are .05 better: the report calls neither arm better."""
    steady = 0.9 + np.random.default_rng(3).normal(0, 0.005, 10)
    wild = steady + 0.05 + np.random.default_rng(4).normal(0, 0.005, 10)
    wild[:gone] = NAN
    for values in ([wild, steady], [steady, wild]):
        assert pruned_arms([decided(spec_of(2, 10), 2, values, lost=np.isnan(values))]) == {}
    # without a loss it is pruned, as is the arm that loses runs and is worse
    assert list(pruned_arms([decided(spec_of(2, 10), 2, [wild, steady])])) == ["arm 1"]
    worse = np.where(np.isnan(wild), NAN, wild - 0.5)
    assert list(pruned_arms([decided(spec_of(2, 10), 2, [worse, steady], lost=np.isnan([worse, steady]))])) == ["arm 0"]


def crossing(epoch: int, seeds: int = 8) -> Any:
    """A constant rate that is soon at .95, and a warm-up that is at .97 in the end and behind until epoch 9 of 20."""
    noise = np.random.default_rng(epoch).normal(0, 0.003, (2, seeds))
    constant, warm = 0.95 - 0.25 * np.exp(-epoch / 2), 0.97 - 0.87 / (1 + np.exp(epoch - 5))
    return np.array([[constant], [warm]]) + noise


WARM_UP = {"name": "linear_warmup", "warmup_steps": 90, "start_lr": 0.0, "after": "cosine"}


def looks_at_crossing(**more: Any) -> list[Decision]:
    arms = [{"label": "constant"}, {"label": "warm-up", "schedule": WARM_UP}]
    spec = parse({"epochs": 20, "seeds": 8, "pruning": {}, "arms": arms} | more)
    looks: list[Decision] = []
    for epoch in spec.pruning.rungs(20) if spec.pruning else ():
        looks.append(decided(spec, epoch, crossing(epoch), looks))
    return looks


def test_s4_a_warm_up_is_not_given_up_before_its_curve_crosses() -> None:
    looks = looks_at_crossing()
    assert [look["epoch"] for look in looks] == [5, 10]
    assert [look["worse"] for look in looks] == [["warm-up"], ["constant"]]
    assert pruned_arms(looks) == {}
    early = looks_at_crossing(pruning={"first": 1})
    assert [look["epoch"] for look in early] == [1, 2, 4, 8, 16]
    assert list(pruned_arms(early)) == ["warm-up"], "who asks for the first epoch gets it, and is warned"
    same = [{"label": "constant"}, {"label": "warm-up", "batch_size": 50}]
    assert pruned_arms(looks_at_crossing(arms=same)) == {"warm-up": 5}, "one look decides where schedules are the same"


def test_two_looks_in_a_row_are_level_over_the_looks_that_may_prune() -> None:
    arms = [{"label": "a"}, {"label": "b", "schedule": "cosine"}]
    spec = parse({"epochs": 20, "seeds": 3, "pruning": {"first": 1}, "arms": arms})
    first = decided(spec, 1, [GOOD[0], FAR])
    assert (first["looks"], first["worse"], first["pruned"]) == (4, ["b"], [])  # after 2, 4, 8 and 16 epochs
    equal = decided(spec, 2, [GOOD[0], GOOD[1]], [first])
    again = decided(spec, 4, [GOOD[0], FAR], [first, equal])
    assert (again["worse"], again["pruned"]) == (["b"], [])
    last = decided(spec, 8, [GOOD[0], FAR], [first, equal, again])
    assert [one["arm"] for one in last["pruned"]] == ["b"]
    p = stats.ttest_rel(GOOD[0], FAR).pvalue
    assert last["pruned"][0]["p_adjusted"] == pytest.approx(4 * p)


def test_a_run_that_diverged_or_is_not_finite_is_lost_and_one_that_failed_is_not_known() -> None:
    design = design_of(spec_of(2), task="multiclass", paths=DatasetPaths(), measured=("valid_accuracy",))
    found = RungValues.of(design, [("arm 0", 0, 0.9), ("arm 0", 1, None), ("arm 1", 0, np.inf), ("arm 1", 2, 0.8)])
    assert found.lost.tolist() == [[False, True, False], [True, False, False]]
    assert np.isfinite(found.values).tolist() == [[True, False, False], [False, False, True]]


def ended(values: dict[str, list[float]], **more: Any) -> Results:
    """An experiment of a hundred updates a run; "far" was pruned after the second of six epochs."""
    labelled = [{"label": label, "initializer": "zeros"} for label in values]
    spec = parse({"arms": labelled, "seeds": 3, "epochs": 6, "pruning": {"first": 1}} | more)
    decision = decided(spec, 2, list(values.values()))
    runs = [
        RunResult(
            *(3 * i + j, label, seed, "succeeded", "pruned" if label == "far" else "completed"),
            {"valid_accuracy": value},
            steps_done=33 if label == "far" else 100,
            steps_total=100,
        )
        for i, (label, row) in enumerate(values.items())
        for j, (seed, value) in enumerate(zip(spec.seed_list, row, strict=True))
    ]
    return trained_results(
        spec,
        task="multiclass",
        paths=DatasetPaths(),
        steps_per_epoch=[15],
        runs=runs,
        series=lambda _: [],
        rungs=[decision],
    )


def test_a_pruned_arm_is_in_no_ranking_and_the_report_says_why() -> None:
    results = ended({"a": GOOD[0], "far": FAR, "b": GOOD[2]})
    found = build_report(results)
    a, far, b = found["arms"]
    assert (far["n"], far["mean"], far["pruned"], far["not_finite"], far["unfinished"]) == (0, None, 3, 0, 0)
    assert (a["pruned"], b["pruned"]) == (0, 0)
    assert found["verdict"]["groups"] == [["a", "b"]]
    text = verdict_text(found)
    assert (
        '"far" was pruned after epoch 2 of its training, where its validation accuracy was worse than that of' in text
    )
    assert "N = 3 pairs" in text
    assert "3 looks" in text
    assert "It is in no ranking." in text
    assert 'Cannot tell about "far"' not in text
    saved = found["saved"]
    assert {key: saved[key] for key in ("updates", "of", "runs_stopped_early", "runs_pruned")} == {
        "updates": 201, "of": 900, "runs_stopped_early": 0, "runs_pruned": 3,
    }  # fmt: skip
    [one] = saved["pruned"]
    assert (one["arm"], one["best"], one["epoch"], one["metric"]) == ("far", "a", 2, "valid_accuracy")
    page = markdown(found, results)
    assert "Saved: 201 of 900 updates (22 %). Of the runs 3 were pruned and are in no mean." in page


def test_a_run_that_stopped_early_in_an_arm_that_was_pruned_stands_for_nothing() -> None:
    """Its last value is final, but it would be the arm's only one: chosen by how it ended."""
    whole = ended({"a": GOOD[0], "far": FAR, "b": GOOD[2]})
    early = replace(whole.runs[3], outcome="stopped_early", steps_done=20)
    results = replace(whole, runs=[*whole.runs[:3], early, *whole.runs[4:]])
    assert build_report(results)["arms"][1]["n"] == 0
    assert build_report(results)["arms"][1]["pruned"] == 3
