import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.analysis import build_report, markdown, outcome_names
from core.errors import InvalidSpec
from core.results import Results, Series
from tests.core.analysis.reading import not_none, sentences, verdict_text

GOOD = [0.971, 0.962, 0.978, 0.969, 0.973]
LIKE_IT = [0.968, 0.965, 0.976, 0.972, 0.969]
WORSE = [0.90, 0.89, 0.91, 0.905, 0.896]
CHANCE = [0.1, 0.1, 0.1, 0.1, 0.1]

MakeResults = Callable[..., Results]


def test_the_arms_are_told_as_they_are(experiment: MakeResults) -> None:
    found = build_report(experiment({"good": GOOD, "half": [0.5, "failed", "diverged", "running", None]}))

    good, half = found["arms"]
    interval = stats.t.interval(0.95, 4, loc=np.mean(GOOD), scale=stats.sem(GOOD))
    assert good["label"] == "good"
    assert (good["n"], good["runs"], good["diverged"], good["failed"], good["unfinished"]) == (5, 5, 0, 0, 0)
    assert (good["ci_low"], good["ci_high"]) == pytest.approx(interval)
    assert (
        half.items()
        >= {
            "label": "half",
            "n": 1,
            "mean": 0.5,
            "median": 0.5,
            "sd": None,
            "ci_low": None,
            "ci_high": None,
            "interval": None,
            "runs": 5,
            "diverged": 1,
            "failed": 1,
            "unfinished": 1,
            "not_finite": 1,
        }.items()
    )


def test_the_best_is_compared_with_all_and_corrected_for_all_pairs(experiment: MakeResults) -> None:
    arms = {"worse": WORSE, "good": GOOD, "like it": LIKE_IT}
    found = build_report(experiment(arms))

    p = {(a, b): stats.ttest_rel(arms[a], arms[b]).pvalue for a, b in [("good", "worse"), ("good", "like it")]}
    pairs_listed = [("good", "like it"), ("good", "worse"), ("like it", "worse")]
    assert [(c["a"], c["b"]) for c in found["comparisons"]] == pairs_listed
    assert found["reference"] == "good"
    like_it, worse, _ = found["comparisons"]
    assert like_it["p"] == pytest.approx(p["good", "like it"])
    assert worse["difference"] == pytest.approx(np.mean(GOOD) - np.mean(WORSE))
    pairs = [*p.values(), stats.ttest_rel(LIKE_IT, WORSE).pvalue]
    ranks = sorted(pairs)
    p_worse = not_none(worse["p"])
    assert worse["p_adjusted"] == pytest.approx(max(q * (3 - i) for i, q in enumerate(ranks) if q <= p_worse))
    assert like_it["p_adjusted"] == pytest.approx(p["good", "like it"])
    assert found["verdict"]["groups"] == [["good", "like it"], ["worse"]]


def test_a_baseline_is_compared_with_the_others_alone(experiment: MakeResults) -> None:
    arms = {"worse": WORSE, "good": GOOD, "like it": LIKE_IT, "chance": CHANCE}
    found = build_report(experiment(arms, baseline="like it"))

    assert [(c["a"], c["b"]) for c in found["comparisons"]] == [
        ("like it", "good"),
        ("like it", "worse"),
        ("like it", "chance"),
    ]
    assert found["comparisons"][2]["p_adjusted"] == pytest.approx(3 * not_none(found["comparisons"][2]["p"]))
    assert found["comparisons"][0]["p_adjusted"] == pytest.approx(found["comparisons"][0]["p"])
    assert found["verdict"]["groups"] == [["good", "like it"], ["worse", "chance"]]
    assert "Worse than it" in verdict_text(found)


def test_an_arm_better_than_the_baseline_comes_before_it(experiment: MakeResults) -> None:
    found = build_report(experiment({"worse": WORSE, "good": GOOD}, baseline="worse"))

    assert found["verdict"]["groups"] == [["good"], ["worse"]]
    assert not_none(found["comparisons"][0]["difference"]) < 0
    assert 'Better than it: "good" by 7.04 percentage points' in verdict_text(found)


