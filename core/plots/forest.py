"""The plot `forest`: paired differences between arms, with their intervals."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.analysis import compare_arms
from core.plots import Plot, plots
from core.plots.drawing.curves import sample
from core.plots.drawing.differences import DECIDED, against, difference_axis, difference_unit, relative_to
from core.plots.drawing.empty import draw_nothing
from core.plots.drawing.estimates import estimate
from core.plots.drawing.frames import HEADING, HEADING_LINE, frame, set_axis
from core.plots.drawing.named_rows import NamedRows
from core.plots.drawing.names import name_of, short_names
from core.plots.drawing.styles import COLOURS, GREY, INK, RULE, styled
from core.plots.drawing.text import width, wrap
from core.results import Results

MOST_ROWS = 40
FEW_PAIRS = 15
"""Up to so many, all pairs are drawn; of more those with the baseline or the best arm."""

ENDS = ("mean", "ci_low", "ci_high", "alone_low", "alone_high")
_NUMBER = 8.5
_PANEL, _STEP = 4.2, 0.3
_COLUMN_GAP = 0.22


@plots.register(
    formula="arm less the one it is compared with, seed by seed: mean, Student t intervals that hold for all pairs "
    "together (Bonferroni) and for each alone, the margin; p adjusted by Holm",
    source="core.analysis.report, whose comparisons are drawn; Student 1908; Holm 1979; Schuirmann 1987",
)
def forest() -> Plot:
    """Paired differences with both intervals, the margin within which they do not matter, and the decisions."""
    return Plot(data, draw)


def data(results: Results) -> dict[str, Any]:
    metric = results.design.primary
    found = compare_arms(results.whole or results, metric.name)
    labels = set(results.design.labels)
    reference, mine = against(found)
    among = len(found["arms"])
    names = short_names((results.whole or results).design)
    every = [{"label": arm, "shown": names[arm]} | one for arm, one in mine.items() if arm in labels]
    pairs = [c for c in found["comparisons"] if c["a"] in labels and c["b"] in labels]
    if len(every) < len(pairs) <= FEW_PAIRS:
        every = [
            {"label": f"{c['b']} less {c['a']}", "shown": f"{names[c['b']]} less {names[c['a']]}"}
            | relative_to(c, c["a"])
            for c in pairs
        ]
        reference = None
    unit = difference_unit(metric)
    rows = [
        {
            "label": one["label"],
            "shown": one["shown"],
            "n": one["n"],
            **{key: None if one[key] is None else unit * one[key] for key in ENDS},
            "p_adjusted": one["p_adjusted"],
            "decision": one["decision"],
            "decided": one["decided"],
        }
        for one in _foremost(every)
    ]
    level, margin = f"{100 * (1 - found['alpha']):.4g} %", found["margin"]
    if margin is not None:
        margin *= unit
    notes = [
        sample(results),
        f"Dot: mean over the pairs (a pair: two runs of one seed). Thin: {level} interval for all pairs together, "
        "thick: for each alone (Student t)."
        if rows
        else "",
        f"p: two-sided, by Holm for all that is compared among the {among} arms. Orange: {DECIDED}." if rows else "",
        "Green: equivalent; band: the margin." if rows and margin is not None else "",
        f"Drawn are {MOST_ROWS} of {len(every)} comparisons, those that are decided before others."
        if len(every) > MOST_ROWS
        else "",
    ]
    return {
        "plot": "forest",
        "title": f"Differences in final {metric.label}: {results.design.name}",
        "caption": " ".join(filter(None, notes)),
        "reference": reference,
        "reference_shown": names[reference] if reference else None,
        "empty": _why_empty(among, len(labels)),
        "digits": 2 if metric.share else 4,
        "level": level,
        "margin": margin,
        "rows": rows,
        "x": difference_axis(
            [*([row[key] for key in ENDS] for row in rows), [margin, -margin] if margin else []], metric
        ),
    }


def _foremost(every: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return as many comparisons as there is room for, in their order: those that are decided before others."""
    order = sorted(range(len(every)), key=lambda i: every[i]["decision"] == "open")
    return [every[i] for i in sorted(order[:MOST_ROWS])]


