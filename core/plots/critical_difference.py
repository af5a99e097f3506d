"""The plot `critical_difference`: mean ranks over data sets, and which of them differ."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.analysis import compare_arms
from core.analysis.shapes import Datasets
from core.analysis.statistics.blocks import RANKS_FROM
from core.design import Design
from core.plots import Plot, plots
from core.plots.drawing.curves import sample
from core.plots.drawing.empty import draw_nothing
from core.plots.drawing.frames import frame, plain_number
from core.plots.drawing.styles import COLOURS, GREY, INK, styled
from core.plots.drawing.text import width, wrap
from core.results import Results

MOST = 30
"""Arms that are drawn, the best of all."""

_LABEL, _NUMBER = 9.0, 8.5
_AXIS, _NAMES, _STEP = 4.2, 2.6, 0.3


@plots.register(
    formula="mean over data sets of each arm's rank there, 1 the best; CD = q·sqrt(k(k + 1) / 6D), q the studentized "
    "range's quantile over sqrt(2), with a baseline that of Bonferroni and Dunn",
    source="Demšar 2006, JMLR 7, figure 1; Friedman 1937; Nemenyi 1963; core.analysis.report.over_datasets",
)
def critical_difference() -> Plot:
    """Mean ranks over ten data sets or more, with a bar over those that are no critical difference apart."""
    return Plot(data, draw, _has_ranks)


def _has_ranks(design: Design) -> bool:
    found = design.dataset_grid
    return design.ranks and found is not None and len(found.sets) >= RANKS_FROM


def data(results: Results) -> dict[str, Any]:
    whole = results.whole or results
    metric = whole.design.primary
    base = {"plot": "critical_difference", "title": f"Ranks by final {metric.label}: {whole.design.name}"}
    found = compare_arms(whole, metric.name)["datasets"] if whole.design.ranks else None
    if found is None or found["ranks"] is None:
        have = 0 if found is None else len(found["sets"])
        why = f"Mean ranks are compared over {RANKS_FROM} data sets or more, in a grid over them; here are {have}."
        return base | {"caption": sample(results), "empty": why, "ranks": []}
    ranks, order = found["ranks"], _best_first(found)
    place = dict(order)
    bars = [[place[label] for label in group] for group in ranks["cliques"]]
    told = (
        "less than that apart from the baseline: cannot be told apart from it"
        if found["baseline"]
        else ("bar: no two of these are a critical difference apart")
    )
    caption = [
        sample(results),
        f"Mean rank over {len(found['sets'])} data sets, 1 the best; {told}.",
        f"Friedman's test, Iman and Davenport's F: p {_p(ranks['p'])}.",
        f"Drawn are the best {MOST} of {len(order)}." if len(order) > MOST else "",
    ]
    return base | {
        "caption": " ".join(filter(None, caption)),
        "empty": "",
        "sets": len(found["sets"]),
        "among": len(order),
        "baseline": found["baseline"],
        "critical_difference": ranks["critical_difference"],
        "ranks": [{"label": label, "rank": rank} for label, rank in order[:MOST]],
        "bars": [] if found["baseline"] else [[min(one), max(one)] for one in bars],
    }


def _best_first(found: Datasets) -> list[tuple[str, float]]:
    ranked = [(one["label"], one["mean_rank"]) for one in found["treatments"]]
    return sorted(((label, rank) for label, rank in ranked if rank is not None), key=lambda one: one[1])


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw the axis of ranks, the critical difference above it, bars and names below: the better half at the left."""
    if data["empty"]:
        return draw_nothing(data)
    ranks, bars = data["ranks"], data["bars"]
    left = (len(ranks) + 1) // 2
    below = 0.25 * len(bars) + 0.45
    names = [wrap(one["label"], _LABEL, _NAMES - 0.35 - width(f"{one['rank']:.2f}", _NUMBER)) for one in ranks]
    step = max(_STEP, max(map(len, names)) * _LABEL * 1.3 / 72 + 0.06)
    total = 1.0 + below + step * left
    place = frame(data["title"], data["caption"], _AXIS + 2 * _NAMES, total)
    axes = place.axes(_NAMES, 0, _AXIS, total)
    axes.set_axis_off()
    axes.set_xlim(1, max(data["among"], 2))
    axes.set_ylim(total - 1.0, -1.0)  # inches below the axis of ranks
    _axis(axes, data)
    for i, (low, high) in enumerate(bars):
        axes.plot([low, high], [0.2 + 0.25 * i] * 2, color=COLOURS[1], lw=4.0, solid_capstyle="round", clip_on=False)
    for i, one in enumerate(ranks):
        row = i if i < left else len(ranks) - 1 - i
        _name(axes, one, names[i], below + step * row, data, at_left=i < left)
    return place.figure


def _axis(axes: Axes, data: dict[str, Any]) -> None:
    last = max(data["among"], 2)
    axes.plot([1, last], [0, 0], color=INK, lw=1.0, clip_on=False)
    step = int(np.ceil(last / 12))
    for rank in range(1, last + 1, step):
        axes.plot([rank, rank], [-0.07, 0], color=INK, lw=1.0, clip_on=False)
        axes.text(rank, -0.12, str(rank), ha="center", va="bottom", size=_NUMBER)
    low, wide = 1.0, data["critical_difference"]
    high = min(low + wide, float(last))
    axes.plot([low, high], [-0.5, -0.5], color=GREY, lw=1.4, clip_on=False)
    for end in (low, high):
        axes.plot([end, end], [-0.56, -0.44], color=GREY, lw=1.4, clip_on=False)
    axes.text(
        low, -0.62, f"critical difference {plain_number(wide, 3)}", ha="left", va="bottom", size=_NUMBER, color=GREY
    )


def _name(axes: Axes, one: dict[str, Any], name: list[str], at: float, data: dict[str, Any], *, at_left: bool) -> None:
    """Draw a line from a rank down to its row, and from there to its name at the side."""
    last = max(data["among"], 2)
    edge = 1 if at_left else last
    colour = COLOURS[0] if one["label"] == data["baseline"] else INK
    axes.plot([one["rank"], one["rank"], edge], [0, at, at], color=colour, lw=0.9, clip_on=False)
    number = f"{one['rank']:.2f}"
    first = f"{name[0]}  {number}" if at_left else f"{number}  {name[0]}"
    text = "\n".join([first, *name[1:]])
    axes.annotate(
        text,
        (edge, at),
        xytext=(-5 if at_left else 5, 0),
        textcoords="offset points",
        ha="right" if at_left else "left",
        va="center",
        size=_LABEL,
        color=colour,
        annotation_clip=False,
    )


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