def test_of_losses_the_lower_is_better(experiment: MakeResults) -> None:
    found = build_report(experiment({"high": [2.3, 2.2, 2.4], "low": [0.1, 0.12, 0.11]}, "valid_loss"), "valid_loss")

    assert found["verdict"]["groups"] == [["low"], ["high"]]
    assert found["comparisons"][0]["difference"] == pytest.approx(0.11 - 2.3)
    assert '"low" has the best mean validation loss 0.11 ' in verdict_text(found)
    assert 'It is better than "high" by 2.19 ' in verdict_text(found)


def test_the_verdict_names_numbers_units_and_n(experiment: MakeResults) -> None:
    text = verdict_text(build_report(experiment({"good": GOOD, "like it": LIKE_IT, "worse": WORSE})))

    assert '"good" has the best mean validation accuracy 97.06 % (N = 5, 95 % interval for the best of 3 arms ' in text
    half = stats.t.ppf(1 - 0.025 / 3, 4) * stats.sem(GOOD)  # the data chose it of three
    assert f"{100 * (np.mean(GOOD) - half):.2f} to {100 * (np.mean(GOOD) + half):.2f} %)" in text
    assert 'better than "worse" by 7.04 percentage points (N = 5 pairs)' in text
    assert 'cannot be told apart from "like it" (difference +0.06 percentage points' in text
    assert "Holm over all 3 pairs of arms" in text


def test_the_verdict_says_when_it_cannot_tell_which_is_best(experiment: MakeResults) -> None:
    text = verdict_text(build_report(experiment({"good": GOOD, "like it": LIKE_IT})))

    assert "So these runs cannot tell which arm is best." in text


def test_an_arm_whose_seeds_differ_does_not_come_before_one_that_beats_it(experiment: MakeResults) -> None:
    """S1: the best mean may come of easier seeds: the pairs decide, and no place contradicts them."""
    easy = [0.987, 0.982, 0.991, 0.91, 0.90]
    lucky = [0.985, 0.98, 0.99, "failed", "failed"]
    found = build_report(experiment({"lucky": lucky, "steady": easy}))

    assert found["reference"] == "steady"
    assert found["comparisons"][0]["decision"] == "better"
    assert found["verdict"]["groups"] == [["steady"], ["lucky"]]
    assert found["verdict"]["order"] == ["steady", "lucky"]
    assert [(arm["rank_low"], arm["rank_high"]) for arm in found["arms"]] == [(2, 2), (1, 1)]
    assert verdict_text(found).startswith('"steady" comes first, with the mean validation accuracy 95.40 %')
    assert 'The mean of "lucky" is better, but of other seeds' in verdict_text(found)
    assert (
        any("fewer seeds" in w for w in sentences(found)) is False
    )  # every finished seed of the smaller arm is paired


@pytest.mark.parametrize(
    ("finals", "words", "groups"),
    [
        ({"a": ["queued"] * 3, "b": ["running"] * 3}, "Cannot tell yet: no run has finished", []),
        ({"a": ["cancelled", "queued"]}, "Cannot tell yet: no run has finished", []),
        (
            {"a": ["cancelled"] * 3, "b": ["cancelled"] * 3},
            "Cannot tell: it was cancelled before a run finished with a result, and nothing more comes (N = 0 of 6; 6 ",
            [],
        ),
        ({"a": ["diverged"] * 2, "b": ["diverged"] * 2}, "Cannot tell: all 4 runs diverged (N = 0)", []),
        ({"a": ["diverged"]}, "Cannot tell: the only run diverged (N = 0)", []),
        ({"a": ["failed"] * 2, "b": ["diverged"] * 2}, "Cannot tell: no run finished with a result", []),
        ({"a": [0.9, 0.8]}, "There is one arm, so nothing is compared", [["a"]]),
        ({"a": [0.9], "b": [0.8]}, "Cannot tell about", [["a", "b"]]),
        ({"a": CHANCE, "b": CHANCE}, "cannot tell which arm is best", [["a", "b"]]),
        ({"a": [0.9, 0.91], "b": ["diverged", "diverged"]}, 'Cannot tell about "b"', [["a"]]),
        ({"a": [0.4, 0.5], "b": [0.3, 0.4]}, "cannot tell which arm is best", [["a", "b"]]),
    ],
)
def test_thin_evidence_gives_an_honest_answer(
    experiment: MakeResults, finals: dict[str, Any], words: str, groups: list[list[str]]
) -> None:
    found = build_report(experiment(finals))

    json.dumps(found, allow_nan=False)
    assert words in verdict_text(found)
    assert found["verdict"]["groups"] == groups


