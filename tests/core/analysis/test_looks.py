"""Looks at adaptive seeds: what they decide, and for whom they ask for more seeds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.analysis import Look, compare_arms, decided_by, markdown, outline, take_look
from core.analysis.statistics.sequential import look_levels
from core.results import Results
from tests.core.analysis.reading import not_none, verdict_text

MakeResults = Callable[..., Results]
EVEN = {"from": 5, "to": 20}
RNG = np.random.default_rng(17)
NOISE = RNG.normal(0, 1, (4, 20))


def all_looks(results: Results) -> list[Look]:
    """Take looks as they come, at what would have been trained until then."""
    looks: list[Look] = []
    while not looks or looks[-1]["arms"]:
        looks.append(take_look(replace(results, looks=looks)))
    return looks


def finals(**means: float) -> dict[str, list[Any]]:
    return {arm: (mean + 0.01 * NOISE[i]).tolist() for i, (arm, mean) in enumerate(means.items())}


def test_more_seeds_are_asked_for_the_arms_of_open_comparisons_alone(experiment: MakeResults) -> None:
    """`low` is worse than each by 70 sd; `a` and `b` are equal."""
    looks = all_looks(experiment(finals(a=0.9, low=0.2, b=0.9), seeds=EVEN))

    assert [look["seeds"] for look in looks] == [5, 10, 15, 20]
    assert [len(look["pairs"]) for look in looks] == [3, 1, 1, 1]
    assert [look["arms"] for look in looks] == [["a", "b"]] * 3 + [[]]
    assert [(one["a"], one["b"], one["decision"]) for one in looks[0]["pairs"]] == [
        ("a", "low", "better"),
        ("a", "b", "open"),
        ("low", "b", "worse"),
    ]
    ended = decided_by(looks)
    assert [(one["seeds"], one["decision"]) for one in ended.values()] == [(5, "better"), (20, "open"), (5, "worse")]


def test_numbers_are_those_of_the_paired_t_at_the_looks_level(experiment: MakeResults) -> None:
    given = finals(a=0.9, b=0.902, c=0.89)
    levels = look_levels((5, 10, 15, 20), 0.05 / 3)
    for look, level in zip(all_looks(experiment(given, seeds=EVEN)), levels, strict=False):
        n = look["seeds"]
        assert (look["level"], look["comparisons"], look["metric"]) == (level, 3, "valid_accuracy")
        for one in look["pairs"]:
            peer = stats.ttest_rel(given[one["a"]][:n], given[one["b"]][:n])
            low, high = peer.confidence_interval(1 - level)
            assert (one["n"], one["p"], one["ci_low"], one["ci_high"]) == (
                n,
                *map(pytest.approx, (peer.pvalue, low, high)),
            )
            assert (one["decision"] != "open") == (peer.pvalue < level)


def test_with_a_baseline_the_family_is_the_comparisons_with_it(experiment: MakeResults) -> None:
    [look] = all_looks(experiment(finals(low=0.2, base=0.5, high=0.9), seeds=EVEN, baseline="base"))

    assert [(one["a"], one["b"], one["decision"]) for one in look["pairs"]] == [
        ("base", "low", "better"),
        ("base", "high", "worse"),
    ]
    assert look["level"] == look_levels((5, 10, 15, 20), 0.05 / 2)[0]


def test_within_a_margin_arms_are_equivalent_and_end(experiment: MakeResults) -> None:
    results = experiment(finals(a=0.9, b=0.9), seeds=EVEN)
    looks = all_looks(replace(results, design=replace(results.design, margin=0.03)))

    assert [look["pairs"][0]["decision"] for look in looks] == ["open", "equivalent"]


@pytest.mark.parametrize(
    ("ends", "seeds"),
    [
        (["diverged"] * 20, 10),  # against values by ranks: 2^-9 is below the second look's level, 2^-4 is not
        (["failed"] * 20, 20),  # is in no comparison, and says nothing
        (["failed", "failed", *[0.6] * 18], 15),
    ],
)
def test_runs_that_diverged_lose_and_those_that_failed_say_nothing(
    experiment: MakeResults, ends: Sequence[Any], seeds: int
) -> None:
    looks = all_looks(experiment({"a": finals(a=0.9)["a"], "b": ends}, seeds=EVEN))

    assert looks[-1]["seeds"] <= seeds
    assert looks[-1]["pairs"][0]["decision"] == ("open" if ends[-1] == "failed" else "better")


def test_what_is_not_trained_yet_is_not_looked_at(experiment: MakeResults) -> None:
    """The same numbers give the same look, whatever else is there by then."""
    given = finals(a=0.9, b=0.893)
    whole = all_looks(experiment(given, seeds=EVEN))
    waiting: Mapping[str, Any] = {arm: [*values[:5], *["queued"] * 15] for arm, values in given.items()}

    assert take_look(experiment(waiting, seeds=EVEN)) == whole[0]
    with pytest.raises(ValueError, match="no further look"):
        take_look(replace(experiment(given, seeds=EVEN), looks=[whole[0]] * 4))


def test_the_report_decides_what_the_looks_have_decided_and_no_more(experiment: MakeResults) -> None:
    results = experiment(finals(a=0.9, low=0.5, b=0.9), seeds=EVEN)
    looks = all_looks(results)
    report = compare_arms(replace(results, looks=looks))

    ended = decided_by(looks)
    assert {(c["a"], c["b"]) for c in report["comparisons"]} | {(c["b"], c["a"]) for c in report["comparisons"]} >= set(
        ended
    )
    for c in report["comparisons"]:
        one = ended.get((c["a"], c["b"])) or ended[c["b"], c["a"]]
        sign = 1 if c["a"] == one["a"] else -1
        assert (c["n"], c["p"], c["difference"]) == (one["n"], one["p"], pytest.approx(sign * one["difference"]))
        low, high = not_none(c["ci_low"]), not_none(c["ci_high"])
        assert sorted([abs(low), abs(high)]) == pytest.approx(sorted([abs(one["ci_low"]), abs(one["ci_high"])]))
        assert (c["decision"] == "open") == (one["decision"] == "open")
        assert (not_none(c["p_adjusted"]) < 0.05) == (c["decision"] != "open")
    text = verdict_text(report)
    assert report["looks"] == [outline(look) for look in looks]
    assert "over all 3 pairs of arms and all looks" in text
    assert "Seeds were added from look to look, 20 at most" in text
    early = compare_arms(replace(results, looks=[]))
    assert {c["decision"] for c in early["comparisons"]} == {"open"}
    assert "Nothing is decided before the first look" in verdict_text(early)


def test_second_opinions_are_of_the_seeds_until_the_look_that_decided(experiment: MakeResults) -> None:
    """`a` and `b` are equal and get all seeds; `low` lost to both after five, whatever came of more of its seeds."""
    given = finals(a=0.9, low=0.2, b=0.9)
    results = experiment(given, seeds=EVEN)
    results = replace(results, looks=all_looks(results))
    report = compare_arms(results)
    (one,) = (c for c in report["comparisons"] if {c["a"], c["b"]} == {"a", "low"})
    assert (one["n"], one["p_sign_flip"], one["robust"]) == (5, 2 * 0.5**5, None)
    page = markdown(report, results)
    assert "by Holm" not in page.partition("How this was computed")[2]
    assert "at the first look that decides it" in page
    (why,) = (one["message"] for one in report["warnings"] if "fewer seeds" in one["message"])
    assert "because a look decided before the others were trained" in why


def test_the_levels_are_those_of_the_alpha_that_is_asked_for(experiment: MakeResults) -> None:
    results = experiment(finals(a=0.9, b=0.9), seeds=EVEN)
    results = replace(results, looks=all_looks(results))
    text = verdict_text(compare_arms(results, alpha=0.3))
    first = look_levels((5, 10, 15, 20), 0.3)[0]
    assert f"at the two-sided level {first:.2g} after 5" in text
    assert "err with a chance of 0.3. Whether more were trained was decided for a chance of 0.05." in text


def test_of_a_cancelled_experiment_no_more_seeds_are_trained(experiment: MakeResults) -> None:
    ended = {arm: [*values[:5], *["cancelled"] * 15] for arm, values in finals(a=0.9, b=0.9).items()}
    results = experiment(ended, seeds=EVEN)
    results = replace(results, looks=[take_look(results)])
    assert 'More seeds would have been trained next of "a" and "b".' in verdict_text(compare_arms(results))


def test_runs_that_were_trained_again_after_a_look_are_said_where_they_change_it(experiment: MakeResults) -> None:
    given: dict[str, list[Any]] = {"a": [0.9, 0.91, 0.92, 0.9, "failed"], "b": [0.8, 0.8, 0.81, 0.79, 0.8]}
    seeds = {"from": 5, "to": 10}
    before = experiment({arm: [*values, *["queued"] * 5] for arm, values in given.items()}, seeds=seeds)
    looks = [take_look(before)]
    assert [one["decision"] for one in looks[0]["pairs"]] == ["better"]
    given["a"][4] = 0.2
    after = experiment({arm: [*values, *["queued"] * 5] for arm, values in given.items()}, seeds=seeds)
    report = compare_arms(replace(after, looks=looks))
    assert report["comparisons"][0]["decision"] == "open"
    (why,) = (one["message"] for one in report["warnings"] if "a look found" in one["message"])
    assert 'After 5 seeds a look found "a" better than "b"' in why
    assert not [
        one for one in compare_arms(replace(before, looks=looks))["warnings"] if "a look found" in one["message"]
    ]
