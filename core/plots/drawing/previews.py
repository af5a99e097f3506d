"""Pictures of a schedule, of an initializer and of a network's signal before anything is trained."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from core.analysis import thin
from core.finite import finite_list
from core.plots.drawing.curves import POINTS
from core.plots.drawing.densities import density as law_density
from core.plots.drawing.densities import half_width
from core.plots.drawing.depth_axes import depth_axis, depth_line, named, size_axis
from core.plots.drawing.frames import HEADING, HEADING_LINE, frame, padded, plain_number, set_axis
from core.plots.drawing.lines import draw_lines
from core.plots.drawing.names import joined
from core.plots.drawing.rate_axes import rate_axis, update_axis
from core.plots.drawing.styles import COLOURS, GREY, INK, PREVIEW_DPI, styled
from core.plots.drawing.text import wrap

_HELD_UP_TO = 300
_PANEL_HIGH = 1.25
"""Inches of one of several histograms, with the numbers below it."""
_APART = 0.06
"""Share of the picture's width from which one standard deviation is marked: below, the marks' words would meet."""


def draw_schedule_preview(data: dict[str, Any]) -> Figure:
    """Draw `POST /previews/schedule`'s answer: `lr`, the rate of every update, and that of each of those `compared`.

    `schedule` and `title` are optional. Schedules with the same rates share a line.
    """
    every = [data, *data.get("compared", [])]
    curves: dict[tuple[float, ...], list[str]] = {}
    for one, name in zip(every, _names([one.get("schedule", {}) for one in every]), strict=True):
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


def _names(schedules: Sequence[dict[str, Any]]) -> list[str]:
    """Return the schedules' names, with the parameters in which those of one name differ."""
    found = []
    for one in schedules:
        like = [other for other in schedules if other.get("name") == one.get("name")]
        differing = [key for key, value in one.items() if any(other.get(key) != value for other in like)]
        shown = ", ".join(f"{key}={one[key]}" for key in differing)
        found.append(f"{one.get('name', '')}({shown})" if shown else str(one.get("name", "")))
    return found


def draw_signal_preview(data: dict[str, Any]) -> Figure:
    """Draw `POST /previews/signal`'s answer; `title` is optional."""
    panels: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for field, title, label in (
        ("forward", "forward: outputs of each layer", "variance of a layer's outputs"),
        ("backward", "backward: gradients by those outputs", "variance of the gradient"),
    ):
        lines = []
        for i, one in enumerate(data["initializers"]):
            values = [layer[field] for layer in one["layers"]]
            mean, low, high = ([value[name] for value in values] for name in ("mean", "low", "high"))
            lines.append(depth_line(i, "main", mean, data["seeds"], low=low, high=high))
            expected = [value["theory"] for value in values]
            if any(value is not None for value in expected):
                lines.append(depth_line(i, "second", expected, data["seeds"]))
        x = depth_axis(max(len(line["x"]) for line in lines))
        panels.append({"title": title, "x": x, "y": size_axis(lines, label), "lines": lines})
    theory = any(line["role"] == "second" for line in lines)
    notes = [
        f"N = {data['seeds']} {'seed' if data['seeds'] == 1 else 'seeds'}, batch of {data['batch']:,}, "
        f"inputs: {data['data']}; outputs pulled by standard normal noise.",
        "Line: mean; band: lowest to highest seed." + (" Dashed: expected by theory." if theory else ""),
        named([layer["name"] for layer in data["initializers"][0]["layers"]]),
    ]
    figure = draw_lines(
        {
            "title": data.get("title", f"Signal at update 0: {data['model']['name']}"),
            "caption": " ".join(filter(None, notes)),
            "arms": [{"label": one["label"], "note": ""} for one in data["initializers"]],
            "own_y": True,
            "panels": panels,
        }
    )
    figure.set_dpi(PREVIEW_DPI)
    return figure


def draw_initializer_preview(data: dict[str, Any]) -> Figure:
    """Draw `POST /previews/initializer`'s answer: `stats`, `theory`, `histogram`; `title` is optional.

    The law's density lies over the histogram of the sample where the law is uniform or (truncated) normal, with lines
    at its ends or one standard deviation from the mean. Those `compared` stand below it, on the same axis of weights.
    """
    return _draw_weights(data) if data.get("compared") else _draw_weight(data)


