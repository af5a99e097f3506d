"""The places of arms as a picture."""

from typing import Any

import numpy as np
import pytest

from core.plots import plots
from core.results import Results
from tests.core.plots.conftest import MakeResults, arms


def data_of(results: Results) -> dict[str, Any]:
    data: dict[str, Any] = plots.parse("ranks").build().data(results)
    return data


def test_the_places_are_those_that_the_decisions_leave(experiment: MakeResults) -> None:
    """S2: a beats b, and the noisy one is open: it may have any place."""
    finals = [[0.9, 0.92, 0.91, 0.93, 0.89], [0.98, 0.86, 0.95, 0.80, 0.99], [0.88, 0.9005, 0.8905, 0.911, 0.8702]]
    results = experiment(arms("a", "noisy", "b"), {"valid_accuracy": lambda a, s: [finals[a][s]]}, seeds=5)

    data = data_of(results)

    assert {row["label"]: (row["low"], row["high"]) for row in data["rows"]} == {
        "a": (1, 2),
        "noisy": (1, 3),
        "b": (2, 3),
    }
    assert data["x"]["limits"] == (0.5, 3.5)
    assert "1 of 3 compared pairs have a winner" in data["caption"]
    [axes] = plots.parse("ranks").build().draw(data).axes
    bars = [np.asarray(line.get_xdata()).tolist() for line in axes.lines if line.get_linestyle() == "-"]
    assert [1, 3] in bars


def test_one_arm_has_no_place(experiment: MakeResults) -> None:
    data = data_of(experiment(arms("a"), {"valid_accuracy": lambda *_: [0.5]}))

    assert "no two arms" in data["empty"]


@pytest.mark.parametrize(
    ("arms_", "places"), [(2, [1, 2]), (9, [*range(1, 10)]), (40, [1, 5, 10, 15, 20, 25, 30, 35, 40])]
)
def test_the_best_place_stands_at_the_axis(experiment: MakeResults, arms_: int, places: list[int]) -> None:
    plot = plots.parse("ranks").build()
    data = plot.data(experiment(arms(*map(str, range(arms_))), {"valid_accuracy": lambda a, s: [a / 50 + s / 1000]}))
    [axes] = plot.draw(data).axes
    assert axes.xaxis.get_major_locator()().tolist() == places
