"""The picture of layers, against numbers worked out by hand."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.plots import plots
from core.plots.previews import draw_signal
from core.results import Results
from tests.core.plots.kinds import TWO_ARMS, diagnosed
from tests.core.plots.looking import assert_drawn

MakeResults = Callable[..., Results]


def data_of(results: Results) -> dict[str, Any]:
    data: dict[str, Any] = plots.parse("layers").build().data(results)
    assert_drawn(plots.parse("layers").build().draw(json.loads(json.dumps(data, allow_nan=False))))
    return data


def test_a_line_is_the_geometric_mean_at_the_start_and_a_dashed_one_at_the_last_look(experiment: MakeResults) -> None:
    data = data_of(diagnosed(experiment, lambda a, s, layer: (a + 1) * 10.0**-layer * 2.0**s * np.array([1, 5, 3])))
    for panel, scale in zip(data["panels"], (1, 10), strict=True):
        start, last = (line for line in panel["lines"] if line["arm"] == 1)
        assert (start["role"], last["role"], start["n"], start["x"]) == ("main", "second", 3, [1, 2, 3])
        expected = [scale * 2 * 2 * 10.0**-layer for layer in range(3)]  # seeds give 1, 2 and 4 times as much
        assert start["y"] == pytest.approx(expected)
        assert start["low"] == pytest.approx([value / 2 for value in expected])
        assert start["high"] == pytest.approx([value * 2 for value in expected])
        assert last["y"] == pytest.approx([3 * value for value in expected])
        assert panel["y"]["scale"] == "log"
    assert "dashed: update 10." in data["caption"]
    assert "Layers: 1 fc1, 2 fc2, 3 fc3." in data["caption"]


def test_of_many_arms_the_last_look_has_panels_of_its_own(experiment: MakeResults) -> None:
    """Of some the line at update 0 is dashed itself."""
    labels = [f"arm {i}" for i in range(9)]
    grows = lambda a, _s, layer: (a + 1) * 10.0**-layer * np.array([1, 5, 3])  # noqa: E731
    data = data_of(diagnosed(experiment, grows, labels=labels))
    assert [panel["title"] for panel in data["panels"]] == [
        "activations, update 0", "gradients of the weights, update 0",
        "activations, the last look", "gradients of the weights, the last look",
    ]  # fmt: skip
    for panel, scale in zip(data["panels"], (1, 10, 3, 30), strict=True):
        assert {line["role"] for line in panel["lines"]} == {"main"}
        assert [line["y"][0] for line in panel["lines"]] == pytest.approx([scale * (i + 1) for i in range(9)])
    assert [data["panels"][i]["y"] for i in (0, 1)] == [data["panels"][i]["y"] for i in (2, 3)]
    assert "Above: update 0; below: update 10." in data["caption"]


def test_many_arms_that_were_looked_at_once_have_no_empty_panels(experiment: MakeResults) -> None:
    labels = [f"arm {i}" for i in range(9)]
    data = data_of(diagnosed(experiment, lambda *_: [1.0], looks=1, labels=labels))
    assert [len(panel["lines"]) for panel in data["panels"]] == [9, 9]
    assert "Solid: update 0." in data["caption"]


def test_zeros_are_drawn_and_what_is_not_finite_is_left_out(experiment: MakeResults) -> None:
    def values(a: int, s: int, layer: int) -> Any:
        return [0.0 if a == 0 else 1.0, 1.0, math.inf if (a, s, layer) == (1, 0, 2) else 1.0]

    panel, _ = data_of(diagnosed(experiment, values))["panels"]
    assert panel["y"]["scale"] == "symlog"
    assert panel["lines"][0]["y"] == [0.0] * 3
    assert panel["lines"][3]["y"] == [1.0] * 3


def test_failed_runs_are_in_no_mean_and_one_look_is_one_line(experiment: MakeResults) -> None:
    found = diagnosed(experiment, lambda _a, s, _layer: [10.0**s], looks=1, statuses={(0, 2): "failed"})
    data = data_of(found)
    assert [(line["arm"], line["n"]) for line in data["panels"][0]["lines"]] == [(0, 2), (1, 3)]
    assert data["panels"][0]["lines"][0]["y"] == pytest.approx([math.sqrt(10)] * 3)
    assert "dashed" not in data["caption"]


def test_without_diagnostics_it_says_how_to_get_them(experiment: MakeResults) -> None:
    data = data_of(experiment(TWO_ARMS, {"train_loss": lambda *_: [1.0]}))
    assert [panel["lines"] for panel in data["panels"]] == [[], []]
    assert '"diagnostics": {"every": 50}' in data["caption"]
    assert "asked for" in data["empty"]


def test_a_signal_of_nothing_can_be_drawn() -> None:
    none = {"mean": None, "low": None, "high": None, "theory": None}
    layers = [{"name": "fc1", "forward": none, "backward": none}]
    about = {"model": {"name": "mlp"}, "seeds": 1, "batch": 4, "data": "digits"}
    given = about | {"initializers": [{"label": "a", "layers": layers}]}
    assert_drawn(draw_signal(given))
