"""What a report says of sources of randomness, by hand."""

import statistics
from typing import Any

import pytest

from core.analysis import build_report, html, markdown
from core.analysis.shapes import Variance
from core.design import Source
from core.results import Results
from tests.core.analysis.conftest import Finals, MakeResults, run_of

FIRST: Finals = {"a": [0.5, 0.7, 0.9, 0.6], "b": [0.2, "diverged", 0.4, 0.3]}
INIT: Finals = {"a": [0.5, 0.72, 0.88, 0.6], "b": ["diverged", 0.3, 0.4, 0.3]}
ORDER: Finals = {"a": [0.7, 0.5, 0.6, 0.9], "b": [0.2, 0.2, 0.4, 0.3]}


def apart(first: Results, **found: Finals) -> Results:
    def runs(finals: Finals) -> list[Any]:
        places = [(label, seed, value) for label, values in finals.items() for seed, value in enumerate(values)]
        return [run_of(100 + i, label, seed, value, "valid_accuracy") for i, (label, seed, value) in enumerate(places)]

    trainings: dict[Any, Any] = {source: (runs(finals), lambda _metric: []) for source, finals in found.items()}
    return first.with_second(trainings)


def of(results: Results) -> Variance:
    found = build_report(results)["variance"]
    assert found is not None
    return found


@pytest.fixture
def results(experiment: MakeResults) -> Results:
    return apart(experiment(FIRST, vary=["init", "order"]), init=INIT, order=ORDER)


def test_each_source_has_the_pairs_that_differ_by_it(results: Results) -> None:
    found = of(results)
    assert (found["varied"], found["fixed"]) == (["init", "order"], ["split", "dropout"])
    a, b = found["arms"]
    init, order = a["sources"]
    assert [(one["source"], one["n"], one["unlike"]) for one in (init, order)] == [("init", 4, 0), ("order", 4, 0)]
    assert init["sd"] == pytest.approx((2 * 0.02**2 / 8) ** 0.5)
    assert order["sd"] == pytest.approx(((2 * 0.2**2 + 2 * 0.3**2) / 8) ** 0.5)
    assert init["share"] is not None
    assert init["share"]["estimate"] < 0.01 < init["share"]["ci_high"] < 0.2
    assert order["share"] is not None
    assert order["share"]["estimate"] > 1 == order["share"]["ci_high"], "told as it is found"
    assert [(one["n"], one["unlike"]) for one in b["sources"]] == [(2, 2), (3, 1)]
    assert b["sources"][1]["share"] == {"estimate": 0.0, "ci_low": 0.0, "ci_high": 0.0}
    assert a["interplay"] is not None
    assert a["interplay"]["estimate"] == pytest.approx((0.02 * -0.2 + 0.02 * 0.3) / 4 / _mean_variance("a"))
    assert b["interplay"] is None


def _mean_variance(label: str) -> float:
    every = [[float(str(value)) for value in finals[label]] for finals in (FIRST, INIT, ORDER)]
    return statistics.mean(statistics.variance(one) for one in every)


def test_second_trainings_count_nowhere_else(experiment: MakeResults, results: Results) -> None:
    once, several = build_report(experiment(FIRST, vary=["init"])), build_report(results)
    differs = {"variance": None, "verdict": None}
    assert several | differs == once | differs
    assert build_report(experiment(FIRST))["variance"] is None


def test_words_say_whose_the_spread_is_and_what_is_held(results: Results) -> None:
    text = of(results)["text"]
    assert text.startswith(
        'Of the spread of "a" (variance, sd 17.08 percentage points, N = 4) 137 % is the data order ('
    )
    assert "0 % the initial weights" in text
    assert "One share beyond 100 % is chance." in text
    assert (
        "Not in these numbers is what the split and the dropout draws would add: every run has that of seed 0." in text
    )
    verdict = build_report(results)["verdict"]["text"]
    assert verdict is not None
    assert verdict.endswith(
        "Every run has the split and the dropout draws of seed 0: of others the verdict says nothing."
    )
    report = build_report(results)
    for page in (markdown(report, results), html(report, results, {})):
        assert "Where the spread comes from" in page
        assert "dropout draws would add" in page


def test_of_one_source_the_spread_over_seeds_is_its_own(experiment: MakeResults) -> None:
    found = of(experiment(FIRST, vary=["init"], seeds=[3, 4, 5, 6]))
    [one] = found["arms"][0]["sources"]
    assert (one["source"], one["n"], one["share"]) == ("init", 4, None)
    assert one["sd"] == found["arms"][0]["sd"] == pytest.approx(0.17078, abs=1e-5)
    assert 'Seeds differ by the initial weights alone. Spread that it makes: "a" sd 17.08' in found["text"]
    assert "of seed 3" in found["text"]


def test_many_arms_are_told_on_average(experiment: MakeResults) -> None:
    labels = "abcd"
    first: Finals = {label: [0.5, 0.7, 0.9] for label in labels}
    again: Finals = {label: [0.6, 0.6, 0.8] for label in labels}
    sources: tuple[Source, ...] = ("init", "split")
    results = apart(experiment(first, vary=[*sources]), init=again, split=first)
    text = of(results)["text"]
    assert "on average 19 % the initial weights, 0 % the split; N = 4 arms" in text


@pytest.mark.parametrize("value", ["failed", "running"])
def test_without_runs_nothing_is_claimed(experiment: MakeResults, value: str) -> None:
    found = of(
        apart(
            experiment({"a": [value, 0.5]}, vary=["init", "order"]), init={"a": [0.5, value]}, order={"a": [0.5, 0.5]}
        )
    )
    assert "nothing is known of its spread" in found["text"]
