"""The requested scale of the axis of values: linear or logarithmic."""

import copy
import math
from collections.abc import Iterator
from typing import Any

from core.errors import InvalidSpec, Problem
from core.plots.drawing.extents import Line, values_of
from core.plots.drawing.frames import padded
from core.plots.drawing.log_axes import log_axis

_LOG_BANDS = "On a logarithmic axis a band is the interval of the mean's logarithm."

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
    notes = {_logarithmic(axis, lines) if log else _linear(axis, lines) for axis, lines in found}
    data["caption"] = " ".join(filter(None, [data["caption"], *sorted(notes)]))
    return data


def with_log_bands(data: dict[str, Any]) -> dict[str, Any]:
    """Return the picture's data with the bands on logarithmic axes as intervals of the logarithm of the mean.

    By the delta method: m·exp(±h/m), where m ± h is the interval of the mean. Such a band never comes to zero, where a
    logarithmic axis has no end. Bands that are no Student t intervals stay as they are.
    """
    panels = [panel for panel in data.get("panels", []) if panel.get("y", {}).get("scale") == "log"]
    changed = [{**panel, "lines": [_log_band(line) for line in panel["lines"]]} for panel in panels]
    if all(new["lines"] == old["lines"] for new, old in zip(changed, panels, strict=True)):
        return data
    by_panel = {id(old): new for old, new in zip(panels, changed, strict=True)}
    return data | {
        "panels": [by_panel.get(id(panel), panel) for panel in data["panels"]],
        "caption": f"{data['caption']} {_LOG_BANDS}",
    }


def _log_band(line: dict[str, Any]) -> dict[str, Any]:
    if line.get("band") != "t" or line["high"] is None:
        return line
    bands = [_around(mean, low, high) for mean, low, high in zip(line["y"], line["low"], line["high"], strict=True)]
    return line | {"low": [low for low, _ in bands], "high": [high for _, high in bands]}


def _around(mean: float | None, low: float | None, high: float | None) -> tuple[float | None, float | None]:
    if mean is None or high is None or mean <= 0:
        return low, high
    factor = math.exp((high - mean) / mean)
    return mean / factor, mean * factor if math.isfinite(mean * factor) else high


def _axes(data: dict[str, Any]) -> Iterator[tuple[Axis, list[Line]]]:
    """Yield each axis of values and all that it shows; panels whose axes are alike share it, and a value is a line."""
    panels = [panel for panel in data.get("panels", []) if "lines" in panel and "y" in panel]
    drawn: dict[str, list[Line]] = {}
    for panel in panels:
        drawn.setdefault(repr(panel["y"]), []).extend(panel["lines"])
    shown = [(panel["y"], drawn[repr(panel["y"])]) for panel in panels]  # before any of them is changed
    yield from shown
    for part in data.values():
        if isinstance(part, dict) and "scale" in part and "values" in part:
            yield part, [{"role": "main", "y": [value], "raw": None} for value in part["values"]]


def _logarithmic(axis: Axis, lines: list[Line]) -> str:
    if axis["scale"] != "linear":
        return ""
    if not any(v > 0 for line in lines for v in values_of(line)):
        return "Nothing here is above zero: no axis can be logarithmic."
    scale, note = log_axis(lines)
    axis |= scale
    return note


def _linear(axis: Axis, lines: list[Line]) -> str:
    if axis["scale"] == "linear":
        return ""
    steady = [line for line in lines if line["role"] != "diverged"] or lines
    values = [v for line in steady for v in values_of(line)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    top = axis["limits"][1] if axis.get("limits") and axis["scale"] == "log" else math.inf
    axis |= {"scale": "linear", "limits": padded(min(low, 0.0), min(high, top))}
    axis.pop("linear_within", None)
    return ""
