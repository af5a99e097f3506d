"""What a report says of second trainings, by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from core.analysis import build_report, html, markdown
from core.results import Outcome, Results, RunResult
from tests.core.analysis.conftest import Finals, MakeResults, run_of

FIRST: Finals = {"a": [0.5, 0.7, 0.9], "b": [0.2, "diverged", 0.4], "c": [0.1, "failed", "running"]}
SECOND: Finals = {"a": [0.5, 0.71, 0.86], "b": ["diverged", 0.3, 0.4], "c": [0.1, 0.1, 0.1]}


def repeated(first: Results, finals: Finals) -> Results:
    places = [(label, seed, value) for label, values in finals.items() for seed, value in enumerate(values)]
    runs = [run_of(100 + i, label, seed, value, "valid_accuracy") for i, (label, seed, value) in enumerate(places)]
    return first.with_second({"rounding": (runs, lambda _metric: [])})


@pytest.fixture
def results(experiment: MakeResults) -> Results:
    return repeated(experiment(FIRST, repeat={"rounding": True}), SECOND)


def test_differences_are_those_of_pairs_that_both_came_to_a_value(results: Results) -> None:
    found = build_report(results)["rounding"]
    assert found is not None
    a, b, c = found["arms"]
    assert a == {"label": "a", "n": 3, "mean": pytest.approx(0.05 / 3), "largest": pytest.approx(0.04),
                 "sd": pytest.approx(0.2), "sd_rounding": pytest.approx(((0.01**2 + 0.04**2) / 6) ** 0.5),
                 "unlike": 0}  # fmt: skip
    assert b == {"label": "b", "n": 1, "mean": 0.0, "largest": 0.0, "sd": pytest.approx(0.1 * 2**0.5),
                 "sd_rounding": 0.0, "unlike": 2}  # fmt: skip
    assert c == {"label": "c", "n": 1, "mean": 0.0, "largest": 0.0, "sd": None, "sd_rounding": 0.0, "unlike": 0}
    assert found["variance_share"] == pytest.approx(0.0017 / 6 / (0.04 + 0.02))
    assert found["text"] == (
        "Rounding alone moves the validation accuracy of a run: trained a second time with every batch turned round, "
        'it differs by 1.00 percentage points on average (N = 5 pairs) and by 4.00 percentage points at most, of "a", '
        "whose seeds have an sd of 20.00 percentage points. That is less than 1 % of the variance over seeds, and in "
        "every interval already. In 2 pairs one of the two alone came to a value."
    )


def test_second_trainings_count_nowhere_else(experiment: MakeResults, results: Results) -> None:
    once, twice = build_report(experiment(FIRST)), build_report(results)
    assert once["rounding"] is None
    assert twice | {"rounding": None} == once


@pytest.mark.parametrize(
    ("second", "text"),
    [
        ({"a": [0.5, 0.7]}, "Rounding moved no validation accuracy: trained a second time with every batch turned "
         "round, all pairs (N = 2) came to the same."),
        ({"a": ["running", "queued"]}, "No run has come to its validation accuracy twice: what rounding does to it is "
         "not known."),
        ({"a": [0.5, "diverged"]}, "Rounding moved no validation accuracy: trained a second time with every batch "
         "turned round, all pairs (N = 1) came to the same. In 1 pair one of the two alone came to a value."),
    ],
)  # fmt: skip
def test_its_words(experiment: MakeResults, second: dict[str, Sequence[Any]], text: str) -> None:
    found = build_report(repeated(experiment({"a": [0.5, 0.7]}), second))["rounding"]
    assert found is not None
    assert found["text"] == text


def test_time_is_not_moved_by_rounding(results: Results) -> None:
    assert build_report(results, "seconds")["rounding"] is None


def test_pages_have_it(results: Results, experiment: MakeResults) -> None:
    report = build_report(results)
    page = markdown(report, results)
    assert "## What rounding does" in page
    row = "| a | 3 | " + " | ".join(f"{one} percentage points" for one in ("1.67", "4.00", "1.68", "20.00")) + " | 0 |"
    assert row in page
    assert "every run, its batches turned round" in page
    assert "What rounding does" in html(report, results, {})
    once = experiment(FIRST)
    assert "ounding" not in markdown(build_report(once), once)


def test_what_was_saved_and_what_it_took_is_of_both(experiment: MakeResults) -> None:
    def run(i: int, outcome: Outcome) -> RunResult:
        return RunResult(i, "a", i % 2, "succeeded", outcome, {"valid_accuracy": 0.5}, steps_done=6, steps_total=10,
                         energy_kwh=1.0, co2e_g=2.0, energy_source="measured")  # fmt: skip

    first = experiment({"a": [0.5, 0.5]})
    first = Results(design=first.design, runs=[run(0, "stopped_early"), run(1, "completed")], series=first.series)
    report = build_report(
        first.with_second({"rounding": ([run(2, "completed"), run(3, "stopped_early")], first.series)})
    )
    assert report["saved"]["updates"] == 8
    assert report["saved"]["of"] == 40
    assert report["energy"] is not None
    assert (report["energy"]["kwh"], report["energy"]["runs"], report["energy"]["arms"][0]["n"]) == (4.0, 4, 4)


def test_rounding_s_share_of_the_variance_is_what_the_runs_were_made_with(experiment: MakeResults) -> None:
    """Half of the variance is the seed's, half is rounding's: 50 % of 400 seeds, whose standard error is 3 %."""
    rng, n = np.random.default_rng(15), 400
    of_seed, one, two = rng.normal(0, 0.01, (3, n))
    first = experiment({"a": (0.5 + of_seed + one).tolist()})
    found = build_report(repeated(first, {"a": (0.5 + of_seed + two).tolist()}))["rounding"]
    assert found is not None
    assert found["variance_share"] == pytest.approx(0.5, abs=0.1)
    assert found["arms"][0]["sd_rounding"] == pytest.approx(0.01, rel=0.12)
    assert "% of the variance over seeds, and in every interval already." in found["text"]