def _why_empty(arms: int, drawn: int) -> str:
    if arms == 1:
        return "There is one arm: nothing to compare it with."
    if drawn == 1:
        return "The one arm that was asked for is what the others are compared with."
    return "Nothing can be compared yet: no arm has a finished run."


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw a row a comparison: left its name, in the middle the interval, right the numbers."""
    rows = data["rows"]
    if not rows:
        return draw_nothing(data)
    named = NamedRows([name_of(row) for row in rows], least=_STEP)
    columns = {
        "N": [f"{row['n']}" for row in rows],
        f"difference ({data.get('level', '95 %')}, together)": [_difference(row, data["digits"]) for row in rows],
        "adjusted p": [_p(row["p_adjusted"]) for row in rows],
        "decision": [row.get("decision", "") for row in rows],
    }
    widths = [max(width(text, _NUMBER) for text in (name, *column)) for name, column in columns.items()]
    across = named.margin + _PANEL + sum(widths) + len(widths) * _COLUMN_GAP
    heading = wrap(f"arm less {data.get('reference_shown') or data['reference']}", HEADING, _PANEL)
    down = named.total + 0.85 + (len(heading) - 1) * HEADING_LINE
    place = frame(data["title"], data["caption"], across, down)
    axes = place.axes(named.margin, 0.5, _PANEL, named.total)
    named.write(axes)
    _axis(axes, data, "\n".join(heading))
    for row, at in zip(rows, named.middles, strict=True):
        _row(axes, row, at)
    right = 0.0
    for (name, column), wide in zip(columns.items(), widths, strict=True):
        right += _COLUMN_GAP + wide
        _write(axes, (1, 0), right, name, up=0.13, size=_NUMBER, color=GREY)
        for at, number in zip(named.middles, column, strict=True):
            _write(axes, (1, at), right, number, size=_NUMBER)
    return place.figure


def _axis(axes: Axes, data: dict[str, Any], heading: str) -> None:
    set_axis(axes, "x", data["x"])
    axes.axvline(0, color=GREY, lw=0.9)
    if data.get("margin"):
        axes.axvspan(-data["margin"], data["margin"], color=COLOURS[2], alpha=0.12, lw=0, zorder=0)
    if data["reference"] is not None:
        axes.set_title(heading)


def _row(axes: Axes, row: dict[str, Any], at: float) -> None:
    axes.axhline(at, color=RULE, lw=0.7, zorder=0)
    if row["mean"] is None:
        axes.text(0.02, at, "no pairs", transform=axes.get_yaxis_transform(), color=GREY, size=8, va="center")
        return
    colour = COLOURS[1] if row["decided"] else COLOURS[2] if row.get("decision") == "equivalent" else COLOURS[6]
    for low, high, wide in (("ci_low", "ci_high", 1.0), ("alone_low", "alone_high", 3.0)):
        if row.get(low) is not None:
            axes.plot([row[low], row[high]], [at, at], color=colour, lw=wide, solid_capstyle="butt", zorder=3)
    axes.plot([row["mean"]], [at], "o", ms=6, color=colour, mec=INK, mew=0.8, zorder=4)


def _write(axes: Axes, at: tuple[float, float], inches: float, text: str, up: float = 0.0, **look: Any) -> None:
    """Write text that ends `inches` right of a side of the axes (0 or 1), at a row's height or `up` inches above it."""
    axes.annotate(
        text,
        at,
        xycoords=axes.get_yaxis_transform(),
        xytext=(inches * 72, up * 72),
        textcoords="offset points",
        ha="right",
        va="center",
        annotation_clip=False,
        **look,
    )


def _difference(row: dict[str, Any], digits: int) -> str:
    if row["mean"] is None:
        return "–"

    decimals = 2 if digits == 2 else None
    return estimate(row["mean"], (row["ci_low"], row["ci_high"]), decimals=decimals, signed=True)


def _p(p: float | None) -> str:
    return "–" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"
