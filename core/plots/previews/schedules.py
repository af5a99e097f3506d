"""The picture of schedules before anything is trained."""

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from core.analysis import thin
from core.finite import finite_list
from core.plots.drawing.curves import POINTS
from core.plots.drawing.frames import plain_number
from core.plots.drawing.lines import draw_lines
from core.plots.drawing.names import joined
from core.plots.drawing.rate_axes import rate_axis, update_axis
from core.plots.drawing.styles import PREVIEW_DPI
from core.plots.previews._names import names_of

_HELD_UP_TO = 300


def draw_schedule(data: dict[str, Any]) -> Figure:
    """Draw `POST /previews/schedule`'s answer: `lr`, the rate of every update, and that of each of those `compared`.

    `schedule` and `title` are optional. Schedules with the same rates share a line.
    """
    every = [data, *data.get("compared", [])]
    curves: dict[tuple[float, ...], list[str]] = {}
    for one, name in zip(every, names_of([one.get("schedule", {}) for one in every]), strict=True):
        curves.setdefault(tuple(one["lr"]), []).append(name)
    lines = [_schedule_line(i, np.array(rates, dtype=np.float64)) for i, rates in enumerate(curves)]
    name = data.get("schedule", {}).get("name")
    usual = "Learning rates" if len(every) > 1 else f"Learning rate: {name}" if name else "Learning rate"
    rates = np.array(data["lr"], dtype=np.float64)
    ends = "" if len(every) > 1 else f"; from {_or_none(rates[:1])} to {_or_none(rates[-1:])}"
    panel = {"title": "rate in force during each update", "x": update_axis(lines), "y": rate_axis(lines)}
    figure = draw_lines(
        {
            "title": data.get("title", usual),
            "caption": f"{len(rates):,} updates{ends}.",
            "arms": [{"label": joined(names, 0), "note": ""} for names in curves.values()] if len(every) > 1 else [],
            "panels": [panel | {"lines": lines}],
        }
    )
    figure.set_dpi(PREVIEW_DPI)
    return figure


def _schedule_line(index: int, rates: NDArray[np.float64]) -> dict[str, Any]:
    steps = np.arange(len(rates))
    at = thin(steps, rates, POINTS)
    line = {"arm": index, "role": "main", "x": steps[at].tolist(), "y": finite_list(rates[at]), "raw": None}
    return line | {"low": None, "high": None, "held": len(rates) <= _HELD_UP_TO}


def _or_none(rate: NDArray[np.float64]) -> str:
    return plain_number(float(rate[0])) if len(rate) and math.isfinite(rate[0]) else "none"
