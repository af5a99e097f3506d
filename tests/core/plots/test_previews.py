"""Pictures of optimizers, layers and data sets: of every kind of answer, with texts apart, and what they show."""

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from api.previews import PREVIEWS
from core.datasets import DatasetPaths
from core.plots import Look, pictures
from core.plots.drawing.styles import COLOURS
from tests.core.plots.looking import assert_drawn, assert_texts_apart, written

CONV = {"conv2d": {"filters": 12, "kernel_size": 3}}
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "one way": ("optimizer", {"optimizer": "sgd"}),
    "many ways": ("optimizer", {"optimizer": "sgd", "compare": ["adam", "lion", "muon", "schedule_free_adamw"] * 2}),
    "overflow": ("optimizer", {"optimizer": {"name": "sgd", "lr": 1e4}, "compare": ["adam"], "steps": 200}),
    "one that overflows": ("optimizer", {"optimizer": {"name": "sgd", "lr": 1e4}}),
    "one update": ("optimizer", {"optimizer": "adam", "steps": 1}),
    "at once there": ("optimizer", {"optimizer": {"name": "sgd", "lr": 0.5}, "curvature": [2, 2], "steps": 5}),
    "along an axis": ("optimizer", {"optimizer": "adam", "start": [0, 1], "minimum": [1, 1]}),
    "turned and noisy": ("optimizer", {"optimizer": "adam", "angle": 45, "noise": 2, "start": [-1e6, 3]}),
    "tiny": ("optimizer", {"optimizer": "sgd", "start": [0, 1e-12], "minimum": [0, 0]}),
    "a curve": ("layer", {"layer": "gelu"}),
    "many curves": ("layer", {"layer": "gelu", "compare": ["relu", "ReLU", "silu", "tanh", "mish"]}),
    "a flat curve": ("layer", {"layer": {"rescaling": {"scale": 0.0, "offset": 2.0}}}),
    "a huge curve": ("layer", {"layer": {"rescaling": {"scale": 1e9}}}),
    "one channel": ("layer", {"layer": "maxpool"}),
    "many channels": ("layer", {"layer": CONV, "batch": 9}),
    "a large picture": ("layer", {"layer": {"zero_padding": 9}, "inputs": [3, 40, 60]}),
    "a wide picture": ("layer", {"layer": {"maxpool": 1}, "inputs": [1, 2, 200]}),
    "rows": ("layer", {"layer": {"dense": 300}, "inputs": [1000]}),
    "one number": ("layer", {"layer": {"dense": 1}, "inputs": [1], "batch": 1}),
    "of both kinds": ("layer", {"layer": "relu", "compare": ["flatten", CONV, "dropout"]}),
    "pictures": ("dataset", {"dataset": "digits"}),
    "points of two classes": ("dataset", {"dataset": {"name": "two_spirals", "test_fraction": 0.2}}),
    "few points": ("dataset", {"dataset": {"name": "two_spirals", "examples": 4}}),
    "components": ("dataset", {"dataset": "breast_cancer"}),
    "a target": ("dataset", {"dataset": "diabetes"}),
    "several targets": ("dataset", {"dataset": {"name": "teacher_student", "outputs": 9, "examples": 300}}),
    "many classes": ("dataset", {"dataset": {"name": "teacher_student", "task": "multiclass", "outputs": 60}}),
    "one input": ("dataset", {"dataset": {"name": "teacher_student", "inputs": 1}}),
}


def answer(name: str) -> tuple[str, dict[str, Any]]:
    kind, body = ASKED[name]
    preview = PREVIEWS[kind]
    return kind, preview.answer(preview.body.model_validate(body), DatasetPaths(), 10.0)


@pytest.mark.parametrize("name", ASKED)
def test_every_answer_has_a_picture_whose_texts_lie_apart(name: str) -> None:
    kind, data = answer(name)
    figure = PREVIEWS[kind].draw(data)
    assert_drawn(figure)
    assert_texts_apart(figure)


@pytest.mark.parametrize("name", ["many ways", "many curves", "many channels", "pictures", "a target"])
def test_in_the_dark_no_ink_is_dark(name: str) -> None:
    kind, data = answer(name)
    light, dark = (pictures(PREVIEWS[kind].draw, data, look=Look(theme))["svg"].decode() for theme in ("light", "dark"))
    assert "#222222" in light
    assert "#222222" not in dark


def test_numbers_that_are_not_finite_leave_holes() -> None:
    kind, data = answer("rows")
    data["after"] = [[None] * 300] * 4
    figure = PREVIEWS[kind].draw(data)
    assert_drawn(figure)
    assert "no finite number" in {text.get_text() for text in written(figure)}


def test_a_way_is_drawn_from_the_start_along_its_weights() -> None:
    kind, data = answer("one way")
    weights, loss = PREVIEWS[kind].draw(data).axes[:2]
    drawn = [np.column_stack(line.get_data()) for line in weights.lines]
    way = np.column_stack([data["x"], data["y"]])
    assert any(np.array_equal(one, way) for one in drawn)
    assert any(np.array_equal(line.get_ydata(), data["loss"]) for line in loss.lines)


def test_level_lines_have_one_loss_each() -> None:
    kind, data = answer("turned and noisy")
    axes = PREVIEWS[kind].draw(data).axes[0]
    turn = np.radians(45)
    rings = [np.column_stack(line.get_data()) for line in axes.lines if len(line.get_xdata()) == 241]  # type: ignore[arg-type]
    assert len(rings) == 9
    losses = []
    for ring in rings:
        dx, dy = (ring - data["minimum"]).T
        u, v = np.cos(turn) * dx + np.sin(turn) * dy, np.cos(turn) * dy - np.sin(turn) * dx
        found = (5 * u**2 + 150 * v**2) / 2
        assert found == pytest.approx(found[0], rel=1e-6)
        losses.append(found[0])
    assert losses[2] == pytest.approx(data["loss"][0], rel=1e-6)
    assert losses[:-1] == pytest.approx([4 * loss for loss in losses[1:]], rel=1e-6)


def test_ways_that_are_the_same_share_a_name() -> None:
    kind, data = answer("many ways")
    texts = {text.get_text() for text in PREVIEWS[kind].draw(data).texts}
    assert {"sgd", "adam = adam", "lion = lion"} <= texts


def test_points_and_bars_of_a_class_have_one_colour() -> None:
    kind, data = answer("points of two classes")
    points, bars = PREVIEWS[kind].draw(data).axes
    for number, drawn in enumerate(points.collections):
        assert tuple(drawn.get_facecolor()[0][:3]) == to_rgba(COLOURS[number])[:3]  # type: ignore[index]
    wide = [bar.get_width() for bar in bars.patches]  # type: ignore[attr-defined]
    parts = [[one[part] for one in data["classes"]] for part in ("train", "valid", "test")]
    assert wide == [count for part in parts for count in part]


def test_a_title_names_the_layer_and_shapes_are_written() -> None:
    kind, data = answer("many channels")
    texts = {text.get_text() for text in written(PREVIEWS[kind].draw(data))}
    assert {"Layer: conv2d(12, kernel_size=3)", "in: 1 channel of 8 x 8"} <= texts
    assert "out: 12 channels of 6 x 6, the first 8 shown" in texts
