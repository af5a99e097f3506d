"""What the picture of a batch-size scan draws."""

import json
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest

from core.analysis import scan_entries
from core.plots import plots
from core.results import Results
from tests.core.analysis.reading import not_none
from tests.core.analysis.report.test_batch_size import EPOCHS, scanned
from tests.core.plots.looking import assert_drawn

MakeResults = Callable[..., Results]


def noise(_: int, seed: int) -> tuple[Any, Any]:
    return np.full(EPOCHS, 2.0 + seed / 10), np.full(EPOCHS, 80.0)


def data_of(results: Results) -> dict[str, Any]:
    plot = plots.parse("batch_size").build()
    data: dict[str, Any] = json.loads(json.dumps(plot.data(results), allow_nan=False))
    assert_drawn(plot.draw(data))
    return data


def test_it_draws_what_the_report_says() -> None:
    results = scanned(noise=noise)
    data = data_of(results)
    entries = not_none(scan_entries(results))
    outcomes: tuple[Literal["steps", "samples"], ...] = ("steps", "samples")
    for panel, of in zip(data["panels"], outcomes, strict=True):
        (line,) = panel["lines"]
        sizes = entries[0]["sizes"]
        assert line["x"] == [16, 64]
        assert line["y"] == [not_none(size[of])["mean"] for size in sizes]
        assert line["low"] == [not_none(size[of])["ci_low"] for size in sizes]
        assert (line["n"], line["whole"]) == ([3, 2], [True, False])
        assert (panel["x"]["scale"], panel["y"]["scale"]) == ("log", "log")
    assert data["panels"][0]["perfect"] == [{"arm": 0, "x": [16, 64], "y": pytest.approx([270, 67.5])}]
    scale = not_none(entries[0]["noise_scale"])
    assert data["noise"] == [{"arm": 0, **scale}]
    assert data["arms"][0]["note"] == "noise scale 38 (34 to 43), N = 3"


def test_the_axis_of_sizes_holds_the_noise_scale() -> None:
    data = data_of(scanned(noise=lambda *_: (np.full(EPOCHS, 0.01), np.full(EPOCHS, 80.0))))
    low, high = data["panels"][0]["x"]["limits"]
    assert low < 16 < 8000 < high


def test_a_bar_that_goes_on_below_zero_is_said_to() -> None:
    results = scanned({16: [1, 1, 8], 64: [1, 1, 1]})
    entries = not_none(scan_entries(results))
    assert not_none(not_none(entries[0]["sizes"][0]["steps"])["ci_low"]) < 0
    assert "goes on below 0" in data_of(results)["caption"]
    assert "goes on below 0" not in data_of(scanned({16: [1, 1, 1], 64: [1, 1, 1]}))["caption"]


@pytest.mark.parametrize(
    ("results", "words"),
    [
        (lambda: scanned({16: [1, 1, 1], 64: [None] * 3}), "1 of 2 sizes have no run that reached it"),
        (lambda: scanned({16: [None] * 3, 64: [None] * 3}, noise), "2 of 2 sizes"),
        (lambda: scanned(noise=noise, arms=[{"label": "x" * 100}]), "Dashed: gradient noise scale"),
        (lambda: scanned(arms=[{"label": str(i)} for i in range(12)]), "Drawn are the first 8 of 12 arms"),
    ],
    ids=["a size not reached", "nothing reached", "a long label", "many arms"],
)
def test_it_says_what_is_not_there(results: Callable[[], Results], words: str) -> None:
    assert words in data_of(results())["caption"]


def test_a_comparison_has_nothing_to_draw(experiment: MakeResults) -> None:
    data = data_of(experiment([{"label": "a"}], {"train_loss": lambda *_: [1.0]}))
    assert data["panels"] == []
    assert "no batch-size scan" in data["empty"]
