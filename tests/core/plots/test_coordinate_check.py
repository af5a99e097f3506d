"""What the picture of a coordinate check draws."""

import json
from typing import Any

import pytest

from core.plots import plots
from core.results import Results
from tests.core.plots.conftest import MakeResults
from tests.core.plots.kinds import KINDS


def drawn(results: Results) -> dict[str, Any]:
    plot = plots.parse("coordinate_check").build()
    found: dict[str, Any] = json.loads(json.dumps(plot.data(results), allow_nan=False))
    return found


def test_it_draws_sizes_by_width_a_line_an_update_and_a_row_an_arm(experiment: MakeResults) -> None:
    data = drawn(KINDS["coordinate check"](experiment))
    assert [row["label"] for row in data["rows"]] == ["a", "b"]
    assert [panel["title"] for panel in data["rows"][0]["panels"]] == ["fc1", "fc2", "fc3"]
    panel = data["rows"][1]["panels"][2]
    seeds = 1.1**0.5  # the geometric mean of 1 and 1.1
    for update, line in enumerate(panel["lines"]):
        assert (line["update"], line["n"], line["x"]) == (update, 2, [8, 16, 32])
        assert line["y"] == pytest.approx([(1 + update) * seeds * width**0.7 for width in (8, 16, 32)])
    assert panel["note"] == "0.70 (0.70 to 0.70)"
    low, high = data["y"]["limits"]
    assert low < seeds < 3 * seeds * 32**0.7 < high
    assert data["x"]["ticks"] == [8, 16, 32]


def test_of_many_arms_and_layers_some_are_drawn_and_that_is_said(experiment: MakeResults) -> None:
    data = drawn(KINDS["coordinate check of many arms and layers"](experiment))
    assert len(data["rows"]) == 4
    assert [panel["title"] for panel in data["rows"][0]["panels"]] == ["fc1", "fc3", "fc5", "fc6", "fc8", "fc10"]
    assert "Drawn are 6 of the layers" in data["caption"]
    assert "the first 4 of 6 arms" in data["caption"]
    assert data["x"]["ticks"] == []


def test_a_comparison_has_nothing_to_draw(experiment: MakeResults) -> None:
    data = drawn(experiment([{"label": "a"}], {}))
    assert data["rows"] == []
    assert "no coordinate check" in data["empty"]
