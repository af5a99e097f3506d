"""The picture of initial weights before anything is trained."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.plots.drawing.densities import density as law_density
from core.plots.drawing.densities import half_width
from core.plots.drawing.frames import HEADING, HEADING_LINE, frame, padded, plain_number, set_axis
from core.plots.drawing.styles import COLOURS, GREY, INK, PREVIEW_DPI, styled
from core.plots.drawing.text import wrap
from core.plots.previews._names import names_of

_PANEL_HIGH = 1.25
"""Inches of one of several histograms, with the numbers below it."""
_APART = 0.06
"""Share of the picture's width from which one standard deviation is marked: below, the marks' words would meet."""


def draw_initializer(data: dict[str, Any]) -> Figure:
    """Draw `POST /previews/initializer`'s answer: `stats`, `theory`, `histogram`; `title` is optional.

    The law's density lies over the histogram of the sample where the law is uniform or (truncated) normal, with lines
    at its ends or one standard deviation from the mean. Those `compared` stand below it, on the same axis of weights.
    """
    return _draw_weights(data) if data.get("compared") else _draw_weight(data)


@styled
def _draw_weights(data: dict[str, Any]) -> Figure:
    """Draw several initializers' weights, a histogram each."""
    every = [data, *data["compared"]]
    names = [wrap(name, HEADING, 6.4) for name in names_of([one["initializer"] for one in every])]
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
