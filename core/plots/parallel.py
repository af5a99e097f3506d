"""The grid of a factorial experiment of three fields or more as parallel coordinates."""

from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.analysis import final_values, summarize
from core.design import Design
from core.finite import finite_or_none
from core.plots import Plot, plots
from core.plots.drawing.curves import sample
from core.plots.drawing.empty import draw_nothing
from core.plots.drawing.frames import frame, plain_number
from core.plots.drawing.styles import FAINT, GREY, INK, PAPER, styled
from core.plots.drawing.text import fitted, wrap
from core.results import Results

FIELDS = 3
"""Fields of several levels from which a grid is drawn so: two are a `heatmap`."""
MOST_NAMED = 18
"""Most levels of one axis that are named; of more some are, evenly."""
SPREAD = 0.55
"""Part of a level's room over which its lines are spread, by what they came to."""
_WIDE, _HIGH, _LEFT, _RIGHT, _FOOT = 1.75, 4.0, 1.35, 0.75, 0.5
_LABEL, _NAME = 8.5, 1.2
"""Font size of names, and inches that one at a level may take."""
_COLOURS = colormaps["cividis"]  # as of `heatmap`: for every eye


@plots.register(
    formula="one line a cell of the grid: through its level on the axis of each field, to the mean over seeds of its "
    "last valid_accuracy (in regression valid_loss)",
    source="Inselberg 1985, The plane with parallel coordinates; core.analysis.final_values: runs that diverged or "
    "failed are in no mean",
)
def parallel() -> Plot:
    """Cells of a grid of three fields or more as lines through their levels: which levels the good ones share."""
    return Plot(data, draw, _has_fields)


def _has_fields(design: Design) -> bool:
    return len(_fields(design)) >= FIELDS


def _fields(design: Design) -> list[str]:
    """Return the fields of the grid that have several levels."""
    return [field for field, levels in (design.grid or {}).items() if len(levels) > 1]


def data(results: Results) -> dict[str, Any]:
    design = results.design
    metric, fields = design.primary, _fields(design)
    base = {"plot": "parallel", "title": f"Final {metric.label} by the levels of the grid: {design.name}"}
    if len(fields) < FIELDS:
        why = f"This experiment has no grid of {FIELDS} fields or more: there is nothing to draw side by side."
        return base | {"caption": sample(results), "empty": why, "axes": [], "lines": []}
    at = {arm.label: [str(arm.settings[field]) for field in fields] for arm in design.arms}
    levels = [list(dict.fromkeys(one[i] for one in at.values())) for i in range(len(fields))]
    summaries = zip(at, map(summarize, final_values(results, metric.name)), strict=True)
    lines = [
        {
            "label": label,
            "at": [levels[i].index(level) for i, level in enumerate(at[label])],
            "mean": finite_or_none(summary.mean),
            "n": summary.n,
        }
        for label, summary in summaries
    ]
    ended = [(str(line["label"]), line["mean"]) for line in lines if isinstance(line["mean"], float)]
    means = [mean for _, mean in ended]
    best = [label for label, mean in ended if mean == (min(means) if metric.sign < 0 else max(means))]
    caption = [
        sample(results),
        "Each line is a cell of the grid; on the last axis it ends at the mean of its runs: brighter ones are better.",
        "Within a level lines lie in the order of these means. Runs that diverged or failed are in no mean.",
        f"The best mean is that of {best[0]}." if best else "",
        f"Dashed: {len(lines) - len(means)} of {len(lines)} cells without a result." if len(means) < len(lines) else "",
    ]
    return base | {
        "caption": " ".join(filter(None, caption)),
        "empty": "",
        "outcome": metric.label,
        "kind": "share" if metric.share else "number",
        "less_is_better": metric.sign < 0,
        "limits": [min(means), max(means)] if means else None,
        "axes": [{"field": field, "levels": levels[i]} for i, field in enumerate(fields)],
        "lines": lines,
    }


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw the axes side by side, the last one that of the outcome, and the best lines above the others."""
    if data["empty"]:
        return draw_nothing(data)
    fields = data["axes"]
    wide = _WIDE * len(fields)
    named = [_names(one["levels"]) for one in fields]
    caption = " ".join(filter(None, [data["caption"], *(whole for _, whole in named)]))
    place = frame(data["title"], caption, _LEFT + wide + _RIGHT, _HIGH + _FOOT)
    axes = place.axes(_LEFT, _FOOT, wide, _HIGH)
    axes.set_axis_off()
    axes.set_xlim(0, len(fields))
    axes.set_ylim(0, 1)
    lines = sorted(data["lines"], key=lambda one: _goodness(one, data))
    for order, line in enumerate(lines):
        _line(axes, line, data, order)
    for i, one in enumerate(fields):
        _field(axes, i, one, named[i][0])
    _outcome(axes, len(fields), data)
    return place.figure


def _goodness(line: dict[str, Any], data: dict[str, Any]) -> float:
    """Return where a line's mean lies between the worst, 0, and the best, 1; -1 without a mean."""
    if line["mean"] is None:
        return -1.0
    low, high = data["limits"]
    part = (line["mean"] - low) / (high - low) if high > low else 0.5
    return 1 - part if data["less_is_better"] else part


