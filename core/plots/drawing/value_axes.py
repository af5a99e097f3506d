"""Axes of metrics that are measured after every epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.design import Design
from core.metrics import Metric
from core.plots.drawing.bands import with_room
from core.plots.drawing.extents import extent
from core.plots.drawing.frames import padded, plain_number
from core.plots.drawing.log_axes import log_axis

LOG_FROM = 100.0
"""Ratio of largest to smallest loss from which the axis is logarithmic."""
NARROWEST = 0.05
"""Least span of an axis of shares: half a percentage point should not look like all of it."""

_BESIDE = ("train", "second", "diverged")
Lines = Mapping[int, list[dict[str, Any]]]
"""Lines by arm."""


def epoch_axis(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the axis of epochs: what was measured after two of them lies at 2."""
    last = max([line["x"][-1] for line in lines if line["x"]], default=1)
    return {"label": "epochs done", "scale": "linear", "kind": "count", "limits": padded(1, last, 0.02)}


def value_axis(lines: Lines, metric: Metric) -> dict[str, Any]:
    """Return the metric's axis with its unit, and a `note` of values outside; diverged runs do not count."""
    every = [line for part in lines.values() for line in part]
    found = extent([line for line in every if line["role"] != "diverged"]) or extent(every)
    if metric.share:
        y: dict[str, Any] = {"label": f"{short_name(metric)} (% of examples)", "scale": "linear", "kind": "share"}
    else:
        unit = f" ({metric.axis})" if metric.axis else ""
        y = {"label": f"{short_name(metric)}{unit}", "scale": "linear", "kind": "number"}
    if found is None:
        return y | {"limits": (0.0, 1.0), "note": ""}
    low, positive, high = found
    floor = None if metric.floor is None else lower_end(every, metric.floor)
    if floor is not None and low < floor:
        return y | {
            "limits": padded(floor, max(high, 0.0) if floor == metric.floor else high),
            "note": f"Values below {plain_number(floor)} lie below the picture.",
        }
    if metric.bounds == (0.0, None) and positive > 0 and high / positive >= LOG_FROM:
        scale, note = log_axis(every)
        return y | scale | {"note": note}
    if metric.share and high - low < NARROWEST:
        middle = min(max((low + high) / 2, NARROWEST / 2), 1 - NARROWEST / 2)
        low, high = min(low, middle - NARROWEST / 2), max(high, middle + NARROWEST / 2)
    low, high = with_room(every, low, high)
    return y | {"limits": padded(low if floor is None else max(low, floor), high), "note": ""}


def lower_end(lines: Sequence[dict[str, Any]], floor: float) -> float:
    """Return the lower end of an axis that has a floor: where every line ends below it, the lowest of these ends.

    Lines of the training split, which accompany others, and of diverged runs do not count.
    """
    known = [[v for v in line["y"] if v is not None] for line in lines if line["role"] not in _BESIDE]
    ends = [values[-1] for values in known if values]
    return min(ends) if ends and max(ends) < floor else floor


def short_name(metric: Metric) -> str:
    """Return the metric's name without its split: "accuracy", "loss", "R²"."""
    return metric.label.removeprefix("validation ").removeprefix("training ")


def loss_axis(design: Design) -> str:
    """Return what is written at an axis of losses."""
    loss = design.find("loss", "train") or design.find("loss", "valid")
    return "loss" if loss is None else str(loss.axis) or "loss"
