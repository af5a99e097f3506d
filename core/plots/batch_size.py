"""The plot `batch_size`: updates and examples to the target by batch size, and the gradient noise scale."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.analysis import scan_entries, target_words
from core.analysis.shapes import Interval, ScanEntry, ScannedSize
from core.plots import Plot, plots
from core.plots.drawing.curves import sample
from core.plots.drawing.empty import draw_nothing
from core.plots.drawing.frames import frame, numbers, padded_log, plain_number, set_axis
from core.plots.drawing.styles import GREY, INK, PAPER, line_style, styled
from core.plots.drawing.text import width, wrap
from core.results import Results

MOST = 8
"""Most arms in one picture."""
TICKS = 8
"""Most sizes that are each written at the axis."""

_WIDE, _HIGH, _GAP, _LEFT, _BOTTOM, _TOP = 3.9, 3.6, 0.85, 0.78, 0.48, 0.26
_LABEL, _NOTE, _SWATCH, _MOST_LABEL = 8.5, 7.5, 0.26, 2.4


@plots.register(
    formula="mean updates and examples until the end of the first epoch that reached the target, with 95 % "
    "intervals, by batch size; tr(S) / |G|² with Fieller's interval",
    source="core.analysis.scan_entries; McCandlish et al. 2018, arXiv:1812.06162",
)
def batch_size() -> Plot:
    """Updates and examples to the target against batch size, with the gradient noise scale."""
    return Plot(data, draw, lambda design: design.batch_size_scan is not None)


def data(results: Results) -> dict[str, Any]:
    entries, settings, target = scan_entries(results), results.design.batch_size_scan, results.design.target
    base = {"plot": "batch_size", "title": f"Batch sizes: {results.design.name}"}
    if entries is None or settings is None or target is None:
        why = 'This experiment is no batch-size scan ("kind": "batch_size_scan").'
        return base | {"caption": sample(results), "empty": why, "panels": []}
    drawn = entries[:MOST]
    steps = [_line(i, entry, lambda size: size["steps"]) for i, entry in enumerate(drawn)]
    samples = [_line(i, entry, lambda size: size["samples"]) for i, entry in enumerate(drawn)]
    noise = [
        {"arm": i, **{key: entry["noise_scale"][key] for key in ("estimate", "ci_low", "ci_high", "n")}}
        for i, entry in enumerate(drawn)
        if entry["noise_scale"] is not None and entry["noise_scale"]["estimate"] is not None
    ]
    sizes = sorted({size["batch_size"] for entry in drawn for size in entry["sizes"]})
    ends = [end for one in noise for end in (one["estimate"], one["ci_low"], one["ci_high"]) if end]
    x = {
        "label": "batch size (examples)",
        "scale": "log",
        "kind": "number",
        "ticks": sizes if len(sizes) <= TICKS else [],
    }
    x |= {"limits": padded_log(min([*sizes, *ends], default=1), max([*sizes, *ends], default=1000), 0.06)}
    panels = [
        {"title": "updates to the target", "x": x, "y": _axis(steps, "updates"), "lines": steps},
        {"title": "training examples to the target", "x": x, "y": _axis(samples, "examples"), "lines": samples},
    ]
    panels[0]["perfect"] = [_perfect(line) for line in steps if len(line["x"]) > 1]
    goal = target_words(results.design)
    how = f"Target: {goal}, looked at after each epoch. Rate: rule {settings.rule!r} from batch size "
    return base | {
        "empty": "",
        "caption": " ".join([sample(results), f"{how}{settings.base}.", *_notes(entries, noise)]),
        "arms": [{"label": entry["label"], "note": _note(entry)} for entry in drawn],
        "panels": panels,
        "noise": noise,
    }


def _line(arm: int, entry: ScanEntry, of: Callable[[ScannedSize], Interval | None]) -> dict[str, Any]:
    """Return a line over the batch sizes with which some run reached the target; `whole` tells where all did."""
    there = [(size, found) for size in entry["sizes"] if (found := of(size)) is not None]
    return {
        "arm": arm,
        "role": "main",
        "raw": None,
        "x": [size["batch_size"] for size, _ in there],
        "y": [found["mean"] for _, found in there],
        "low": [found["ci_low"] for _, found in there],
        "high": [found["ci_high"] for _, found in there],
        "n": [size["n"] for size, _ in there],
        "whole": [size["n"] == size["runs"] for size, _ in there],
    }


def _perfect(line: dict[str, Any]) -> dict[str, Any]:
    """Return the line of perfect scaling: half the updates for twice the batch, from the smallest batch on."""
    first = min(range(len(line["x"])), key=lambda i: line["x"][i])
    ends = [line["x"][first], max(line["x"])]
    return {"arm": line["arm"], "x": ends, "y": [line["y"][first] * ends[0] / end for end in ends]}


def _axis(lines: Sequence[dict[str, Any]], what: str) -> dict[str, Any]:
    found = [v for line in lines for key in ("y", "low", "high") for v in line[key] if v is not None and v > 0]
    limits = padded_log(min(found), max(found), 0.08) if found else (1.0, 10.0)
    return {"label": what, "scale": "log", "kind": "number", "limits": limits}


def _notes(entries: Sequence[ScanEntry], noise: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield "Dot: mean over the seeds that reached it, hollow where some did not; bar: 95 % interval."
    yield "Faint line: half the updates for twice the batch."
    if noise:
        yield "Dashed: gradient noise scale; band: its 95 % interval (Fieller), open to the right where it has no end."
    ends = (low for entry in entries for size in entry["sizes"] for low in _lower_ends(size))
    if any(low is not None and low <= 0 for low in ends):
        yield "A bar that ends at the picture's lower edge goes on below 0, which no logarithmic axis has."
    missing = sum(size["n"] == 0 for entry in entries for size in entry["sizes"])
    if missing:
        yield f"{missing} of {sum(len(entry['sizes']) for entry in entries)} sizes have no run that reached it."
    if len(entries) > MOST:
        yield f"Drawn are the first {MOST} of {len(entries)} arms."


def _lower_ends(size: ScannedSize) -> Iterator[float | None]:
    for found in (size["steps"], size["samples"]):
        if found is not None:
            yield found["ci_low"]


def _note(entry: ScanEntry) -> str:
    scale = entry["noise_scale"]
    if scale is None or scale["estimate"] is None:
        return ""
    sure = "" if scale["ci_low"] is None else f" ({_rounded(scale['ci_low'])} to {_rounded(scale['ci_high'])})"
    return f"noise scale {_rounded(scale['estimate'])}{sure}, N = {scale['n']}"


def _rounded(value: float | None) -> str:
    return "∞" if value is None else f"{value:,.0f}" if value >= 10 else plain_number(value, 2)


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw the two panels side by side, and the arms' names beside them."""
    if data["empty"]:
        return draw_nothing(data)
    texts = [(wrap(arm["label"], _LABEL, _MOST_LABEL), wrap(arm["note"], _NOTE, _MOST_LABEL)) for arm in data["arms"]]
    widths = [
        width(line, size) for text, note in texts for lines, size in ((text, _LABEL), (note, _NOTE)) for line in lines
    ]
    gutter = 0.2 + _SWATCH + 0.07 + max(widths, default=0.0)
    heights = [(len(text) * _LABEL + len(note) * _NOTE) * 1.3 / 72 + 0.06 for text, note in texts]
    high = max(_HIGH, sum(heights))
    place = frame(data["title"], data["caption"], _LEFT + 2 * _WIDE + _GAP + gutter, _BOTTOM + high + _TOP)
    for i, panel in enumerate(data["panels"]):
        axes = place.axes(_LEFT + i * (_WIDE + _GAP), _BOTTOM, _WIDE, high)
        _panel(axes, panel, data["noise"])
    total_width, total_height = place.figure.get_size_inches()
    left = (place.left + _LEFT + 2 * _WIDE + _GAP + 0.2) / total_width
    y = (place.bottom + _BOTTOM + high) / total_height
    for arm, (text, note) in enumerate(texts):
        y -= 0.06 / total_height
        line = {"transform": place.figure.transFigure, "clip_on": False, "lw": 2, **line_style(arm)}
        axes.plot([left, left + _SWATCH / total_width], [y - 0.07 / total_height] * 2, **line)
        for lines, size, colour in ((text, _LABEL, INK), (note, _NOTE, GREY)):
            for words in lines:
                at = left + (_SWATCH + 0.07) / total_width
                place.figure.text(at, y, words, size=size, color=colour, va="top")
                y -= size * 1.3 / 72 / total_height
    return place.figure


