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
from core.analysis.statistics.seeds_wanted import planned_seeds, seeds_range
from core.metrics import metrics
from tests.core.analysis.reading import not_none, verdict_text

GOOD = [0.971, 0.962, 0.978, 0.969, 0.973]
LIKE_IT = [0.968, 0.965, 0.976, 0.972, 0.969]
WORSE = [0.90, 0.89, 0.91, 0.905, 0.896]
LOST = ["diverged"] * 5


def judged(values: Any, baseline: int | None = None) -> Judgement:
    """The judgement of accuracies (arms, seeds), NaN for a run that diverged."""
    values = np.asarray(values, dtype=np.float64)
    return judge(values, np.isnan(values), summaries(values), metrics["valid_accuracy"], baseline)


def test_survivors_never_lead() -> None:
    """S5: the mean of three survivors is better than that of five good runs."""
    nan = np.nan
    found = judged([[0.985, 0.98, 0.99, nan, nan], GOOD])

    assert found.found.p[0, 1] < 0.05
    assert not found.beats.any()
    assert found.order == [1, 0]
    assert found.reference == 1
    assert found.groups == [[1, 0]]


def test_an_arm_that_lost_a_run_comes_first_only_if_it_wins() -> None:
    rng = np.random.default_rng(1)
    wins = np.where(np.arange(12) == 3, np.nan, rng.normal(0.95, 0.001, 12))
    found = judged([rng.normal(0.9, 0.001, 12), wins])

    assert found.beats[1, 0]
    assert found.order == [1, 0]


def test_no_group_and_no_order_contradicts_a_win() -> None:
    """S2, over staircases with a noisy step: groups of arms "like the best" would contradict a win in a third."""
    rng = np.random.default_rng(2)
    wins = 0
    for _ in range(200):
        sd = rng.choice([0.3, 2.0], (5, 1))
        found = judged(0.9 - 0.01 * np.arange(5)[:, None] + 0.005 * sd * rng.normal(size=(5, 5)))
        group = {i: k for k, members in enumerate(found.groups) for i in members}
        for i, j in np.argwhere(found.beats):
            wins += 1
            assert group[i] < group[j]
            assert found.order.index(i) < found.order.index(j)

    assert wins > 100


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

    assert found.found.p[0, 1] < 0.001
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


@pytest.mark.parametrize(("arms", "n"), [(7, 5), (20, 5), (7, 12)])
def test_the_interval_of_the_best_arm_covers_its_own_mean(arms: int, n: int, experiment: Any) -> None:
    """S11: the data chose the best, so its own interval would cover its mean in 87 % (7 arms), 75 % (20 arms)."""
    rng = np.random.default_rng(arms + n)
    alone = together = 0
    for _ in range(300):
        values = rng.normal(0, 1, (arms, n))
        best = int(values.mean(axis=1).argmax())
        alone += summaries(values)[best].ci_low <= 0
        together += summaries(values, 0.05 / arms)[best].ci_low <= 0

    assert alone < 0.93 * 300
    assert together >= 0.945 * 300
    found = build_report(experiment({"good": GOOD, "like it": LIKE_IT, "worse": WORSE}))["arms"][0]
    assert found["simultaneous"] == pytest.approx(
        dict(zip(("ci_low", "ci_high"), stats.t.interval(1 - 0.05 / 3, 4, np.mean(GOOD), stats.sem(GOOD)), strict=True))
    )


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


def test_with_a_margin_seeds_are_planned_on_it_and_not_on_what_was_measured(experiment: Any) -> None:
    arms = {"good": GOOD, "like it": LIKE_IT}
    found = build_report(experiment(arms, margin=0.004, alpha=0.01))

    sd = (np.array(GOOD) - np.array(LIKE_IT)).std(ddof=1)
    wanted = not_none(found["verdict"]["seeds_wanted"])
    assert (wanted["margin"], wanted["level"], wanted["fewest"], wanted["most"]) == (0.004, 0.01, None, None)
    assert wanted["seeds"] == planned_seeds(0.004, float(sd), 5, 0.01)
    text = f"{wanted['seeds']} seeds are planned to show one as large as the margin of 0.40 percentage points."
    assert text in verdict_text(found)


def test_a_verdict_that_is_made_does_not_ask_for_more_seeds(experiment: Any) -> None:
    found = build_report(experiment({"good": GOOD, "worse": WORSE}))

    assert "power" not in verdict_text(found)


def test_the_verdict_says_why_a_better_mean_is_not_called_better(experiment: Any) -> None:
    high = [0.99, 0.991, 0.992, 0.99, "diverged"]
    text = verdict_text(build_report(experiment({"wild": high, "steady": WORSE})))

    assert text.startswith('"steady" comes first, with the mean validation accuracy 90.02 %')
    assert 'The mean of "wild" is better, but of the runs that came to a value alone' in text
    assert "over N = 4 pairs, but it lost 1 of 5 runs, against 0 of 5, adjusted p = 0.1" in text
    assert "cannot tell which arm is best" in text


def test_losing_every_run_is_a_loss_where_seeds_are_enough(experiment: Any) -> None:
    found = build_report(experiment({"steady": GOOD, "gone": LOST}))

    (c,) = found["comparisons"]
    assert (c["better"], c["decision"], c["test"], c["ci_low"], c["p"]) == ("steady", "better", "ranks", None, None)
    assert c["p_ranks"] == pytest.approx(2 / 4**5)
    assert c["p_lost_adjusted"] == pytest.approx(2 / 252)
    text = verdict_text(found)
    assert 'better than "gone" (which lost 5 of 5 runs, against 0 of 5), by ranks in which a lost run is the' in text
    assert found["verdict"]["beats"][0]["difference"] is None
    assert [(arm["rank_low"], arm["rank_high"], arm["lost"]) for arm in found["arms"]] == [(1, 1, 0), (2, 2, 5)]


def test_against_a_baseline_that_lost_its_runs_the_other_is_better(experiment: Any) -> None:
    found = build_report(
        experiment({"wild": [*LOST, *LOST, 0.9, 0.91], "steady": [*GOOD, *GOOD, 0.9, 0.91]}, baseline="wild")
    )

    assert found["verdict"]["groups"] == [["steady"], ["wild"]]
    assert 'Better than it: "steady" (which lost 0 of 12 runs, against 10 of 12)' in verdict_text(found)


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
