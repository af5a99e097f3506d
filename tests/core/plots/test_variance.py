"""Where the spread comes from, as a picture."""

from typing import Any

import pytest

from core.analysis import compare_arms
from core.plots import plots
from core.results import Results
from tests.core.plots.conftest import MakeResults
from tests.core.plots.kinds import KINDS


def data_of(results: Results) -> dict[str, Any]:
    data: dict[str, Any] = plots.parse("variance").build().data(results)
    return data


def test_it_draws_the_reports_shares(experiment: MakeResults) -> None:
    results = KINDS["sources of randomness apart"](experiment)
    data, found = data_of(results), compare_arms(results)["variance"]
    assert found is not None
    for row, arm in zip(data["rows"], found["arms"], strict=True):
        assert [one["value"] for one in row["sources"]] == [
            one["share"]["estimate"] for one in arm["sources"] if one["share"]
        ]
    assert [one["shown"] for one in data["sources"]] == ["initial weights", "split"]
    assert "in no number here: the data order, the dropout draws" in data["caption"]
    assert "more than 100 %" in data["caption"]
    [axes] = plots.parse("variance").build().draw(data).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["initial weights", "split"]
    points = [line for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert [line.get_xdata()[0] for line in points] == [one["value"] for row in data["rows"] for one in row["sources"]]
    assert data_of(results.of_arms(["b"]))["rows"] == data["rows"][1:]


def test_of_one_source_it_draws_its_spread(experiment: MakeResults) -> None:
    results = KINDS["one source of randomness"](experiment)
    data = data_of(results)
    arms = compare_arms(results)["arms"]
    assert [row["sources"][0]["value"] for row in data["rows"]] == pytest.approx([arm["sd"] for arm in arms])
    assert data["x"]["label"] == "standard deviation over seeds of validation accuracy"
    assert "100 %" not in data["caption"]


def test_without_sources_it_says_how_to_name_them(experiment: MakeResults) -> None:
    results = KINDS["two arms"](experiment)
    assert '"vary" in the spec' in data_of(results)["empty"]
    assert not plots.parse("variance").build().applies(results.design)
    assert "do not differ" in data_of(experiment(None, {}, vary=["init"], seeds=3))["empty"]
