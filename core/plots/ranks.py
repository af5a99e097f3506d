"""The plot `ranks`: the places that the verdict's decisions leave to every arm."""

from typing import Any

from matplotlib.figure import Figure

from core.analysis import compare_arms
from core.plots import Plot, plots
from core.plots.drawing.curves import sample
from core.plots.drawing.empty import draw_nothing
from core.plots.drawing.frames import frame, set_axis
from core.plots.drawing.named_rows import NamedRows
from core.plots.drawing.names import name_of, short_names
from core.plots.drawing.styles import COLOURS, GREY, RULE, styled
from core.results import Results

MOST_ROWS = 60
MOST_PLACES = 10
"""Most round places at the axis."""

_PANEL, _STEP = 5.0, 0.28


@plots.register(
    formula="from 1 + (arms that beat it) to k - (arms that it beats), of k arms",
    source="Mogstad, Romano, Shaikh & Wilhelm 2024, doi:10.1093/restud/rdad006, for the idea; by the report's "
    "decisions, so that no place contradicts a win",
)
def ranks() -> Plot:
    """Places that are left to every arm, 1 the best: a short bar is a sure place, a long one an open question."""
    return Plot(data, draw)


def data(results: Results) -> dict[str, Any]:
    metric = results.design.primary
    found = compare_arms(results.whole or results, metric.name)
    labels, names = set(results.design.labels), short_names((results.whole or results).design)
    order = {label: i for i, label in enumerate(found["verdict"]["order"])}
    every = [
        {"label": arm["label"], "shown": names[arm["label"]], "low": arm["rank_low"], "high": arm["rank_high"]}
        for arm in sorted(found["arms"], key=lambda arm: order.get(arm["label"], len(order)))
        if arm["label"] in labels and arm["rank_low"] is not None
    ]
    rows = every[:MOST_ROWS]
    last = max((arm["rank_high"] or 1 for arm in found["arms"]), default=1)
    won, pairs = sum(c["better"] is not None for c in found["comparisons"]), len(found["comparisons"])
    level = f"{100 * (1 - found['alpha']):g} %"
    notes = [
        sample(results),
        "Bar: from 1 more than the arms that beat it, to the number of arms less those that it beats; "
        f"{won} of {pairs} compared pairs have a winner. All hold together with {level} confidence at least.",
        f"Drawn are the first {MOST_ROWS} of {len(every)} arms." if len(every) > MOST_ROWS else "",
    ]
    return {
        "plot": "ranks",
        "title": f"Places by final {metric.label}: {results.design.name}",
        "caption": " ".join(filter(None, notes)),
        "empty": "" if len(rows) > 1 else "There are no two arms with finished runs: nothing has a place.",
        "rows": rows,
        "x": {"label": "place, 1 the best", "scale": "linear", "kind": "count", "limits": (0.5, last + 0.5)}
        | {"ticks": _places(last)},
    }


def _places(last: int) -> list[int]:
    """Return the places at the axis: the first, and round ones behind it."""
    steps = (1, 2, 5, 10, 20, 50, 100, 200, 500)
    every = next((step for step in steps if last <= MOST_PLACES * step), 1000)
    return [1, *range(max(every, 2), last + 1, every)]


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw a row an arm: left its name, right the bar of its places."""
    rows = data["rows"]
    if data["empty"]:
        return draw_nothing(data)
    named = NamedRows([name_of(row) for row in rows], least=_STEP)
    place = frame(data["title"], data["caption"], named.margin + _PANEL, named.total + 0.6)
    axes = place.axes(named.margin, 0.5, _PANEL, named.total)
    named.write(axes)
    set_axis(axes, "x", data["x"])
    for row, at in zip(rows, named.middles, strict=True):
        axes.axhline(at, color=RULE, lw=0.7, zorder=0)
        sure = row["low"] == row["high"]
        colour = COLOURS[0] if sure else GREY
        axes.plot([row["low"], row["high"]], [at, at], color=colour, lw=2.0, solid_capstyle="round", zorder=3)
        axes.plot([row["low"], row["high"]], [at, at], "o", ms=6, color=colour, mec="none", zorder=4)
    return place.figure
