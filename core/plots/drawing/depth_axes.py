"""Axes and lines of pictures that go through a network layer by layer."""

import math
from collections.abc import Sequence
from typing import Any

from core.plots.drawing.extents import extent
from core.plots.drawing.frames import padded, padded_log

MOST_NAMES = 12
"""Most layers that a caption names."""
LEAST = 1e-12
"""Least share of the largest value below which a logarithmic axis with zeros becomes linear."""


def depth_axis(layers: int) -> dict[str, Any]:
    """Return the axis of layers, from 1, next to the data, to the outputs."""
    limits = padded(1, max(2, layers), 0.03)
    return {"label": "layer (1: next to the data)", "scale": "linear", "kind": "count", "limits": limits}


def size_axis(lines: Sequence[dict[str, Any]], label: str) -> dict[str, Any]:
    """Return the axis of sizes that span decades, with zeros and bands included."""
    y: dict[str, Any] = {"label": label, "scale": "log", "kind": "number", "limits": (0.1, 10.0)}
    found = extent([*lines, *({**line, "y": line[end]} for line in lines for end in ("low", "high") if line[end])])
    if found is None or not math.isfinite(found[1]):
        return y
    low, positive, high = found
    if low > 0:
        return y | {"limits": padded_log(low, high)}
    within = 10.0 ** math.floor(math.log10(max(positive, LEAST * high)))
    return y | {"scale": "symlog", "linear_within": within, "limits": (-0.2 * within, 2 * high)}


def depth_line(arm: int, role: str, mean: Sequence[float | None], n: int, **more: Any) -> dict[str, Any]:
    """Return the line of one arm's values from layer to layer."""
    line: dict[str, Any] = {"arm": arm, "role": role, "seed": None, "n": n, "low": None, "high": None, "raw": None}
    return line | {"x": list(range(1, len(mean) + 1)), "y": list(mean)} | more


def named(layers: Sequence[str]) -> str:
    """Return the caption's names of layers: "Layers: 1 fc1, 2 fc2." """
    shown = [f"{i} {name}" for i, name in enumerate(layers, start=1)]
    if len(shown) > MOST_NAMES:
        shown = [*shown[: MOST_NAMES - 1], "...", shown[-1]]
    return f"Layers: {', '.join(shown)}." if shown else ""
