"""The plot `comparison`: final values of the arms, and their paired differences seed by seed."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.analysis import compare_arms, final_values
from core.analysis.shapes import ArmReport, Report
from core.finite import finite_or_none
from core.metrics import Measure
from core.plots import Plot, plots
from core.plots.drawing.bands import about_ends, bounds_of, ends
from core.plots.drawing.curves import Arms, arms_drawn, described, intervals, sample
from core.plots.drawing.differences import DECIDED, against, difference_axis, difference_unit
from core.plots.drawing.frames import HEADING, HEADING_LINE, Frame, frame, numbers, padded, padded_log, set_axis
from core.plots.drawing.names import name_of, short_names
from core.plots.drawing.styles import COLOURS, GREY, INK, RULE, styled
from core.plots.drawing.text import width, wrap
from core.results import Results

LOG_FROM = 100.0
"""Ratio of largest to smallest loss from which the axis of losses is logarithmic."""

_LABEL, _NOTE = 9.0, 7.5
_PANEL, _GAP = 3.7, 0.55


@plots.register(
    formula="last valid_accuracy (in regression valid_loss) of each run, its mean and 95 % interval (Student t, "
    "from ten runs on BCa bootstrap); differences paired by seed, Student t",
    source="core.analysis.report, whose numbers are drawn; Student 1908; BCa bootstrap: Efron 1987",
)
def comparison() -> Plot:
    """Final validation accuracy or loss of every run, best arm first, and paired differences from best or baseline."""
    return Plot(data, draw)


def data(results: Results) -> dict[str, Any]:
    metric = results.design.primary
    everything = results.whole or results
    found = compare_arms(everything, metric.name)
    arms = arms_drawn(results)
    values = dict(zip((arm["label"] for arm in found["arms"]), final_values(everything, metric.name), strict=True))
    notes = {one["label"]: one["note"] for one in described(arms, results)}
    names = short_names((results.whole or results).design)
    reference, pairs = against(found)
    rows = [
        {
            **{key: arm[key] for key in ("label", "n", "mean")},
            **dict(zip(("ci_low", "ci_high"), _ends(values[arm["label"]], arm, metric), strict=True)),
            "shown": names[arm["label"]],
            "note": notes[arm["label"]],
            "values": [finite_or_none(v) for v in values[arm["label"]]],
            "difference": _difference(arm["label"], reference, values, pairs, difference_unit(metric)),
        }
        for arm in _sorted(found, arms)
    ]
    several = any(row["n"] > 1 for row in rows)
    drawn = [arm for arm in found["arms"] if arm["label"] in arms.labels]
    among = f" All {len(found['arms'])} arms are compared." if results.whole is not None else ""
    notes_below = [
        sample(results),
        f"Faint: a run; in front: mean and 95 % interval ({intervals(drawn)}"
        f"{about_ends([row['n'] for row in rows], metric.share)})."
        if several
        else "Dot: a run.",
        f"Right: arm less {names[reference]}, faint a seed; bar: for all pairs together; orange: {DECIDED}.{among}"
        if reference
        else "",
        arms.note,
    ]
    differences = [row["difference"] for row in rows if row["difference"] is not None]
    apart = [[*one["values"], one["ci_low"], one["ci_high"]] for one in differences if one["mean"] is not None]
    return {
        "plot": "comparison",
        "title": f"Final {metric.label}: {results.design.name}",
        "caption": " ".join(filter(None, notes_below)),
        "seeds": results.design.seeds,
        "reference": reference,
        "reference_shown": names[reference] if reference else None,
        "rows": rows,
        "x": _axis([v for row in rows for v in [*row["values"], row["ci_low"], row["ci_high"]]], metric),
        "difference": difference_axis(apart, metric),
    }


def _ends(values: Any, arm: ArmReport, metric: Measure) -> tuple[float | None, float | None]:
    return ends(values, arm["ci_low"], arm["ci_high"], bounds_of(metric))


def _sorted(found: Report, arms: Arms) -> list[ArmReport]:
    """Return the arms to draw in the verdict's order, those without a mean last."""
    order = {label: i for i, label in enumerate(found["verdict"]["order"])}
    drawn = [arm for arm in found["arms"] if arm["label"] in arms.labels]
    return sorted(drawn, key=lambda arm: order.get(arm["label"], len(order)))


def _difference(label: str, reference: str | None, values: dict[str, Any], pairs: dict[str, Any], unit: int) -> Any:
    """Return arm less reference, the report's comparison from the arm's side; `unit` is 100 for percentage points."""
    if reference is None or label == reference:
        return None
    c = pairs[label]
    return {
        **{key: None if c[key] is None else unit * c[key] for key in ("mean", "ci_low", "ci_high")},
        "n": c["n"],
        "values": [finite_or_none(v) for v in unit * (values[label] - values[reference])],
        "decided": c["decided"],
    }