def test_a_baseline_without_a_result_is_said(experiment: MakeResults) -> None:
    found = build_report(experiment({"a": GOOD, "b": ["failed"] * 5}, baseline="b"))

    assert "no run of the baseline" in verdict_text(found)
    found = build_report(experiment({"a": GOOD, "b": ["diverged"] * 5}, baseline="b"))
    assert verdict_text(found).startswith('No run of the baseline "b" came to a value. Better than it: "a" (which lost')


def test_an_arm_with_one_survivor_is_not_the_best(experiment: MakeResults) -> None:
    found = build_report(experiment({"wild": [0.999, "diverged", "diverged"], "tame": [0.95, 0.96, 0.955]}))

    assert found["comparisons"][0]["a"] == "tame"
    assert found["verdict"]["groups"][0][0] == "tame"


def test_an_unknown_outcome_is_refused_with_the_known_ones(experiment: MakeResults) -> None:
    results = experiment({"a": GOOD})
    for wrong in ("valid_acuracy", "valid_r2"):
        with pytest.raises(InvalidSpec) as caught:
            build_report(results, wrong)
        assert caught.value.problems[0].path == "metric"
        assert set(caught.value.problems[0].known) <= set(outcome_names(results))


def test_in_regression_less_loss_is_better_and_more_r2_is(experiment: MakeResults) -> None:
    worse = {"low": [0.1, 0.12, 0.11], "high": [0.9, 0.92, 0.93]}
    found = build_report(experiment(worse, "valid_loss", task="regression"))
    assert found["metric"] == "valid_loss"
    assert found["verdict"]["groups"] == [["low"], ["high"]]
    assert '"low" has the best mean validation loss 0.11 ' in verdict_text(found)
    found = build_report(experiment(worse, "valid_r2", task="regression"), "valid_r2")
    assert found["verdict"]["groups"] == [["high"], ["low"]]
    assert '"high" has the best mean validation R² 0.9167 ' in verdict_text(found)
    assert build_report(experiment(worse, task="binary"))["metric"] == "valid_accuracy"


@pytest.mark.parametrize(
    ("finals", "words"),
    [
        ({"a": GOOD, "b": [0.9, 0.91, "diverged", 0.92, 0.93]}, '"b": 1 of 5 runs diverged (seed 2) and is left out'),
        (
            {"a": GOOD, "b": ["diverged"] * 5},
            "all 5 runs diverged (seeds 0, 1, 2, 3, 4) and are left out: it has no mean",
        ),
        ({"a": ["diverged"], "b": [0.9]}, '"a": its only run diverged (seed 0) and is left out: it has no mean'),
        ({"a": [0.9, 0.8, 0.7]}, "Few seeds: N = 3 in every arm"),
        ({"a": [0.9]}, "Few seeds: N = 1 in every arm; there is no interval"),
        ({"a": ["failed", 0.8, 0.7]}, '1 of 3 runs failed, of "a"'),
        ({"a": ["cancelled", "queued", 0.7]}, "2 of 3 runs have not finished (queued, running or cancelled)"),
        ({"a": ["cancelled", 0.8, 0.7]}, "1 of 3 runs were cancelled"),
        ({"a": GOOD, "zeros": CHANCE}, '"zeros" did not learn: the validation accuracy is at chance level, 10.2 %'),
        ({"zeros": CHANCE}, "No arm learned"),
        ({"zeros": CHANCE}, '"zeros" at 10.00 %'),
        ({"a": [0.99, 0.999, 0.9, 0.98, 0.97]}, "reaches outside 0 to 100 %"),
        ({"a": [0.99, 0.96, 0.98, 0.97, 0.99], "b": WORSE, "c": CHANCE}, 'interval of "a" reaches outside'),  # as best
        ({"a": [0.5, 0.6, 0.7], "b": [0.4, 0.5, 0.6]}, "differ by the same 10.00 percentage points in all 3 pairs"),
        ({"a": ["failed", 0.6, 0.7], "b": [0.4, "failed", 0.6]}, "because the seeds differ"),
    ],
)
def test_warnings_say_what_the_numbers_cannot_carry(
    experiment: MakeResults, finals: dict[str, Any], words: str
) -> None:
    assert any(words in warning for warning in sentences(build_report(experiment(finals))))


