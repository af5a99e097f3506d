"""Logarithmic axes of values that span more decades than can be read."""

from collections.abc import Sequence
from typing import Any

from core.plots.drawing.extents import Line, values_of
from core.plots.drawing.frames import padded_log, plain_number

DECADES = 8
"""Decades of a logarithmic axis, unless the values that lines begin and end with are further apart."""
BESIDE = 100.0
"""Factor by which a value may be below or above those and be shown all the same."""


def log_axis(lines: Sequence[Line], noun: str = "Values") -> tuple[dict[str, Any], str]:
    """Return `scale` and `limits` of an axis of lines of which some value is positive, and a note of those outside.

    What the lines end with is in the picture, however far apart that is, and what they begin with unless it is out of
    all proportion: a spike, or a value next to zero, does not press all others together. Diverged runs do not stretch
    the axis unless all diverged.
    """
    steady = [line for line in lines if line["role"] != "diverged" and any(v > 0 for v in values_of(line))]
    values = sorted(v for line in steady or lines for v in values_of(line) if v > 0)
    kept = _kept(steady or lines)
    low, high = min(kept) / BESIDE, max(kept) * BESIDE
    low = max(values[0], min(low, high / 10.0**DECADES))
    high = max(high, low * 10.0**DECADES)
    shown = [v for v in values if low <= v <= high]
    every = [v for line in lines for v in values_of(line)]
    notes = [
        f"{noun} above {plain_number(shown[-1], 2)} lie above the picture." if max(every) > shown[-1] else "",
        f"{noun} below {plain_number(shown[0], 2)} lie below the picture." if min(every) < shown[0] else "",
    ]
    return {"scale": "log", "limits": padded_log(shown[0], shown[-1])}, " ".join(filter(None, notes))


def _kept(lines: Sequence[Line]) -> list[float]:
    """Return the positive values that the picture has in any case; of diverged runs only what they began with."""
    positive = [(line["role"], [v for v in line["y"] if v is not None and v > 0]) for line in lines]
    ends = [values[0 if role == "diverged" else -1] for role, values in positive if values]
    reach = 10.0 ** (2 * DECADES)
    return ends + [values[0] for _, values in positive if values and 1 / reach <= values[0] / max(ends) <= reach]
