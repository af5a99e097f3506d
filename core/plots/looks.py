"""The plot `looks`: how the decision came, from look to look at adaptive seeds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from core.analysis import looks_taken
from core.analysis.statistics.decisions import OPEN
from core.design import Design
from core.metrics import Metric
from core.plots import Plot, plots
from core.plots.drawing.curves import sample
from core.plots.drawing.differences import difference_axis, difference_unit
from core.plots.drawing.empty import draw_nothing
from core.plots.drawing.multiples import draw_multiples
from core.plots.drawing.names import short_names
from core.plots.drawing.styles import styled
from core.results import Results

MOST_PANELS = 12
"""Comparisons that are drawn, those that were open longest before others."""

Pair = tuple[str, str]


@plots.register(
    formula="the paired difference a - b after each look, with its interval at the look's level",
    source="core.analysis.take_look; O'Brien and Fleming 1979; repeated confidence intervals: Jennison and Turnbull "
    "1989",
)
def looks() -> Plot:
    """The difference of each pair of arms from look to look at adaptive seeds, until it was decided."""
    return Plot(data, draw, applies=lambda design: bool(design.looks))


def data(results: Results) -> dict[str, Any]:
    design, metric = results.design, results.design.primary
    courses: dict[Pair, list[tuple[int, Mapping[str, Any]]]] = defaultdict(list)
    for look in results.looks:
        for one in look["pairs"]:
            if {one["a"], one["b"]} <= set(design.labels):
                courses[one["a"], one["b"]].append((look["seeds"], one))
    longest = sorted(courses, key=lambda pair: -len(courses[pair]))[:MOST_PANELS]
    drawn = [pair for pair in courses if pair in longest]
    called, unit = short_names(design), difference_unit(metric)
    panels = [
        {
            "title": f"{called[a]} less {called[b]}",
            "note": _became(courses[a, b]),
            "lines": _lines(design, courses[a, b], unit),
        }
        for a, b in drawn
    ]
    axes = _axes(design, panels, metric) if panels else {}
    caption = [
        sample(results),
        "Dot: mean over the pairs (a pair: two runs of one seed); area: the interval at the look's level. A comparison "
        f"is decided where it leaves 0 out{', or lies within the margin' if design.margin else ''}."
        if panels
        else "",
        f"Drawn are {len(drawn)} of {len(courses)} comparisons, those that were open longest."
        if len(drawn) < len(courses)
        else "",
    ]
    key = [("mean", "difference"), ("zero", "no difference"), ("margin", "margin")][: 3 if design.margin else 2]
    return {
        "plot": "looks",
        "title": f"From look to look, final {metric.label}: {design.name}",
        "caption": " ".join(filter(None, caption)),
        "key": [{"role": role, "label": label} for role, label in key],
        "empty": _why_empty(results),
        "panels": [panel | axes for panel in panels],
    }


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw a panel a comparison: seeds to the right, the difference upwards."""
    return draw_multiples(data) if data["panels"] else draw_nothing(data)


def _became(course: Sequence[tuple[int, Mapping[str, Any]]]) -> str:
    seeds, last = course[-1]
    if last["decision"] == OPEN:
        return f"open after {seeds} seeds (N = {last['n']} pairs)"
    return f"{last['decision']}, decided after {seeds} seeds (N = {last['n']} pairs)"


def _lines(design: Design, course: Sequence[tuple[int, Mapping[str, Any]]], unit: int) -> list[dict[str, Any]]:
    def line(role: str, y: Sequence[float | None], **more: Any) -> dict[str, Any]:
        return {"role": role, "x": [0, design.looks[-1]], "y": list(y), "low": None, "high": None, **more}

    def scaled(key: str) -> list[float | None]:
        return [None if one[key] is None else unit * one[key] for _, one in course]

    margins = [] if design.margin is None else [unit * design.margin, -unit * design.margin]
    level = [line("zero", [0.0, 0.0], held=True), *(line("margin", [y, y], held=True) for y in margins)]
    about = {"x": [seeds for seeds, _ in course], "low": scaled("ci_low"), "high": scaled("ci_high")}
    return [*level, line("mean", scaled("difference"), **about)]


def _axes(design: Design, panels: Sequence[Mapping[str, Any]], metric: Metric) -> dict[str, Any]:
    """Return the axes of all panels. An interval of few seeds may be far wider than any difference: it is cut off."""
    lines = [line for panel in panels for line in panel["lines"]]
    later = [line["low"][-1:] + line["high"][-1:] for line in lines if line["low"]]
    y = difference_axis([line["y"] for line in lines] + later, metric)
    x = {"label": "seeds", "scale": "linear", "kind": "count", "limits": (0, design.looks[-1] * 1.04)}
    return {"x": x, "y": y}


def _why_empty(results: Results) -> str:
    taken = looks_taken(results)
    if taken is None:
        return "All seeds were trained in any case: nothing was looked at on the way."
    return f"The first look is taken after {taken.looks[0]} seeds."
