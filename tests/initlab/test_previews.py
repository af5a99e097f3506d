"""The commands that draw what is not trained yet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RunCli = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (
            ["schedule", "cosine", '{"name": "step", "step_size": 3}', "--lr", "0.5", "--steps", "9"],
            "/previews/schedule",
            {
                "schedule": "cosine", "compare": [{"name": "step", "step_size": 3}],
                "lr": 0.5, "steps": 9, "steps_per_epoch": 1,
            },
        ),
        (
            ["initializer", "he_normal", "--shape", "16x3x5x5", "--seed", "2"],
            "/previews/initializer",
            {"initializer": "he_normal", "shape": [16, 3, 5, 5], "seed": 2},
        ),
        (
            ["initializer", "he_normal", "glorot_normal"],
            "/previews/initializer",
            {"initializer": "he_normal", "compare": ["glorot_normal"], "shape": [256, 784], "seed": 0},
        ),
        (
            ["signal", "he_normal", "zeros", "--model", '{"name": "mlp"}', "--seeds", "3"],
            "/previews/signal",
            {"initializers": ["he_normal", "zeros"], "model": {"name": "mlp"}, "seeds": 3},
        ),
        (
            ["optimizer", "sgd", "adam", "--steps", "9", "--curvature", "1,20", "--start", "-1,2", "--noise", "0.5"],
            "/previews/optimizer",
            {
                "optimizer": "sgd", "compare": ["adam"], "steps": 9, "curvature": [1.0, 20.0], "start": [-1.0, 2.0],
                "angle": 0.0, "noise": 0.5, "seed": 0,
            },
        ),
        (
            ["layer", "relu", '{"maxpool": 2}', "--inputs", "3x8x8", "--batch", "2"],
            "/previews/layer",
            {"layer": "relu", "compare": [{"maxpool": 2}], "inputs": [3, 8, 8], "batch": 2, "seed": 0},
        ),
        (
            ["dataset", '{"name": "two_spirals", "turns": 2}'],
            "/previews/dataset",
            {"dataset": {"name": "two_spirals", "turns": 2}},
        ),
    ],
)  # fmt: skip
def test_a_preview_is_saved(
    server: Any, run_cli: RunCli, tmp_path: Path, words: list[str], path: str, body: dict[str, Any]
) -> None:
    server.answer(200, b"picture", Content_Type="image/png")

    assert run_cli("preview", *words, "-o", str(tmp_path / "x.png"))[0] == 0

    asked = server.asked[-1]
    assert (asked.path, asked.body, asked.headers["Accept"]) == (path, body, "image/png")
    assert (tmp_path / "x.png").read_bytes() == b"picture"


def test_a_preview_is_saved_as_svg_too(server: Any, run_cli: RunCli, tmp_path: Path) -> None:
    server.answer(200, b"<svg>", Content_Type="image/svg+xml")
    assert run_cli("preview", "schedule", "cosine", "-o", str(tmp_path / "x.svg"))[0] == 0
    assert server.asked[-1].headers["Accept"] == "image/svg+xml"
    assert (tmp_path / "x.svg").read_bytes() == b"<svg>"


@pytest.mark.parametrize(
    "words",
    [
        ["schedule", "{"],
        ["initializer", "zeros", "--shape", "big"],
        ["optimizer", "sgd", "--start", "1"],
        ["layer", "relu", "--inputs", "8xx8"],
        ["schedule", "cosine", "-o", "x.pdf"],
    ],
)
def test_what_cannot_be_drawn_is_said_before_anything_is_asked(server: Any, run_cli: RunCli, words: list[str]) -> None:
    code, _, told = run_cli("preview", *words)

    assert code == 2
    assert told
    assert server.asked == []