@styled
def _draw_weights(data: dict[str, Any]) -> Figure:
    """Draw several initializers' weights, a histogram each."""
    every = [data, *data["compared"]]
    names = [wrap(name, HEADING, 6.4) for name in _names([one["initializer"] for one in every])]
    heads = [len(name) * HEADING_LINE + 0.26 for name in names]
    ends = [end for one in every for end in (one["histogram"]["edges"][0], one["histogram"]["edges"][-1])]
    stats = data["stats"]
    caption = (
        f"N = {sum(data['histogram']['counts']):,} weights each, fan-in {stats['fan_in']:,}, fan-out "
        f"{stats['fan_out']:,}. Filled: the sample; line: the density of its law, where it is uniform or normal. Every "
        "histogram has its own height."
    )
    total = sum(heads) + len(every) * _PANEL_HIGH + 0.5
    place = frame(data.get("title", "Initial weights"), caption, 6.6, total)
    top = total
    for one, name, head in zip(every, names, heads, strict=True):
        top -= head + _PANEL_HIGH
        axes = place.axes(0.1, top, 6.4, _PANEL_HIGH - 0.28)
        axes.set_title("\n".join([*name, _about(one)]))
        highest = _histogram(axes, one)
        last = one is every[-1]
        x = {"label": "weight" if last else "", "scale": "linear", "kind": "number"}
        set_axis(axes, "x", x | {"limits": padded(min(ends), max(ends), 0.04)})
        axes.set_ylim(0, highest * 1.08)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
    place.figure.set_dpi(PREVIEW_DPI)
    return place.figure


def _about(one: dict[str, Any]) -> str:
    law = one["theory"].get("std")
    return f"sd {plain_number(one['stats']['std'], 4)}" + ("" if law is None else f"; law {plain_number(law, 4)}")


def _histogram(axes: Axes, one: dict[str, Any]) -> float:
    """Draw a sample's histogram and its law's density; returns the height of the higher one."""
    edges, counts = np.array(one["histogram"]["edges"]), np.array(one["histogram"]["counts"])
    if one["stats"]["min"] == one["stats"]["max"]:
        axes.vlines(one["stats"]["mean"], 0, counts.sum(), color=COLOURS[5], lw=8, label="sample")
    else:
        axes.stairs(counts, edges, fill=True, color=COLOURS[5], alpha=0.7, label="sample")
    top = float(counts.max(initial=1))
    x = np.linspace(edges[0], edges[-1], 400)
    density = law_density(x, one["theory"])
    if density is None:
        return top
    expected = density * counts.sum() * (edges[1] - edges[0])
    label = f"{one['theory']['distribution'].replace('_', ' ')} law"
    axes.plot(x, expected, color=COLOURS[1], lw=1.6, label=label)
    return max(top, float(expected.max()))


@styled
def _draw_weight(data: dict[str, Any]) -> Figure:
    stats, theory = data["stats"], data["theory"]
    edges, counts = np.array(data["histogram"]["edges"]), np.array(data["histogram"]["counts"])
    words = ", ".join(f"{key} {plain_number(stats[key], 4)}" for key in ("mean", "std", "min", "max"))
    caption = (
        f"N = {counts.sum():,} weights, fan-in {stats['fan_in']:,}, fan-out {stats['fan_out']:,}. Sample: {words}."
    )
    law = [f"{key} {plain_number(theory[key], 4)}" for key in ("std", "bound") if theory.get(key) is not None]
    caption += f" Law: {', '.join([theory['distribution'], *law])}."
    place = frame(data.get("title", "Initial weights"), caption, 7.4, 4.1)
    axes = place.axes(0.8, 0.5, 6.45, 3.35)
    constant = stats["min"] == stats["max"]
    top = _histogram(axes, data)
    marks = _marks(stats, theory)
    low, high = min([edges[0], *marks]), max([edges[-1], *marks])
    set_axis(axes, "x", {"label": "weight", "scale": "linear", "kind": "number", "limits": padded(low, high, 0.08)})
    y = {"label": "weights in a bin (count)", "scale": "linear", "kind": "count", "limits": (0, top * 1.18)}
    set_axis(axes, "y", y)
    for where, label in marks.items():
        if not constant:
            axes.axvline(where, color=GREY, lw=0.9, ls=(0, (4, 2)), ymax=0.93)
        axes.text(where, 0.94, label, transform=axes.get_xaxis_transform(), ha="center", size=8, color=INK)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False, borderaxespad=0.1)
    place.figure.set_dpi(PREVIEW_DPI)
    return place.figure


def _marks(stats: dict[str, Any], theory: dict[str, Any]) -> dict[float, str]:
    """Return the positions of marks, and their texts."""
    mean, std, half = theory["mean"], theory["std"], half_width(theory)
    if half is not None:
        return {mean - half: plain_number(mean - half, 4), mean + half: plain_number(mean + half, 4)}
    if mean is not None and std and std > _APART * (stats["max"] - stats["min"]):
        return {mean - std: "−1 sd", mean + std: "+1 sd"}
    return {stats["mean"]: f"all {plain_number(stats['mean'])}"} if stats["min"] == stats["max"] else {}


def _or_none(rate: NDArray[np.float64]) -> str:
    return plain_number(float(rate[0])) if len(rate) and math.isfinite(rate[0]) else "none"
