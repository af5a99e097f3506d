"""Who beats whom, by values and by how many runs came to one; and how often equal arms are called different."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from core.analysis import build_report, summaries
from core.analysis.statistics.judgement import Judgement, judge
from core.analysis.statistics.power import detectable
from core.analysis.statistics.seeds_wanted import seeds_range
from core.metrics import metrics
from tests.core.analysis.reading import not_none, sentences, verdict_text

GOOD = [0.971, 0.962, 0.978, 0.969, 0.973]
LIKE_IT = [0.968, 0.965, 0.976, 0.972, 0.969]
WORSE = [0.90, 0.89, 0.91, 0.905, 0.896]
LOST = ["diverged"] * 5


def judged(values: Any, baseline: int | None = None) -> Judgement:
    """The judgement of accuracies (arms, seeds), NaN for a run that diverged."""
    values = np.asarray(values, dtype=np.float64)
    return judge(values, np.isnan(values), summaries(values), metrics["valid_accuracy"], baseline)


def test_survivors_do_not_make_an_arm_better_that_lost_more_runs() -> None:
    nan = np.nan
    found = judged([[0.99, 0.991, 0.992, 0.99, nan, nan], [0.9, 0.89, 0.91, 0.9, 0.9, 0.9]])

    assert found.adjusted[0, 1] < 0.001
    assert not found.beats.any()
    assert found.groups == [[0, 1]]


def test_an_arm_that_lost_half_of_its_runs_comes_after_those_that_did_not() -> None:
    nan = np.nan
    found = judged([[0.99, 0.991, nan, nan], [0.9, 0.89, 0.91, 0.9], [0.8, 0.81, 0.8, 0.82]])

    assert found.order == [1, 2, 0]
    assert found.reference == 1


def test_losing_fewer_runs_beats_where_that_is_no_chance() -> None:
    steady = np.random.default_rng(1).normal(0.9, 0.01, 12)
    wild = np.where(np.arange(12) < 10, np.nan, steady + 0.001)
    found = judged([steady, wild, steady - 0.0001])

    assert found.p_lost[0, 1] == pytest.approx(stats.fisher_exact(np.array([[0, 12], [10, 2]])).pvalue)
    assert np.isnan(found.p_lost[0, 2])  # none of these was lost: nothing is asked
    assert found.adjusted_lost[0, 1] == pytest.approx(2 * found.p_lost[0, 1])
    assert found.beats[0, 1]
    assert not found.beats[1, 0]


def test_values_the_other_way_make_it_no_win() -> None:
    steady = np.random.default_rng(1).normal(0.9, 0.01, 30)
    wild = np.where(np.arange(30) < 12, np.nan, steady + np.random.default_rng(2).normal(0.05, 0.001, 30))
    found = judged([steady, wild])

    assert found.adjusted[0, 1] < 0.001
    assert found.adjusted_lost[0, 1] < 0.001
    assert not found.beats.any()


def test_a_baseline_asks_about_itself_alone() -> None:
    nan = np.nan
    found = judged([GOOD, WORSE, [nan, nan, 0.9, 0.9, 0.9]], baseline=1)

    assert found.groups == [[0], [1, 2]]
    assert np.isnan(found.adjusted[0, 2])
    assert np.isnan(found.adjusted_lost[0, 2])
    assert found.adjusted_lost[1, 2] == found.p_lost[1, 2]


@pytest.mark.parametrize("n", [3, 5, 10, 30])
def test_equal_arms_are_called_different_in_at_most_6_of_100_experiments(n: int) -> None:
    """The best is chosen by the data: correcting only its own three comparisons would call 7 in 100 different."""
    rng = np.random.default_rng(7)
    false = 0
    for _ in range(1_000):
        seeds = rng.normal(0.9, 0.01, n)
        values = np.round(seeds + rng.normal(0, 0.005, (4, n)), 4)
        false += bool(judged(values).beats.any())

    assert false <= 60


def test_equal_arms_that_diverge_alike_are_called_different_as_rarely() -> None:
    rng = np.random.default_rng(8)
    false = 0
    for _ in range(1_000):
        values: NDArray[np.float64] = rng.normal(0.9, 0.01, (4, 10))
        values[rng.random((4, 10)) < 0.3] = np.nan
        false += bool(judged(values).beats.any())

    assert false <= 60


@pytest.mark.parametrize("n", [3, 5, 10, 30])
def test_the_interval_of_a_difference_covers_the_true_one(n: int) -> None:
    rng = np.random.default_rng(9)
    covered = 0
    for _ in range(1_000):
        seeds = rng.normal(0.9, 0.02, n)
        found = judged(seeds + rng.normal(0, 0.005, (2, n)) + np.array([[0.01], [0.0]])).found
        covered += bool(found.ci_low[0, 1] <= 0.01 <= found.ci_high[0, 1])

    assert 930 <= covered <= 970


def test_the_report_says_who_beats_whom(experiment: Any) -> None:
    found = build_report(experiment({"worse": WORSE, "good": GOOD, "like it": LIKE_IT}))

    beats = {(one["winner"], one["loser"]): one for one in found["verdict"]["beats"]}
    assert beats.keys() == {("good", "worse"), ("like it", "worse")}
    assert beats["good", "worse"]["difference"] == pytest.approx(np.mean(GOOD) - np.mean(WORSE))
    assert not_none(beats["good", "worse"]["ci_low"]) > 0
    assert [c["better"] for c in found["comparisons"]] == [None, "good", "like it"]


def test_beating_the_baseline_is_seen_from_the_winner(experiment: Any) -> None:
    found = build_report(experiment({"worse": WORSE, "good": GOOD}, baseline="worse"))

    (one,) = found["verdict"]["beats"]
    assert (one["winner"], one["loser"]) == ("good", "worse")
    assert 0 < not_none(one["ci_low"]) < not_none(one["difference"]) < not_none(one["ci_high"])


def test_of_losses_a_win_is_a_negative_difference(experiment: Any) -> None:
    found = build_report(experiment({"low": [0.1, 0.12, 0.11], "high": [2.0, 2.1, 2.2]}, "valid_loss"), "valid_loss")

    (one,) = found["verdict"]["beats"]
    assert one["winner"] == "low"
    assert not_none(one["difference"]) < 0


def test_the_two_foremost_arms_have_what_it_would_take(experiment: Any) -> None:
    found = build_report(experiment({"worse": WORSE, "good": GOOD, "like it": LIKE_IT}))

    d = np.array(GOOD) - np.array(LIKE_IT)
    seen, wanted = not_none(found["verdict"]["detectable"]), not_none(found["verdict"]["seeds_wanted"])
    assert (seen["a"], seen["b"], seen["n"], seen["power"]) == ("good", "like it", 5, 0.8)
    assert seen["level"] == 0.05  # the largest p of its family: Holm multiplied it with 1
    assert seen["difference"] == pytest.approx(detectable(5, 0.05) * d.std(ddof=1))
    assert (wanted["margin"], wanted["seeds"]) == (None, None)
    assert (wanted["fewest"], wanted["most"]) == seeds_range(d.mean() / d.std(ddof=1), 5, 0.05)
    text = verdict_text(found)
    assert f"would take {wanted['fewest']} seeds at least, without a bound, as it may be none at all" in text
    assert "5 pairs would show a true difference of about" in text


def test_a_verdict_that_is_made_does_not_ask_for_more_seeds(experiment: Any) -> None:
    found = build_report(experiment({"good": GOOD, "worse": WORSE}))

    assert "power" not in verdict_text(found)


def test_the_verdict_says_why_a_better_mean_is_not_called_better(experiment: Any) -> None:
    high = [0.99, 0.991, 0.992, 0.99, "diverged"]
    text = verdict_text(build_report(experiment({"wild": high, "steady": WORSE})))

    assert "point opposite ways, so neither is called better" in text
    assert "but without a value were 1 of 5 runs against 0 of 5" in text
    assert "cannot tell which arm is best" in text


def test_the_verdict_names_an_arm_whose_survivors_did_better(experiment: Any) -> None:
    half = [0.99, 0.991, 0.992, "diverged", "diverged", "diverged"]
    text = verdict_text(build_report(experiment({"half": half, "steady": [*WORSE, 0.9]})))

    assert text.startswith('"steady" has the best mean')
    assert 'The mean of "half" is better, but of half of the runs or fewer' in text


def test_losing_every_run_is_a_loss_where_seeds_are_enough(experiment: Any) -> None:
    found = build_report(experiment({"steady": GOOD, "gone": LOST}))

    assert found["comparisons"][0]["better"] == "steady"
    assert found["comparisons"][0]["p_lost_adjusted"] == pytest.approx(2 / 252)
    text = verdict_text(found)
    assert 'Fewer of its runs came to no value than of "gone" (0 of 5 against 5 of 5); Fisher' in text
    assert found["verdict"]["beats"][0]["difference"] is None


def test_against_a_baseline_that_lost_its_runs_the_other_is_better(experiment: Any) -> None:
    found = build_report(
        experiment({"wild": [*LOST, *LOST, 0.9, 0.91], "steady": [*GOOD, *GOOD, 0.9, 0.91]}, baseline="wild")
    )

    assert found["verdict"]["groups"] == [["steady"], ["wild"]]
    assert 'More of its runs came to no value than of "steady" (10 of 12 against 0 of 12)' in verdict_text(found)


def test_what_only_describes_runs_makes_none_better(experiment: Any) -> None:
    results = experiment({"a": GOOD, "b": WORSE, "gone": LOST})
    ended = [
        replace(
            run,
            final={**run.final, "train_accuracy": v + 0.01 + 0.001 * run.seed}
            if (v := run.final.get("valid_accuracy"))
            else {},
        )
        for run in results.runs
    ]
    found = build_report(replace(results, runs=ended), "generalization_gap")

    assert "has the lowest mean generalisation gap" in verdict_text(found)
    assert not [c for c in found["comparisons"] if c["better"]]


def test_runs_that_never_reach_the_target_are_lost_like_diverged_ones(experiment: Any) -> None:
    """Times to a target are known only of runs that reached it: the few fast ones do not make an arm fast."""
    results = experiment({"a": GOOD, "b": WORSE}, target={"metric": "valid_accuracy", "value": 0.95})
    found = build_report(results, "steps_to_target")

    assert [arm["not_finite"] for arm in found["arms"]] == [5, 5]  # these have no curves
    assert not_none(found["arms"][0]["rates"]["reached_target"])["hits"] == 0
    assert any("finished without having reached the target" in w for w in sentences(found))


def test_the_time_of_a_run_that_diverged_is_in_no_mean(experiment: Any) -> None:
    """It did less: an arm would be the faster, the more often it diverges."""
    results = experiment({"a": [0.9, 0.8, "diverged"], "b": [0.9, 0.8, 0.7]})
    timed = [replace(run, seconds=0.1 if run.outcome == "diverged" else 2.0, steps_done=30) for run in results.runs]
    found = build_report(replace(results, runs=timed), "seconds")

    assert [(arm["mean"], arm["p_best"]) for arm in found["arms"]] == [(2, None), (2, None)]
    assert found["runs"][2]["seconds"] == 0.1
    assert found["arms"][0]["outcomes"]["steps_per_second"]["mean"] == 15
    assert verdict_text(found).endswith("so arms are not compared by it.")
    assert (found["comparisons"], found["verdict"]["beats"], found["verdict"]["detectable"]) == ([], [], None)
    assert found["verdict"]["groups"] == [["a", "b"]]


def test_every_outcome_of_every_arm_is_there(experiment: Any) -> None:
    found = build_report(experiment({"a": GOOD, "b": WORSE}))

    for arm, values in zip(found["arms"], (GOOD, WORSE), strict=True):
        entry = dict(arm)
        assert arm["outcomes"]["valid_accuracy"] == {k: entry[k] for k in arm["outcomes"]["valid_accuracy"]}
        assert arm["outcomes"]["valid_accuracy"]["mean"] == pytest.approx(np.mean(values))
        assert arm["outcomes"]["stability"]["n"] == 0
        assert not_none(arm["rates"]["completed"])["hits"] == 5
    assert sum(not_none(arm["p_best"]) for arm in found["arms"]) == pytest.approx(1)
    assert [run["valid_accuracy"] for run in found["runs"]] == GOOD + WORSE


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"grid": {"epochs": [2, 4]}}, 'a run has 30 ("epochs=2") to 60 ("epochs=4") updates and 2,876'),
        ({"grid": {"batch_size": [100, 50]}}, "updates, of the same 2,876 examples"),
    ],
)
def test_budgets_that_differ_are_said(experiment: Any, spec: dict[str, Any], words: str) -> None:
    finals = {f"{key}={value}": GOOD for key, values in spec["grid"].items() for value in values}
    found = build_report(experiment(finals, **{"epochs": 2, "arms": None} | spec))

    assert any(words in warning for warning in sentences(found)), found["warnings"]


def test_a_ceiling_is_said(experiment: Any) -> None:
    high = [0.995, 0.996, 0.994, 0.997, 0.995]
    found = build_report(experiment({"a": high, "b": [v - 0.001 * i for i, v in enumerate(high)]}))

    assert any(w.startswith('Ceiling: the mean of "a" and "b" is 99.00 % or more') for w in sentences(found))