def _axis(values: list[float | None], metric: Measure) -> dict[str, Any]:
    known = [v for v in values if v is not None]
    limits = padded(min(known), max(known)) if known else (0.0, 1.0)
    axis: dict[str, Any] = {"label": metric.label, "kind": "number", "values": known}
    if metric.share:
        return axis | {
            "label": f"{axis['label']} (% of examples)",
            "scale": "linear",
            "kind": "share",
            "limits": limits,
        }
    positive = [v for v in known if v > 0]
    if positive and max(positive) / min(positive) >= LOG_FROM:  # an interval that reaches below zero ends at the axis
        return axis | {"scale": "log", "limits": padded_log(min(positive), max(positive))}
    return axis | {"scale": "linear", "limits": limits}


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw one row an arm: left its runs, right their differences from the reference."""
    rows = data["rows"]
    labels = [wrap(name_of(row), _LABEL, 2.4) for row in rows]
    notes = [", ".join(filter(None, [f"N = {row['n']}", row["note"]])) for row in rows]
    step = 0.46 if len(rows) <= 12 else 0.36
    heights = [max(step, (len(text) * _LABEL + _NOTE) * 1.3 / 72 + 0.06) for text in labels]
    middles = np.cumsum(heights) - np.array(heights) / 2
    margin = max(
        [width(line, _LABEL) for text in labels for line in text] + [width(note, _NOTE) for note in notes], default=0.5
    )
    panels = 1 if data["reference"] is None else 2
    each = _PANEL if panels == 2 else 6.0
    total, left = max(1.0, sum(heights)), margin + 0.15
    heading = wrap(f"difference from {data.get('reference_shown') or data['reference']}", HEADING, each)
    down = total + 0.8 + (len(heading) - 1) * HEADING_LINE
    place = frame(data["title"], data["caption"], left + panels * each + (panels - 1) * _GAP + 0.15, down)
    left_axes = _axes(place, left, each, total, data["x"], "runs, mean and 95 % interval")
    for row, at in zip(rows, middles, strict=True):
        _row(left_axes, row, at, len(data["seeds"]), COLOURS[0])
    for text, note, at in zip(labels, notes, middles, strict=True):
        _name(left_axes, text, note, at)
    if panels == 2:
        right = _axes(place, left + each + _GAP, each, total, data["difference"], "\n".join(heading))
        right.axvline(0, color=GREY, lw=0.9)
        for row, at in zip(rows, middles, strict=True):
            _difference_row(right, row, at, data)
    return place.figure


def _axes(place: Frame, left: float, wide: float, height: float, x: dict[str, Any], title: str) -> Axes:
    axes = place.axes(left, 0.5, wide, height)
    axes.set_ylim(height, 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_title(title)
    set_axis(axes, "x", x)
    return axes


def _row(axes: Axes, row: dict[str, Any], at: float, seeds: int, colour: str) -> None:
    axes.axhline(at, color=RULE, lw=0.7, zorder=0)
    x = numbers(row["values"])
    offset = np.linspace(-0.1, 0.1, seeds) if seeds > 1 else np.zeros(1)  # a seed has the same height in every row
    few, alone = row["n"] <= 20, row["n"] == 1
    alpha = 1.0 if alone else 0.35 if few else 0.2
    axes.plot(x, at + offset, "o", ms=3.8 if few else 2.4, color=colour, alpha=alpha, mec="none", zorder=2)
    if row["mean"] is None:
        axes.text(0.02, at, "no result", transform=axes.get_yaxis_transform(), color=GREY, size=8, va="center")
        return
    if row["ci_low"] is not None:
        axes.plot([row["ci_low"], row["ci_high"]], [at, at], color=INK, lw=1.6, zorder=3, solid_capstyle="butt")
    if row["n"] > 1:
        axes.plot([row["mean"]], [at], "o", ms=5.5, color=colour, mec=INK, mew=1.1, zorder=4)


def _difference_row(axes: Axes, row: dict[str, Any], at: float, data: dict[str, Any]) -> None:
    if row["label"] == data["reference"]:
        axes.text(0.02, at, "reference", transform=axes.get_yaxis_transform(), color=GREY, size=8, va="center")
    elif row["difference"]["mean"] is None:
        axes.text(0.02, at, "no pairs", transform=axes.get_yaxis_transform(), color=GREY, size=8, va="center")
    else:
        colour = COLOURS[1] if row["difference"]["decided"] else GREY
        _row(axes, row["difference"], at, len(data["seeds"]), colour)


def _name(axes: Axes, text: list[str], note: str, at: float) -> None:
    """Write lines below each other about the row's middle, at the left of the axes."""
    lines: list[tuple[str, dict[str, Any]]] = [(line, {"size": _LABEL}) for line in text]
    lines.append((note, {"size": _NOTE, "color": GREY}))
    down = -sum(look["size"] for _, look in lines) * 1.3 / 2
    for words, look in lines:
        axes.annotate(
            words,
            (0, at),
            xycoords=axes.get_yaxis_transform(),
            xytext=(-6, -(down + look["size"] * 1.3 / 2)),
            textcoords="offset points",
            ha="right",
            va="center_baseline",
            annotation_clip=False,
            **look,
        )
        down += look["size"] * 1.3