def _line(axes: Axes, line: dict[str, Any], data: dict[str, Any], order: int) -> None:
    good = _goodness(line, data)
    shift = (max(good, 0.0) - 0.5) * SPREAD
    heights = [(level + 0.5 + shift) / len(one["levels"]) for level, one in zip(line["at"], data["axes"], strict=True)]
    if line["mean"] is None:
        axes.plot(range(len(heights)), heights, color=FAINT, lw=0.9, ls="--", zorder=1)
        return
    colour, end = _COLOURS(good), 1 - good if data["less_is_better"] else good
    axes.plot(range(len(heights) + 1), [*heights, end], color=colour, lw=0.9 + good, alpha=0.85, zorder=2 + order / 1e3)


def _names(levels: list[str]) -> tuple[list[str], str]:
    """Return what is written at the levels that are named, and in full those that have no room there."""
    every = -(-len(levels) // MOST_NAMED)
    shown, room = levels[::every], _HIGH * every / len(levels)
    lines = [wrap(level, _LABEL, _NAME) for level in shown]
    if max(map(len, lines)) * _LABEL * 1.3 / 72 <= room:
        return ["\n".join(text) for text in lines], ""
    return fitted(shown, _LABEL, _NAME)


def _field(axes: Axes, x: int, field: dict[str, Any], names: list[str]) -> None:
    _rule(axes, x, field["field"])
    levels = field["levels"]
    every = -(-len(levels) // MOST_NAMED)
    for i, name in enumerate(names):
        _write(axes, (x, (i * every + 0.5) / len(levels)), name, ha="right")


def _outcome(axes: Axes, x: int, data: dict[str, Any]) -> None:
    _rule(axes, x, data["outcome"])
    if data["limits"] is None:
        return
    low, high = data["limits"]
    for part in (0.0, 0.5, 1.0) if high > low else (0.5,):
        value = low + part * (high - low)
        text = f"{100 * value:.1f} %" if data["kind"] == "share" else plain_number(value, 3)
        _write(axes, (x, part), text, ha="left")


def _rule(axes: Axes, x: int, name: str) -> None:
    axes.plot([x, x], [0, 1], color=GREY, lw=1.0, zorder=4)
    axes.annotate(
        "\n".join(wrap(name, _LABEL * 1.1, _WIDE - 0.15)),
        (x, 0),
        xytext=(0, -8),
        textcoords="offset points",
        ha="center",
        va="top",
        size=_LABEL,
        color=INK,
        weight="bold",
        annotation_clip=False,
    )


def _write(axes: Axes, at: tuple[float, float], text: str, ha: str) -> None:
    axes.annotate(
        text,
        at,
        xytext=(-5 if ha == "right" else 5, 0),
        textcoords="offset points",
        ha=ha,
        va="center",
        size=_LABEL,
        color=INK,
        annotation_clip=False,
        zorder=5,
        bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
    )
