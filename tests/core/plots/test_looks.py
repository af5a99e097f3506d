"""How a decision came, against the looks that were taken."""

from dataclasses import replace
from typing import Any

import pytest

from core.plots import plots, suitable
from core.results import Results
from tests.core.plots.conftest import MakeResults
from tests.core.plots.kinds import looked_at
from tests.core.plots.looking import assert_texts_apart, written


def data_of(results: Results) -> dict[str, Any]:
    data: dict[str, Any] = plots.parse("looks").build().data(results)
    return data


def test_each_pair_has_its_difference_until_it_was_decided(experiment: MakeResults) -> None:
    results = looked_at(experiment)
    data = data_of(results)
    assert [panel["title"] for panel in data["panels"]] == ["a less b", "a less c", "b less c"]
    assert [panel["note"].split(" (")[0] for panel in data["panels"]] == [
        "better, decided after 4 seeds",
        "open after 12 seeds",
        "worse, decided after 4 seeds",
    ]
    [course] = [line for line in data["panels"][1]["lines"] if line["role"] == "mean"]
    pairs = [one for look in results.looks for one in look["pairs"] if (one["a"], one["b"]) == ("a", "c")]
    assert course["x"] == [4, 8, 12]
    for key, name in (("y", "difference"), ("low", "ci_low"), ("high", "ci_high")):
        assert course[key] == pytest.approx([100 * one[name] for one in pairs])


def test_a_margin_is_a_line_on_both_sides(experiment: MakeResults) -> None:
    results = looked_at(experiment)
    data = data_of(replace(results, design=replace(results.design, margin=0.02)))
    assert [line["y"] for line in data["panels"][0]["lines"] if line["role"] == "margin"] == [[2, 2], [-2, -2]]
    assert [one["role"] for one in data["key"]] == ["mean", "zero", "margin"]


def test_it_is_for_adaptive_seeds_and_says_where_no_look_was_taken(experiment: MakeResults) -> None:
    results = looked_at(experiment)
    assert "looks" in suitable(results.design)
    assert "looks" not in suitable(replace(results.design, looks=()))
    assert data_of(replace(results, looks=()))["empty"] == "The first look is taken after 4 seeds."


def test_differences_that_lie_far_apart_are_named_once_beside_all_rows(experiment: MakeResults) -> None:
    data = data_of(looked_at(experiment, [0.9, 0.3, 0.901, 0.9004]))
    figure = plots.parse("looks").build().draw(data)
    label = data["panels"][0]["y"]["label"]
    assert len(data["panels"]) == 6
    assert [text.get_text() for text in written(figure)].count(label) == 1
    assert_texts_apart(figure)
