"""The plot `energy`: energy of the arms' runs against their final values."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from core.analysis import energy as energies
from core.analysis import final_values, summarize
from core.plots import Plot, plots
from core.plots.drawing.bands import about_ends, bounds_of, ends
from core.plots.drawing.curves import arms_drawn, described, sample
from core.plots.drawing.empty import draw_nothing
from core.plots.drawing.frames import frame, numbers, padded, padded_log, set_axis
from core.plots.drawing.named_rows import NamedRows
from core.plots.drawing.names import name_of
from core.plots.drawing.styles import COLOURS, RULE, styled
from core.plots.drawing.text import width, wrap
from core.plots.drawing.value_axes import NARROWEST
from core.results import Results

UNITS = (("kWh", 1.0), ("Wh", 1e-3), ("mWh", 1e-6))
LOG_FROM = 30.0
"""Ratio of largest to smallest energy from which its axis is logarithmic."""
NARROWEST_OF_VALUE = 0.5
"""Least span of an axis of energy, as a part of its largest value: a thousandth more should not look like all of it."""
_LABEL, _SIDE, _HEIGHT = 8.5, 4.6, 3.9
HOW = {
    "measured": "Energy was measured by the processors' counters.",
    "estimated": "Energy is an estimate: 12 W for each busy core, and a GPU's limit (200 W where it is not known).",
}

MEANS = "Point: means over an arm's runs; bars: 95 % intervals (Student t, from ten runs on BCa bootstrap"
TOGETHER = "Runs that train together share their energy equally: its bars show what differs between such groups only."


@plots.register(
    formula="mean energy of a run and mean last valid_accuracy (in regression valid_loss) of each arm, with 95 % "
    "intervals (Student t, from ten runs on BCa bootstrap); a cohort's energy is shared equally by its runs",
    source="core.energy; the estimate's constants: Lannelongue, Grealey and Inouye 2021, doi:10.1002/advs.202100707",
)
def energy() -> Plot:
    """Energy of a run against its final validation accuracy or loss, one point an arm.

    Where no arm has a final value, as in a range test, the energy alone, one row an arm.
    """
    return Plot(data, draw, lambda design: design.trained_here)


def data(results: Results) -> dict[str, Any]:
    metric = results.design.primary
    arms, found = arms_drawn(results), energies(results)
    values = dict(zip(results.design.labels, final_values(results, metric.name), strict=True))
    largest = max([arm["mean_kwh"] or 0.0 for arm in found["arms"]], default=0.0) if found else 0.0
    unit, size = next(((unit, size) for unit, size in UNITS if largest >= size), UNITS[-1])
    by_label = {one["label"]: one for one in found["arms"]} if found else {}
    alone = not results.design.ranks or not any(summarize(row).n for row in values.values())
    points: list[dict[str, Any]] = []
    for index, label in enumerate(arms.labels):
        arm = by_label.get(label)
        reached = summarize(values[label])
        if arm is None or arm["mean_kwh"] is None or not (reached.n or alone):
            continue
        y: tuple[float | None, float | None] = (None, None)
        if not alone:
            y = ends(values[label], reached.ci_low, reached.ci_high, bounds_of(metric))
        took = np.array([run.energy_kwh for run in results.trained if run.arm == label], dtype=np.float64)
        x_low, x_high = ends(took, arm["ci_low"], arm["ci_high"], (0.0, np.inf))
        points.append(
            {
                "arm": index,
                "x": arm["mean_kwh"] / size,
                "x_low": None if x_low is None else x_low / size,
                "x_high": None if x_high is None else x_high / size,
                "y": None if alone else reached.mean,
                "y_low": y[0],
                "y_high": y[1],
                "n": arm["n"] if alone else reached.n,
            }
        )
    share = metric.share
    label = f"{metric.label} ({'% of examples' if share else 'last value'})"
    missing = len(arms.labels) - len(points)
    notes = [
        sample(results),
        f"{MEANS}{about_ends([point['n'] for point in points], share)})." if points else "",
        TOGETHER if points else "",
        HOW[found["source"]] if found else "Nobody has looked at what these runs took.",
        f"{missing} of {len(arms.labels)} arms have no energy{'' if alone else ' or no final value'}."
        if points and missing
        else "",
        arms.note,
    ]
    return {
        "plot": "energy",
        "title": f"Energy{'' if alone else f' and {metric.label}'}: {results.design.name}",
        "caption": " ".join(filter(None, notes)),
        "source": found["source"] if found else None,
        "unit": unit,
        "arms": described(arms, results),
        "points": points,
        "x": _axis([p[key] for p in points for key in ("x", "x_low", "x_high")], f"energy of a run ({unit})", "number"),
        "y": _axis([p[key] for p in points for key in ("y", "y_low", "y_high")], label, "share" if share else "number")
        if points and not alone
        else None,
    }


def _axis(values: list[float | None], label: str, kind: str) -> dict[str, Any]:
    known = [v for v in values if v is not None]
    axis: dict[str, Any] = {"label": label, "kind": kind, "scale": "linear"}
    positive = [v for v in known if v > 0]
    if kind == "number" and positive and len(positive) == len(known) and max(known) / min(known) >= LOG_FROM:
        return axis | {"scale": "log", "limits": padded_log(min(known), max(known), 0.08)}
    return axis | {"limits": padded(*_wide_enough(min(known), max(known), kind), 0.08) if known else (0.0, 1.0)}


def _wide_enough(low: float, high: float, kind: str) -> tuple[float, float]:
    """Return ends so far apart that a small difference looks small; energy and loss do not go below zero for it."""
    span = NARROWEST if kind == "share" else NARROWEST_OF_VALUE * max(abs(low), abs(high))
    missing = max(0.0, span - (high - low)) / 2
    below = min(missing, max(0.0, low)) if low >= 0 else missing
    return low - below, high + missing


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw the points with their intervals as crosses, and the arms' names beside them in the points' order."""
    if not data["points"]:
        return draw_nothing(data | {"empty": "no energy known"})
    if data["y"] is None:
        return _draw_alone(data)
    points = sorted(data["points"], key=lambda point: -point["y"])
    called = [f"{name_of(data['arms'][point['arm']])} (N = {point['n']})" for point in points]
    lines = [wrap(name, _LABEL, 2.4) for name in called]
    wide = max([width(line, _LABEL) for name in lines for line in name], default=0.0)
    heights = np.array([len(name) * _LABEL * 1.3 / 72 + 0.06 for name in lines])
    middles, height = np.cumsum(heights) - heights / 2, max(_HEIGHT, float(heights.sum()))
    place = frame(data["title"], data["caption"], _SIDE + wide + 1.15, height + 0.5)
    axes = place.axes(0.75, 0.5, _SIDE, height)
    set_axis(axes, "x", data["x"])
    set_axis(axes, "y", data["y"])
    side = place.axes(0.75 + _SIDE + 0.1, 0.5, wide + 0.3, height)
    side.set_axis_off()
    side.set_xlim(0, wide + 0.3)
    side.set_ylim(height, 0)
    for point, name, at in zip(points, lines, middles, strict=True):
        colour = COLOURS[point["arm"] % len(COLOURS)]
        marker = "osD^v"[point["arm"] // len(COLOURS) % 5]
        for xs, ys in (
            ([point["x_low"], point["x_high"]], [point["y"]] * 2),
            ([point["x"]] * 2, [point["y_low"], point["y_high"]]),
        ):
            axes.plot(numbers(xs), numbers(ys), color=colour, lw=1.2, solid_capstyle="butt")
        axes.plot([point["x"]], [point["y"]], marker, color=colour, ms=6)
        side.plot([0.08], [at], marker, color=colour, ms=6, clip_on=False)
        for i, words in enumerate(name):
            down = (i - (len(name) - 1) / 2) * _LABEL * 1.3 / 72
            side.text(0.22, at + down, words, size=_LABEL, va="center_baseline")
    return place.figure


def _draw_alone(data: dict[str, Any]) -> Figure:
    points = data["points"]
    named = NamedRows([f"{name_of(data['arms'][point['arm']])} (N = {point['n']})" for point in points], least=0.3)
    place = frame(data["title"], data["caption"], named.margin + _SIDE, named.total + 0.55)
    axes = place.axes(named.margin, 0.5, _SIDE, named.total)
    named.write(axes)
    set_axis(axes, "x", data["x"])
    for point, at in zip(points, named.middles, strict=True):
        colour = COLOURS[point["arm"] % len(COLOURS)]
        axes.axhline(at, color=RULE, lw=0.7, zorder=0)
        axes.plot(numbers([point["x_low"], point["x_high"]]), [at, at], color=colour, lw=1.6, solid_capstyle="butt")
        axes.plot([point["x"]], [at], "o", color=colour, ms=6)
    return place.figure
