"""What the picture of a range test draws."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.analysis import range_entries
from core.plots import plots
from core.results import Results
from tests.core.analysis.reading import not_none
from tests.core.plots.looking import assert_drawn

MakeResults = Callable[..., Results]
RAMP = np.geomspace(1e-5, 1.0, 101)


def losses(arm: int, seed: int) -> Any:
    fall = 2.3 - 2 / (1 + np.exp(-4 * np.log10(RAMP / 10.0 ** (arm - 4)))) + seed / 50
    return np.where(RAMP > 0.5, np.nan, fall)[: int((RAMP <= 0.5).sum()) + 1]


@pytest.fixture
def ranged(experiment: MakeResults) -> Results:
    return experiment(
        [{"label": "a"}, {"label": "b"}],
        {"train_loss": losses},
        kind="lr_range_test",
        lr_range={"low": 1e-5, "high": 1.0, "steps": 101, "smoothing": 0.0},
        epochs=10,
    )


def test_it_draws_the_mean_by_rate_with_the_seeds_range_and_the_marks(ranged: Results) -> None:
    data = json.loads(json.dumps(plots.parse("lr_range").build().data(ranged), allow_nan=False))
    (panel,) = data["panels"]
    line = panel["lines"][1]
    expected = np.stack([losses(1, 0), losses(1, 1)])[:, :-1]
    assert line["x"] == pytest.approx(RAMP[: expected.shape[1]].tolist())
    for key, values in (("y", expected.mean(0)), ("low", expected[0]), ("high", expected[1])):
        assert line[key] == pytest.approx(values.tolist())
    marked = {(mark["arm"], mark["kind"]): mark for mark in data["marks"]}
    for arm, entry in enumerate(not_none(range_entries(ranged))):
        for kind in ("suggested", "least", "diverged"):
            assert marked[arm, kind]["x"] == not_none(entry[kind])["lr"]
    assert marked[0, "suggested"]["x"] == pytest.approx(1e-4)
    assert [arm["note"] for arm in data["arms"]] == [
        "suggested 10⁻⁴, diverges from 0.5; N = 2",
        "suggested 0.001, diverges from 0.5; N = 2",
    ]
    assert panel["x"]["scale"] == "log"


def test_losses_beyond_the_picture_are_said(ranged: Results) -> None:
    data = plots.parse("lr_range").build().data(ranged)
    assert "Losses above" in data["caption"]
    assert "heuristic" in data["caption"]


def test_a_comparison_has_nothing_to_draw(experiment: MakeResults) -> None:
    data = plots.parse("lr_range").build().data(experiment([{"label": "a"}], {"train_loss": losses}))
    assert data["panels"] == []
    assert "no learning-rate range test" in data["empty"]


def test_it_is_drawn_from_json_alone(ranged: Results, experiment: MakeResults) -> None:
    plot = plots.parse("lr_range").build()
    for results in (ranged, experiment([{"label": "a"}], {"train_loss": losses})):
        data = json.loads(json.dumps(plot.data(results), allow_nan=False))
        assert_drawn(plot.draw(data))
