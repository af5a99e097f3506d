"""How soon the arms get there, against numbers worked out by hand and by scipy."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.plots import plots
from core.results import Results
from tests.core.plots.conftest import MakeResults, arms


def data_of(results: Results) -> dict[str, Any]:
    plot = plots.parse("convergence").build()
    data: dict[str, Any] = plot.data(results)
    plot.draw(data)
    return data


def test_the_best_so_far_never_falls_and_stands_at_each_epoch_s_end(experiment: MakeResults) -> None:
    results = experiment(
        arms("a"),
        {"valid_accuracy": lambda _a, s: [[0.2, 0.1, 0.4], [0.3, 0.5, 0.4]][s], "lr": lambda *_: np.ones(15)},
        epochs=3,
        steps_per_epoch=5,
    )

    [line] = data_of(results)["panels"][0]["lines"]

    assert line["y"] == pytest.approx([0.25, 0.35, 0.45])
    assert line["x"] == [4, 9, 14]


def test_of_a_loss_the_best_is_the_lowest(experiment: MakeResults) -> None:
    results = experiment(arms("a"), {"valid_loss": lambda *_: [3.0, 5.0, 2.0]}, task="regression", seeds=1)

    assert data_of(results)["panels"][0]["lines"][0]["y"] == [3.0, 3.0, 2.0]


def test_a_run_that_stopped_early_keeps_its_best(experiment: MakeResults) -> None:
    results = experiment(
        arms("a"),
        {"valid_accuracy": lambda _a, s: [0.2, 0.6, 0.8][: 3 - s]},
        outcomes={(0, 1): "stopped_early"},
        epochs=3,
    )

    assert data_of(results)["panels"][0]["lines"][0]["y"] == pytest.approx([0.2, 0.6, 0.7])


def test_one_that_still_runs_does_not(experiment: MakeResults) -> None:
    results = experiment(
        arms("a"),
        {"valid_accuracy": lambda _a, s: [0.2, 0.6, 0.8][: 3 - s]},
        statuses={(0, 0): "running", (0, 1): "running"},
        epochs=3,
    )

    assert data_of(results)["panels"][0]["lines"][0]["y"] == pytest.approx([0.2, 0.6])


def test_beside_it_stand_the_epochs_to_converge_with_their_interval(experiment: MakeResults) -> None:
    curves = [[0.1] * there + [0.9] * (12 - there) for there in (1, 2, 3)]
    results = experiment(arms("a", "b"), {"valid_accuracy": lambda _a, s: curves[s]}, epochs=12, seeds=3)

    data = data_of(results)

    row = data["beside"]["rows"][0]
    low, high = stats.t.interval(0.95, 2, loc=3, scale=stats.sem([2, 3, 4]))
    assert (row["values"], row["mean"], row["n"]) == ([2.0, 3.0, 4.0], 3.0, 3)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))
    assert data["beside"]["x"]["label"] == "epochs"


def test_with_a_target_it_is_the_updates_to_it_and_who_never_came_is_counted(experiment: MakeResults) -> None:
    curves = [[0.1, 0.9], [0.9, 0.9], [0.1, 0.2]]
    results = experiment(
        arms("a"),
        {"valid_accuracy": lambda _a, s: curves[s], "lr": lambda *_: np.ones(10)},
        seeds=3,
        steps_per_epoch=5,
        target={"metric": "valid_accuracy", "value": 0.8},
    )

    data = data_of(results)

    [row] = data["beside"]["rows"]
    assert (row["values"], row["mean"], row["note"]) == ([10.0, 5.0, None], 7.5, "2 of 3")
    assert "updates until validation accuracy reached 80 %" in data["caption"]
