"""The picture of optimizers on their way down a valley of two weights."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from core.plots.drawing.extents import extent
from core.plots.drawing.frames import numbers, padded, padded_log, plain_number
from core.plots.drawing.lines import draw_lines
from core.plots.drawing.names import joined
from core.plots.drawing.rate_axes import update_axis
from core.plots.drawing.styles import FAINT, GREY, INK, PREVIEW_DPI, styled
from core.plots.previews._names import names_of

_POINTS = 2_000
"""Most points of a way: it is not smoothed, so that a zigzag stays one."""
_DECADES = 12.0
"""Of the loss, below its highest value: what lies deeper is rounding."""
_BEYOND = 2.5
"""Largest distance from the minimum that the picture shows, in half-widths of the level line through the start."""
_LEVELS = 7
"""Level lines, each of a quarter of the loss of the one around it."""

Floats = NDArray[np.float64]


def draw_optimizer(data: dict[str, Any]) -> Figure:
    """Draw `POST /previews/optimizer`'s answer: the ways of all optimizers, and the loss after every update.

    `title` is optional. Ways that are the same share a line.
    """
    return _drawn(data)


@styled
def _drawn(data: dict[str, Any]) -> Figure:
    every = [data, *data.get("compared", [])]
    names = names_of([one["optimizer"] for one in every])
    groups: dict[tuple[Any, ...], list[str]] = {}
    ways: list[dict[str, Any]] = []
    for one, name in zip(every, names, strict=True):
        key = (*one["x"], *one["y"])
        if key not in groups:
            ways.append(one)
        groups.setdefault(key, []).append(name)
    arms = [{"label": joined(group, 0), "note": _note(one)} for group, one in zip(groups.values(), ways, strict=True)]
    across, down = _limits(data, ways)
    steps = [line for i, one in enumerate(ways) for line in _lines(i, one, "update")]
    told = "Optimizers" if len(every) > 1 else f"Optimizer: {names[0]}"
    figure = draw_lines(
        {
            "title": data.get("title", told),
            "caption": _caption(data, ways, several=len(every) > 1),
            "arms": arms if len(every) > 1 else [],
            "own_y": True,
            "panels": [
                {
                    "title": "the two weights, update by update",
                    "x": {"label": "first weight", "scale": "linear", "kind": "number", "limits": across},
                    "y": {"label": "second weight", "scale": "linear", "kind": "number", "limits": down},
                    "lines": [line for i, one in enumerate(ways) for line in _lines(i, one, "weight")],
                },
                {
                    "title": "loss after every update",
                    "x": update_axis(steps) | {"label": "updates"},
                    "y": _loss_axis(steps),
                    "lines": steps,
                },
            ],
        }
    )
    _draw_valley(figure.axes[0], data)
    figure.set_dpi(PREVIEW_DPI)
    return figure


def _lines(arm: int, one: dict[str, Any], by: str) -> list[dict[str, Any]]:
    """Return the line of the weights that are trained, and dashed that of those that are evaluated, if others are."""
    lines = []
    for role, way in (("main", one), ("second", one["evaluated"])):
        if way is None:
            continue
        known = [t for t in range(len(way["loss"])) if way["loss"][t] is not None]
        kept = known[:: max(1, -(-len(known) // _POINTS))]
        x, y = ([way[name][t] for t in kept] for name in ("x", "y"))
        found = {"x": kept, "y": [way["loss"][t] for t in kept]} if by == "update" else {"x": x, "y": y}
        ended = role == "main" and one["diverged_at"] is not None
        line = {"arm": arm, "role": "diverged" if ended else role, "low": None, "high": None, "raw": None}
        lines.append(line | found)
    return lines


def _limits(data: dict[str, Any], ways: Sequence[dict[str, Any]]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the limits of both weights: all ways, but for what leaves the level line of the start far behind."""
    ring = _ellipse(data, 0)
    found = []
    for axis, name in enumerate("xy"):
        middle = data["minimum"][axis]
        half = float(np.abs(ring[:, axis] - middle).max())
        values = np.concatenate([numbers(one[name]) for one in ways])
        inside = values[np.abs(values - middle) <= _BEYOND * half]
        low, high = min(middle - half, *inside), max(middle + half, *inside)
        found.append(padded(low, high, 0.05))
    return found[0], found[1]


def _loss_axis(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    axis: dict[str, Any] = {"label": "loss", "scale": "log", "kind": "number", "limits": (0.1, 1.0)}
    found = extent(lines)
    if found is None or not found[2] > 0:
        return axis
    _, positive, high = found
    starts = max(line["y"][0] for line in lines)
    high = min(high, starts * 10**_DECADES)
    return axis | {"limits": padded_log(max(positive, starts * 10**-_DECADES), high)}


def _ellipse(data: dict[str, Any], level: int) -> Floats:
    """Return the points (n, 2) whose loss is that of the start, divided by 4 as many times as `level` says."""
    turn = math.radians(data["angle"])
    directions = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    curvature, middle = np.array(data["curvature"]), np.array(data["minimum"])
    away = directions @ (np.array(data["start"]) - middle)
    round_ = np.linspace(0, 2 * math.pi, 241)
    radius = np.sqrt((curvature * away**2).sum() / curvature) / 2.0**level
    found: Floats = middle + (np.column_stack([np.cos(round_), np.sin(round_)]) * radius) @ directions
    return found


def _draw_valley(axes: Axes, data: dict[str, Any]) -> None:
    """Draw the loss's level lines below the ways, the start and the minimum."""
    for level in range(-2, _LEVELS):
        ring = _ellipse(data, level)
        axes.plot(ring[:, 0], ring[:, 1], color=FAINT, lw=0.7, zorder=1)
    axes.plot(*data["start"], "o", ms=5, mfc="none", mec=INK, mew=1.2, zorder=5)
    axes.plot(*data["minimum"], "+", ms=10, color=GREY, mew=1.4, zorder=5)


def _caption(data: dict[str, Any], ways: Sequence[dict[str, Any]], several: bool) -> str:
    a, b = (plain_number(one, 4) for one in data["curvature"])
    start = ", ".join(plain_number(one, 4) for one in data["start"])
    parts = [
        f"Loss ½·({a}·u² + {b}·v²) around the cross"
        + (f", u and v turned by {plain_number(data['angle'], 4)}°" if data["angle"] else "")
        + f"; {data['steps']:,} updates at a constant rate from ({start}), the ring. Grey: lines of equal "
        "loss, each of a quarter of that of the one around it.",
        f"Gradients with noise of standard deviation {plain_number(data['noise'], 4)}." if data["noise"] else "",
        "Dashed: the weights that are evaluated." if any(one["evaluated"] for one in ways) else "",
        "" if several else _ended(data),
    ]
    return " ".join(filter(None, parts))


def _ended(one: dict[str, Any]) -> str:
    if one["diverged_at"] is not None:
        return f"It overflows after {one['diverged_at']:,} updates."
    return f"The loss goes from {plain_number(one['loss'][0], 4)} to {plain_number(one['loss'][-1], 4)}."


def _note(one: dict[str, Any]) -> str:
    return "" if one["diverged_at"] is None else f"overflows after {one['diverged_at']:,}"
