"""The picture of mean ranks over data sets."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.plots import Plot, plots, suitable
from core.results import Results
from tests.core.plots.looking import assert_drawn, assert_texts_apart

MakeResults = Callable[..., Results]
EFFECTS = [0.0, 0.02, 0.2, 0.21, 0.4]


def over(make: MakeResults, sets: int, treatments: int = 5, **spec: Any) -> tuple[Results, Any]:
    """Results of a grid, sets by treatments, and the means of its cells."""
    rng = np.random.default_rng(5)
    effects = np.resize(EFFECTS, treatments)
    values = rng.normal(size=(sets, treatments, 3)) * 0.1 + effects[:, None]
    grid = {
        "dataset": [{"name": "two_spirals", "noise": round(0.01 * (1 + i), 2)} for i in range(sets)],
        "batch_size": [10 * (1 + i) for i in range(treatments)],
    }
    flat = values.reshape(-1, 3)
    return make(None, {"valid_accuracy": lambda a, s: [flat[a, s]]}, seeds=3, grid=grid, **spec), values.mean(axis=2)


@pytest.fixture
def plot() -> Plot:
    built: Plot = plots.parse("critical_difference").build()
    return built


def test_ranks_and_bars_are_those_of_scipy(experiment: MakeResults, plot: Plot) -> None:
    results, means = over(experiment, 12)
    found = plot.data(results)
    ranks = stats.rankdata(-means, axis=1).mean(axis=0)
    drawn = {one["label"]: one["rank"] for one in found["ranks"]}
    assert drawn == pytest.approx({f"batch_size={10 * (1 + i)}": rank for i, rank in enumerate(ranks)})
    assert [one["rank"] for one in found["ranks"]] == sorted(ranks)
    critical = stats.studentized_range.ppf(0.95, 5, np.inf) / np.sqrt(2) * np.sqrt(5 * 6 / (6 * 12))
    assert found["critical_difference"] == pytest.approx(critical, rel=1e-6)
    assert found["bars"]
    for low, high in found["bars"]:
        assert high - low < critical
    assert f"p {'< 0.001'}" in found["caption"]
    assert "critical_difference" in suitable(results.design)


@pytest.mark.parametrize("treatments", [2, 5, 25])
def test_it_is_drawn_with_few_and_many_arms(experiment: MakeResults, plot: Plot, treatments: int) -> None:
    results, _ = over(experiment, 10, treatments)
    figure = plot.draw(plot.data(results))
    assert_drawn(figure)
    assert_texts_apart(figure)


def test_with_a_baseline_there_are_no_bars(experiment: MakeResults, plot: Plot) -> None:
    label = "dataset=two_spirals(noise=0.01), batch_size=10"
    found = plot.data(over(experiment, 10, 3, baseline=label)[0])
    assert (found["baseline"], found["bars"]) == ("batch_size=10", [])
    expected = stats.norm.isf(0.05 / 2 / 2) * np.sqrt(3 * 4 / 60)
    assert found["critical_difference"] == pytest.approx(expected, rel=1e-9)


def test_below_ten_sets_it_says_why_it_is_empty(experiment: MakeResults, plot: Plot) -> None:
    results, _ = over(experiment, 9, 2)
    assert "here are 9" in plot.data(results)["empty"]
    assert "critical_difference" not in suitable(results.design)
