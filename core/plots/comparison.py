"""What the arms came to, and by how much they differ seed by seed."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.analysis import best_first, final_values, finite, is_share, metric_name, report, summarize
from core.plots import Plot, plots
from core.plots._curves import Arms, arms_drawn, described, sample
from core.plots._frame import Frame, frame, padded, padded_log, set_axis
from core.plots._lines import numbers
from core.plots._style import COLOURS, GREY, styled
from core.plots._text import width, wrap
from core.results import Results

LOG_FROM = 100.0
"""Largest over smallest loss from which the axis of losses is logarithmic."""
SYMLOG_FROM = 30.0
"""Widest over narrowest difference from which the axis of differences is logarithmic on both sides."""

_LABEL, _NOTE = 9.0, 7.5
_PANEL, _GAP = 3.7, 0.55


@plots.register(
    formula="last valid_accuracy (in regression valid_loss) of each run, its mean and 95 % Student t interval; "
    "differences paired by seed",
    source="core.analysis.report, whose numbers are drawn",
)
def comparison() -> Plot:
    """Final validation accuracy or loss of every run, best arm first, and paired differences from best or baseline."""
    return Plot(data, draw)


def data(results: Results) -> dict[str, Any]:
    metric = results.outcomes[0]
    found = report(results, metric)
    arms = arms_drawn(results)
    values = dict(zip((arm["label"] for arm in found["arms"]), final_values(results, metric), strict=True))
    notes = {one["label"]: one["note"] for one in described(arms, results)}
    reference = found["comparisons"][0]["a"] if found["comparisons"] else None
    compared = {c["b"]: c for c in found["comparisons"] if c["a"] == reference}
    rows = [
        {
            **{key: arm[key] for key in ("label", "n", "mean", "ci_low", "ci_high")},
            "note": notes[arm["label"]],
            "values": [finite(v) for v in values[arm["label"]]],
            "difference": _difference(arm["label"], reference, values, compared, 100 if is_share(metric) else 1),
        }
        for arm in _sorted(found["arms"], values, arms, metric)
    ]
    title = f"Final {metric_name(metric)}"
    notes_below = [
        sample(results),
        "Dot: a run; bar: mean and 95 % interval (Student t)." if any(row["n"] > 1 for row in rows) else "Dot: a run.",
        f"Right: arm less {reference}, a dot a seed; orange: adjusted p < 0.05." if reference is not None else "",
        arms.note,
    ]
    return {
        "plot": "comparison",
        "title": f"{title}: {results.spec.name}",
        "caption": " ".join(filter(None, notes_below)),
        "seeds": results.spec.seed_list,
        "reference": reference,
        "rows": rows,
        "x": _axis([v for row in rows for v in [*row["values"], row["ci_low"], row["ci_high"]]], metric),
        "difference": _difference_axis([row["difference"] for row in rows if row["difference"] is not None], metric),
    }


def _sorted(found: list[dict[str, Any]], values: dict[str, Any], arms: Arms, metric: str) -> list[dict[str, Any]]:
    """The arms to draw, best first, those without a mean last."""
    drawn = [arm for arm in found if arm["label"] in arms.labels]
    order = best_first([summarize(values[arm["label"]]) for arm in drawn], metric)
    return [drawn[i] for i in [*order, *(i for i in range(len(drawn)) if i not in order)]]


def _difference(label: str, reference: str | None, values: dict[str, Any], compared: dict[str, Any], unit: int) -> Any:
    """Arm less reference, shares in percentage points (`unit` 100): the report's comparison, seen from the arm."""
    if reference is None or label == reference:
        return None
    c = compared[label]
    points = unit * (values[label] - values[reference])
    turned = {"mean": c["difference"], "ci_low": c["ci_high"], "ci_high": c["ci_low"]}
    return {
        **{key: None if value is None else -unit * value + 0.0 for key, value in turned.items()},
        "n": c["n"],
        "values": [finite(v) for v in points],
        "differs": c["p_adjusted"] is not None and c["p_adjusted"] < 0.05,
    }


def _axis(values: list[float | None], metric: str) -> dict[str, Any]:
    known = [v for v in values if v is not None]
    limits = padded(min(known), max(known)) if known else (0.0, 1.0)
    if is_share(metric):
        return {"label": f"{metric_name(metric)} (% of examples)", "scale": "linear", "kind": "share", "limits": limits}
    axis = {"label": metric_name(metric), "kind": "number"}
    positive = [v for v in known if v > 0]
    if positive and max(positive) / min(positive) >= LOG_FROM:  # an interval that reaches below zero ends at the axis
        return axis | {"scale": "log", "limits": padded_log(min(positive), max(positive))}
    return axis | {"scale": "linear", "limits": limits}


