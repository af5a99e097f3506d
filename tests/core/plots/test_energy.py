"""What the picture of energy draws, and that it says where the numbers come from."""

from dataclasses import replace
from typing import Any

import pytest
from scipy import stats

from core.plots import plots
from core.results import Results
from tests.core.plots.conftest import MakeResults, arms
from tests.core.plots.looking import assert_drawn, assert_texts_apart, written


def costing(results: Results, source: Any = "estimated") -> Results:
    """Ten mWh for the first run, eleven for the second, and so on."""
    runs = [
        replace(run, energy_kwh=(10 + i) * 1e-6, co2e_g=0.1, energy_source=source) for i, run in enumerate(results.runs)
    ]
    return replace(results, runs=runs)


def test_each_arm_is_a_point_of_means_with_intervals(experiment: MakeResults) -> None:
    reached = [[0.8, 0.9, 0.85], [0.5, 0.55, 0.6]]
    results = costing(experiment(arms("a", "b"), {"valid_accuracy": lambda a, s: [0.1, reached[a][s]]}, seeds=3))
    plot = plots.parse("energy").build()
    data = plot.data(results)
    first, second = data["points"]
    low, high = stats.t.interval(0.95, 2, loc=11, scale=stats.sem([10, 11, 12]))
    assert data["unit"] == "mWh"
    assert (first["x"], first["x_low"], first["x_high"]) == (
        pytest.approx(11), pytest.approx(low), pytest.approx(high),
    )  # fmt: skip
    assert (first["y"], second["y"], second["x"]) == (pytest.approx(0.85), pytest.approx(0.55), pytest.approx(14))
    assert "Runs that train together share their energy equally" in data["caption"]
    assert "Energy is an estimate: 12 W for each busy core" in data["caption"]
    assert "measured by the processors' counters" in plot.data(costing(results, "measured"))["caption"]
    assert_drawn(plot.draw(data))


def test_a_small_difference_looks_small(experiment: MakeResults) -> None:
    results = experiment(arms("a", "b"), {"valid_accuracy": lambda *_: [0.9]})
    runs = [replace(run, energy_kwh=1e-5 * (1 + run.id / 1e5), energy_source="measured") for run in results.runs]
    x, y = (plots.parse("energy").build().data(replace(results, runs=runs))[axis]["limits"] for axis in "xy")
    assert x[1] - x[0] > 5
    assert y[1] - y[0] > 0.05


def test_without_energy_it_says_that_nobody_has_looked(experiment: MakeResults) -> None:
    results = experiment(arms("a"), {"valid_accuracy": lambda *_: [0.5]})
    data = plots.parse("energy").build().data(results)
    assert (data["points"], data["source"]) == ([], None)
    assert "Nobody has looked" in data["caption"]
    assert "no energy known" in [text.get_text() for text in written(plots.parse("energy").build().draw(data))]


@pytest.mark.parametrize("under_way", [False, True])
def test_runs_without_final_values_have_their_energy_all_the_same(experiment: MakeResults, under_way: bool) -> None:
    settings: dict[str, Any] = {"kind": "lr_range_test", "lr_range": {"steps": 100}, "epochs": 10, "seeds": 3}
    reached: Any = {"train_loss": lambda *_: [1.0] * 30} | ({} if under_way else {"valid_accuracy": lambda *_: [0.5]})
    results = costing(
        experiment(arms("a", "b"), reached, statuses={(1, 2): "running"}, **({"seeds": 3} if under_way else settings))
    )
    plot = plots.parse("energy").build()
    data = plot.data(results)
    assert [(point["x"], point["y"], point["n"]) for point in data["points"]] == [
        (pytest.approx(11), None, 3), (pytest.approx(14), None, 3),
    ]  # fmt: skip
    assert data["title"].startswith("Energy: ")
    assert "95 % intervals" in data["caption"]
    figure = plot.draw(data)
    assert {"a (N = 3)", "b (N = 3)"} <= {text.get_text() for text in written(figure)}
    assert_drawn(figure)
    assert_texts_apart(figure)