def test_s14_the_report_says_what_its_runs_cannot_show(experiment: MakeResults) -> None:
    """Ten per cent of runs at chance: of five none shows it in 59 %, and their interval then holds no true mean."""
    results = experiment({"five": GOOD, "one": [0.5, "running", "failed", "queued", "queued"]})
    found = build_report(results)
    assert [arm["unseen_at_most"] for arm in found["arms"]] == pytest.approx([0.5218, 0.975], abs=1e-4)
    page = markdown(found, results)
    assert "No interval knows what no run shows" in page
    assert "| 5 of 5 (57 to 100 %) | 52 % |" in page


def test_s18_the_best_of_all_epochs_is_said_to_gain_from_jumps(experiment: MakeResults) -> None:
    """Two equal arms, one of which jumps three times as far: its maxima are better in most experiments."""
    results = experiment({"calm": GOOD, "wild": GOOD}, epochs=30)
    rng, size = np.random.default_rng(18), {"calm": 0.002, "wild": 0.006}
    curves = [
        Series(run.id, run.arm, run.seed, "valid_accuracy", np.arange(30), 0.9 + rng.normal(0, size[run.arm], 30))
        for run in results.runs
    ]
    results = replace(results, series=lambda metric: curves if metric == "valid_accuracy" else [])
    best = build_report(results, "best_valid_accuracy")
    assert best["verdict"]["order"][0] == "wild"
    (said,) = [one for one in sentences(best) if "is optimistic" in one]
    assert 'jump the curves of "calm" by 0.' in said
    assert said.index('"calm"') < said.index('"wild"')
    (loss,) = [one for one in sentences(build_report(results, "best_valid_loss")) if "is optimistic" in one]
    assert "From epoch" not in loss
    assert not any("optimistic" in one for one in sentences(build_report(results)))


def test_chance_is_the_most_frequent_class(experiment: MakeResults) -> None:
    """Of the 569 cases 357 are benign, 62.7 %: 65 % of 114 are within the sampling error of naming that one always."""
    finals = {"idle": [0.64, 0.65, 0.65, 0.66, 0.65], "good": [0.9, 0.91, 0.92, 0.93, 0.92]}
    (warning,) = sentences(build_report(experiment(finals, dataset="breast_cancer", task="binary")))
    assert warning == '"idle" did not learn: the validation accuracy is at chance level, 62.7 % for 2 classes.'


def test_a_regression_that_explains_nothing_did_not_learn(experiment: MakeResults) -> None:
    finals = {"idle": [-0.01, 0.0, 0.01, 0.0, -0.02], "good": [0.4, 0.41, 0.42, 0.43, 0.42]}
    (warning,) = sentences(build_report(experiment(finals, "valid_r2", task="regression"), "valid_r2"))
    assert warning.startswith('"idle" did not learn: predicting the mean always would be as good')


def test_five_good_seeds_call_for_no_warning(experiment: MakeResults) -> None:
    assert build_report(experiment({"a": GOOD, "b": WORSE}))["warnings"] == []


def test_arms_of_different_data_sets_are_warned_of(experiment: MakeResults) -> None:
    values = {"a": [0.5, 0.6, 0.55], "b": [0.6, 0.7, 0.65]}
    arms = [{"label": "a", "dataset": "digits"}, {"label": "b", "dataset": {"name": "two_spirals"}}]
    warned = [one["message"] for one in build_report(experiment(values, arms=arms))["warnings"]]
    assert [one for one in warned if one.startswith("Arms have different data sets")]
    assert not [
        one["message"]
        for one in build_report(experiment(values))["warnings"]
        if one["message"].startswith("Arms have different data sets")
    ]