def _panel(axes: Axes, panel: dict[str, Any], noise: Sequence[dict[str, Any]]) -> None:
    axes.set_title(panel["title"])
    set_axis(axes, "x", panel["x"])
    set_axis(axes, "y", panel["y"])
    axes.autoscale(False)
    for one in noise:
        colour = line_style(one["arm"])["color"]
        axes.axvline(one["estimate"], color=colour, lw=1.0, ls=(0, (4, 3)), alpha=0.8, zorder=1.2)
        if one["ci_low"] is not None:
            end = panel["x"]["limits"][1] if one["ci_high"] is None else one["ci_high"]
            axes.axvspan(one["ci_low"], end, color=colour, alpha=0.08, lw=0, zorder=1)
    for line in panel.get("perfect", []):
        axes.plot(line["x"], line["y"], color=line_style(line["arm"])["color"], lw=0.8, alpha=0.35, zorder=1.5)
    for line in panel["lines"]:
        _draw_line(axes, line)
    if not any(line["x"] for line in panel["lines"]):
        axes.text(0.5, 0.5, "no run reached the target", transform=axes.transAxes, ha="center", color=GREY)


def _draw_line(axes: Axes, line: dict[str, Any]) -> None:
    style = line_style(line["arm"])
    order = sorted(range(len(line["x"])), key=lambda i: line["x"][i])
    x, y, low, high = ([line[key][i] for i in order] for key in ("x", "y", "low", "high"))
    axes.plot(x, y, **style, lw=1.3, zorder=3)
    axes.vlines(x, numbers(low), numbers(high), color=style["color"], lw=1.4, alpha=0.8, zorder=3)
    for i, at in enumerate(order):
        face = style["color"] if line["whole"][at] else PAPER
        axes.plot([x[i]], [y[i]], "o", ms=5, color=style["color"], mfc=face, zorder=4)