def _difference_axis(differences: list[dict[str, Any]], metric: str) -> dict[str, Any]:
    """Linear, unless some arms differ so much more than others that these could not be seen."""
    label = "difference (percentage points)" if is_share(metric) else f"difference in {metric_name(metric)}"
    x: dict[str, Any] = {"label": label, "scale": "linear", "kind": "number"}
    extents = [
        max(abs(v) for v in [*one["values"], one["ci_low"], one["ci_high"]] if v is not None)
        for one in differences
        if one["mean"] is not None
    ]
    ends = [v for one in differences for v in [*one["values"], one["ci_low"], one["ci_high"]] if v is not None]
    if not ends:
        return x | {"limits": (-1.0, 1.0)}
    low, high = min(0.0, *ends), max(0.0, *ends)
    small = min([e for e in extents if e > 0], default=0.0)
    if small == 0 or max(extents) / small < SYMLOG_FROM:
        return x | {"limits": padded(low, high, 0.06)}
    within = 10.0 ** math.floor(math.log10(small))
    label = f"{x['label']}; logarithmic beyond ±{within:g}"
    return x | {
        "label": label,
        "scale": "symlog",
        "linear_within": within,
        "limits": (_outward(low, within), _outward(high, within)),
    }


def _outward(value: float, within: float) -> float:
    return math.copysign(max(abs(value) * 1.6, within), value)


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw one row an arm: left its runs, right their differences from the reference."""
    rows = data["rows"]
    labels = [wrap(row["label"], _LABEL, 2.4, 2) for row in rows]
    notes = [", ".join(filter(None, [f"N = {row['n']}", row["note"]])) for row in rows]
    step = 0.46 if len(rows) <= 12 else 0.36
    if len(rows) > 12:
        labels = [wrap(row["label"], _LABEL, 2.4, 1) for row in rows]
    heights = [max(step, (len(text) * _LABEL + _NOTE) * 1.3 / 72 + 0.06) for text in labels]
    middles = np.cumsum(heights) - np.array(heights) / 2
    margin = max(
        [width(line, _LABEL) for text in labels for line in text] + [width(note, _NOTE) for note in notes], default=0.5
    )
    panels = 1 if data["reference"] is None else 2
    each = _PANEL if panels == 2 else 6.0
    total, left = max(1.0, sum(heights)), margin + 0.15
    place = frame(data["title"], data["caption"], left + panels * each + (panels - 1) * _GAP + 0.15, total + 0.8)
    left_axes = _axes(place, left, each, total, data["x"], "runs, mean and 95 % interval")
    for row, at in zip(rows, middles, strict=True):
        _row(left_axes, row, at, len(data["seeds"]), COLOURS[0])
    for text, note, at in zip(labels, notes, middles, strict=True):
        _name(left_axes, text, note, at)
    if panels == 2:
        [reference] = wrap(f"difference from {data['reference']}", 9.5, each, 1)
        right = _axes(place, left + each + _GAP, each, total, data["difference"], reference)
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
    axes.axhline(at, color="#f0f0f0", lw=0.7, zorder=0)
    x = numbers(row["values"])
    offset = np.linspace(-0.1, 0.1, seeds) if seeds > 1 else np.zeros(1)  # a seed has the same height in every row
    few = row["n"] <= 20
    axes.plot(
        x, at + offset, "o", ms=3.6 if few else 2.2, color=colour, alpha=0.55 if few else 0.3, mec="none", zorder=2
    )
    if row["mean"] is None:
        axes.text(0.02, at, "no result", transform=axes.get_yaxis_transform(), color=GREY, size=8, va="center")
        return
    if row["ci_low"] is not None:
        axes.plot([row["ci_low"], row["ci_high"]], [at, at], color="#222222", lw=1.4, zorder=3, solid_capstyle="butt")
    if row["n"] > 1:
        axes.plot([row["mean"]], [at], "|", ms=11, mew=1.8, color="#222222", zorder=4)


def _difference_row(axes: Axes, row: dict[str, Any], at: float, data: dict[str, Any]) -> None:
    if row["label"] == data["reference"]:
        axes.text(0.02, at, "reference", transform=axes.get_yaxis_transform(), color=GREY, size=8, va="center")
    elif row["difference"]["mean"] is None:
        axes.text(0.02, at, "no pairs", transform=axes.get_yaxis_transform(), color=GREY, size=8, va="center")
    else:
        colour = COLOURS[1] if row["difference"]["differs"] else GREY
        _row(axes, row["difference"], at, len(data["seeds"]), colour)


def _name(axes: Axes, text: list[str], note: str, at: float) -> None:
    line, small = _LABEL * 1.3 / 72, _NOTE * 1.3 / 72
    top = at - (len(text) * line + small) / 2
    where = axes.get_yaxis_transform()
    for i, words in enumerate(text):
        y = top + (i + 0.5) * line
        axes.text(-0.02, y, words, transform=where, ha="right", va="center_baseline", size=_LABEL)
    y = top + len(text) * line + small / 2
    axes.text(-0.02, y, note, transform=where, ha="right", va="center_baseline", size=_NOTE, color=GREY)
