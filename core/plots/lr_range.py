"""The plot `lr_range`: loss against learning rate in a range test."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.analysis import RangeCurve, range_curves, range_entries, range_rates, thin
from core.analysis.shapes import RangeEntry
from core.finite import finite_list
from core.plots import Plot, plots
from core.plots.drawing.curves import POINTS, Floats, sample
from core.plots.drawing.empty import draw_nothing
from core.plots.drawing.frames import padded, padded_log, plain_number
from core.plots.drawing.lines import draw_lines
from core.plots.drawing.styles import MOST_ARMS, PAPER, line_style, styled
from core.plots.drawing.value_axes import loss_axis
from core.results import Results

ABOVE = 1.4
"""Upper end of the axis, relative to the highest first loss: diverging losses lie beyond."""
MARKS = {"suggested": "o", "least": "v", "diverged": "X"}


@plots.register(
    formula="mean over seeds of the smoothed train_loss by rate, s(t) = sum of b^|t-u|·loss(u) over sum of b^|t-u|",
    source="core.analysis.range_entries, whose rates are marked; Smith 2017, arXiv:1506.01186; fastai",
)
def lr_range() -> Plot:
    """Loss of a range test while the rate rises: the rates it suggests, and where it diverges."""
    return Plot(data, draw, lambda design: design.lr_range is not None)


def data(results: Results) -> dict[str, Any]:
    settings = results.design.lr_range
    curves = [] if settings is None else range_curves(results)
    entries = range_entries(results, curves)
    base = {"plot": "lr_range", "title": f"Learning-rate range test: {results.design.name}"}
    if entries is None or settings is None:
        why = 'This experiment is no learning-rate range test ("kind": "lr_range_test").'
        return base | {"caption": sample(results), "empty": why, "panels": []}
    ramp = range_rates(settings)
    drawn = list(zip(entries, curves, strict=True))[:MOST_ARMS]
    lines = [_line(i, entry, curve, ramp) for i, (entry, curve) in enumerate(drawn) if len(curve.smooth)]
    y = _axis(lines, loss_axis(results.design))
    panel = {
        "title": "loss of one batch before its update, smoothed",
        "x": {"label": "learning rate", "scale": "log", "kind": "number"}
        | {"limits": padded_log(settings.low, settings.high, 0.015)},
        "y": y,
        "lines": lines,
    }
    notes = [
        sample(results),
        "Thick: mean over seeds of the smoothed loss; band: range over seeds; faint: mean before smoothing.",
        "Circle: falls fastest, the rate suggested; triangle: least loss; X: diverges. A heuristic.",
        f"Losses above {plain_number(y['limits'][1], 2)} lie above the picture." if lines else "",
        f"Drawn are the first {MOST_ARMS} of {len(entries)} arms." if len(entries) > MOST_ARMS else "",
    ]
    return base | {
        "empty": "",
        "caption": " ".join(filter(None, notes)),
        "arms": [{"label": entry["label"], "note": _note(entry)} for entry, _ in drawn],
        "panels": [panel],
        "marks": [mark for i, (entry, curve) in enumerate(drawn) for mark in _marks(i, entry, curve, ramp)],
    }


def _line(arm: int, entry: RangeEntry, curve: RangeCurve, ramp: Floats) -> dict[str, Any]:
    """Return an arm's line up to where it diverges: later losses say nothing about the rate."""
    diverged = entry["diverged"]
    end = len(ramp) if diverged is None else int(np.abs(ramp - diverged["lr"]).argmin()) + 1
    length = min(end, len(curve.smooth))
    rates = ramp[:length]
    at, at_raw = (thin(np.arange(length), y[:length], POINTS) for y in (curve.smooth, curve.mean))
    seeds = np.stack([one[:length] for one in curve.smoothed])
    band = {"low": finite_list(seeds.min(axis=0)[at]), "high": finite_list(seeds.max(axis=0)[at])}
    return {
        "arm": arm,
        "role": "main",
        "seed": None,
        "n": len(seeds),
        "x": rates[at].tolist(),
        "y": finite_list(curve.smooth[at]),
        **(band if len(seeds) > 1 else dict.fromkeys(band)),
        "raw": {"x": rates[at_raw].tolist(), "y": finite_list(curve.mean[at_raw])},
    }


def _axis(lines: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    starts = [line["y"][0] for line in lines]
    low = min([min(line["y"]) for line in lines], default=0.0)
    limits = padded(min(low, 0.0), ABOVE * max(starts)) if starts else (0.0, 1.0)
    return {"label": f"training loss: {name}", "scale": "linear", "kind": "number", "limits": limits}


def _note(entry: RangeEntry) -> str:
    said = [(entry["suggested"], "suggested {}"), (entry["diverged"], "diverges from {}")]
    words = [text.format(plain_number(one["lr"], 2)) for one, text in said if one is not None]
    return f"{', '.join(words) or 'no rate suggested'}; N = {entry['n']}"


def _marks(arm: int, entry: RangeEntry, curve: RangeCurve, ramp: Floats) -> list[dict[str, Any]]:
    found = []
    rated = {"suggested": entry["suggested"], "least": entry["least"], "diverged": entry["diverged"]}
    for kind, one in rated.items():
        if one is not None and len(curve.smooth):
            at = int(np.abs(ramp - one["lr"]).argmin())
            loss = float(curve.smooth[min(at, len(curve.smooth) - 1)])
            found.append({"arm": arm, "kind": kind, "x": one["lr"], "y": loss})
    return found


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw the curves, and on them the rates that are marked."""
    if data["empty"]:
        return draw_nothing(data)
    figure = draw_lines(data)
    for mark in data["marks"]:
        _mark(figure.axes[0], mark)
    return figure


def _mark(axes: Axes, mark: dict[str, Any]) -> None:
    colour = line_style(mark["arm"])["color"]
    low, high = axes.get_ylim()
    y = min(max(mark["y"], low), high)
    if mark["kind"] == "suggested":
        axes.vlines(mark["x"], low, y, color=colour, lw=0.8, alpha=0.6, zorder=2)
    axes.plot(
        [mark["x"]], [y], MARKS[mark["kind"]], ms=8 if mark["kind"] != "least" else 6,
        color=colour, mec=PAPER, clip_on=False, zorder=5,
    )  # fmt: skip
