"""The requested scale of the axis of values: linear or logarithmic."""

import copy
import math
from collections.abc import Iterator
from typing import Any

from core.errors import InvalidSpec, Problem
from core.plots.drawing.frames import padded, padded_log

DECADES = 8
"""Most decades of a requested logarithmic axis: lower values lie below the picture."""

Axis = dict[str, Any]


def scaled(data: dict[str, Any], log: bool) -> dict[str, Any]:
    """Return the picture's data with its axis of values logarithmic or linear.

    That axis is the `y` of every panel with lines, and any axis with `values`, the numbers that it shows. Raises
    `InvalidSpec` for a picture without such an axis. One that shows nothing above zero stays linear, and the caption
    says so.
    """
    data = copy.deepcopy(data)
    found = list(_axes(data))
    if not found:
        raise InvalidSpec([Problem("log", f"{data['plot']} has no axis that can be logarithmic")])
    notes = {_logarithmic(axis, values) if log else _linear(axis, values) for axis, values in found}
    data["caption"] = " ".join(filter(None, [data["caption"], *sorted(notes)]))
    return data


def _axes(data: dict[str, Any]) -> Iterator[tuple[Axis, list[float]]]:
    """Yield each axis of values and all that it shows; panels whose axes are alike share it."""
    panels = [panel for panel in data.get("panels", []) if "lines" in panel and "y" in panel]
    drawn: dict[str, list[float]] = {}
    for panel in panels:
        drawn.setdefault(repr(panel["y"]), []).extend(_of_lines(panel["lines"]))
    shown = [(panel["y"], drawn[repr(panel["y"])]) for panel in panels]  # before any of them is changed
    yield from shown
    for part in data.values():
        if isinstance(part, dict) and "scale" in part and "values" in part:
            yield part, [v for v in part["values"] if v is not None]


def _of_lines(lines: list[dict[str, Any]]) -> list[float]:
    """Return the values of the lines; those of diverged runs only where there are no others."""
    steady = [line for line in lines if line["role"] != "diverged"] or lines
    parts = [part for line in steady for part in (line["y"], line["raw"]["y"] if line["raw"] else [])]
    return [v for part in parts for v in part if v is not None]


def _logarithmic(axis: Axis, values: list[float]) -> str:
    if axis["scale"] != "linear":
        return ""
    positive = [v for v in values if v > 0]
    if not positive:
        return "Nothing here is above zero: no axis can be logarithmic."
    top = max(positive)
    bottom = max(min(positive), top / 10.0**DECADES)
    axis |= {"scale": "log", "limits": padded_log(bottom, top)}
    return f"Values below {bottom:.2g} lie below the picture." if min(values) < bottom else ""


def _linear(axis: Axis, values: list[float]) -> str:
    if axis["scale"] == "linear":
        return ""
    low, high = min(values, default=0.0), max(values, default=1.0)
    top = axis["limits"][1] if axis.get("limits") and axis["scale"] == "log" else math.inf
    axis |= {"scale": "linear", "limits": padded(min(low, 0.0), min(high, top))}
    axis.pop("linear_within", None)
    return ""
