"""The plot `variance`: how much of each arm's spread is whose, of the sources of randomness that vary."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.analysis import compare_arms
from core.analysis.shapes import Report, Variance
from core.analysis.shapes.variance import ArmVariance, SourceVariance
from core.design import SOURCE_NAMES, Source
from core.metrics import Measure
from core.plots import Plot, plots
from core.plots.drawing.curves import sample
from core.plots.drawing.empty import draw_nothing
from core.plots.drawing.frames import frame, padded, set_axis
from core.plots.drawing.named_rows import NamedRows
from core.plots.drawing.names import name_of, short_names
from core.plots.drawing.styles import COLOURS, GREY, INK, RULE, styled
from core.results import Results

MOST_ROWS = 40
COLOUR: dict[Source, int] = {"init": 0, "split": 1, "order": 2, "dropout": 3}

_PANEL, _STEP, _BETWEEN = 5.0, 0.2, 0.14


@plots.register(
    formula="share: 2W / (W + B), of pairs of runs that differ by one source alone; W = mean of d²/2 within pairs, "
    "B = twice the variance of the pairs' means",
    source="core.analysis: Jansen 1999, doi:10.1016/S0010-4655(98)00154-4; Shrout & Fleiss 1979, "
    "doi:10.1037/0033-2909.86.2.420; Bouthillier et al. 2021, arXiv:2103.03098",
)
def variance() -> Plot:
    """Where an arm's spread comes from: the share of each source of randomness, with its interval."""
    return Plot(data, draw, applies=lambda design: bool(design.vary))


def data(results: Results) -> dict[str, Any]:
    whole = results.whole or results
    metric = results.design.primary
    report = compare_arms(whole, metric.name)
    found, labels = report["variance"], set(results.design.labels)
    names = short_names(whole.design)
    arms = [arm for arm in found["arms"] if arm["label"] in labels] if found else []
    rows: list[dict[str, Any]] = [
        {"label": arm["label"], "shown": names[arm["label"]], "n": arm["n"], "sources": _sources(arm)}
        for arm in arms[:MOST_ROWS]
    ]
    drawn = [one for row in rows for one in row["sources"]]
    several = found is not None and len(found["varied"]) > 1
    notes = [sample(results), *(_notes(found, several) if found else [])]
    if len(arms) > MOST_ROWS:
        notes.append(f"Drawn are the first {MOST_ROWS} of {len(arms)} arms.")
    return {
        "plot": "variance",
        "title": f"Where the spread of the final {metric.label} comes from: {results.design.name}",
        "caption": " ".join(notes),
        "empty": "" if drawn else _why_nothing(found),
        "rows": rows,
        "sources": [{"name": one, "shown": SOURCE_NAMES[one].removeprefix("the ")} for one in _varied(report)],
        "x": _axis(several, metric, [end for one in drawn for end in (one["high"], one["value"]) if end is not None]),
    }


def _why_nothing(found: Variance | None) -> str:
    if found is None:
        return 'No sources of randomness are named apart: "vary" in the spec names them.'
    return "Too few runs have ended, or they do not differ: there is no spread to share out."


def _varied(report: Report) -> list[Source]:
    return report["variance"]["varied"] if report["variance"] else []


def _sources(arm: ArmVariance) -> list[dict[str, Any]]:
    """Return what can be drawn of an arm: shares of its variance, or of one source alone its spread."""
    found = []
    for one in arm["sources"]:
        value, low, high = _drawn(one, alone=len(arm["sources"]) == 1)
        if value is not None:
            found.append({"source": one["source"], "n": one["n"], "value": value, "low": low, "high": high})
    return found


def _drawn(one: SourceVariance, *, alone: bool) -> tuple[float | None, float | None, float | None]:
    if alone:
        return one["sd"], one["sd_interval"]["ci_low"], one["sd_interval"]["ci_high"]
    share = one["share"]
    return (None, None, None) if share is None else (share["estimate"], share["ci_low"], share["ci_high"])


def _axis(several: bool, metric: Measure, ends: list[float]) -> dict[str, Any]:
    if several:
        limits = (0.0, max(1.0, *ends) * 1.02 if ends else 1.0)
        return {"label": "share of the variance of a run", "scale": "linear", "kind": "share", "limits": limits}
    kind = "share" if metric.share else "number"
    label = f"standard deviation over seeds of {metric.label}"
    return {"label": label, "scale": "linear", "kind": kind, "limits": (0.0, padded(0.0, max(ends, default=1.0))[1])}


def _notes(found: Variance, several: bool) -> list[str]:
    notes = ["Line: 95 % interval."]
    if several:
        notes.append(
            "Each run was trained again with another seed of one source alone. What a source does only together with "
            "others is in the share of each: they may add up to more than 100 %. One share beyond 100 % is chance."
        )
    if found["fixed"]:
        kept = ", ".join(SOURCE_NAMES[source] for source in found["fixed"])
        notes.append(f"The same in every run, and in no number here: {kept}.")
    return notes


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw a row an arm: left its name, right a point with its interval for each source."""
    rows, sources = data["rows"], [one["name"] for one in data["sources"]]
    if data["empty"]:
        return draw_nothing(data)
    named = NamedRows([name_of(row) for row in rows], least=_STEP + _BETWEEN * len(sources))
    place = frame(data["title"], data["caption"], named.margin + _PANEL, named.total + 0.85)
    axes = place.axes(named.margin, 0.5, _PANEL, named.total)
    named.write(axes)
    set_axis(axes, "x", data["x"])
    for row, at in zip(rows, named.middles, strict=True):
        axes.axhline(at, color=RULE, lw=0.7, zorder=0)
        for one in row["sources"]:
            _point(axes, one, at + (sources.index(one["source"]) - (len(sources) - 1) / 2) * _BETWEEN)
    if data["x"]["label"].startswith("share"):
        axes.axvline(1.0, color=GREY, lw=0.9, zorder=1)
    handles = [axes.plot([], [], "o", ms=6, color=COLOURS[COLOUR[one["name"]]], label=one["shown"])[0]
               for one in data["sources"]]  # fmt: skip
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, frameon=False, borderaxespad=0.2)
    return place.figure


def _point(axes: Axes, one: dict[str, Any], at: float) -> None:
    colour = COLOURS[COLOUR[one["source"]]]
    if one["low"] is not None:
        axes.plot([one["low"], one["high"]], [at, at], color=colour, lw=1.6, solid_capstyle="butt", zorder=3)
    axes.plot([one["value"]], [at], "o", ms=6, color=colour, mec=INK, mew=0.6, zorder=4, clip_on=False)
