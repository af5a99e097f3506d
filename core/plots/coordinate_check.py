"""The plot `coordinate_check`: the size of each layer against the width, a line an update."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.analysis import coordinate_entries
from core.analysis.shapes import CoordinateLayer
from core.plots import Plot, plots
from core.plots.drawing.curves import sample
from core.plots.drawing.empty import draw_nothing
from core.plots.drawing.frames import frame, numbers, padded_log, set_axis
from core.plots.drawing.styles import COLOURS, GREY, INK, styled
from core.plots.drawing.text import wrap
from core.results import Results

MOST_ARMS = 4
MOST_LAYERS = 6
"""Most rows and columns of one picture."""
TICKS = 5
"""Most widths that are each written at the axis."""

_WIDE = {1: 4.2, 2: 3.4, 3: 2.6}
_HIGH, _GAP_X, _GAP_Y, _LEFT, _BOTTOM, _HEAD, _TITLE = 1.7, 0.2, 0.16, 0.78, 0.5, 0.26, 0.24
_LABEL, _NOTE = 9.5, 7.5


@plots.register(
    formula="geometric mean over seeds of the root mean square of a layer's activation, by width, before the first "
    "update and after each; slope of its logarithm over the width's, with 95 % intervals",
    source="core.analysis.coordinate_entries; Yang et al. 2022, arXiv:2203.03466, appendix D.1",
)
def coordinate_check() -> Plot:
    """Size of every layer against the width, a line an update, a row an arm: flat where the width does not matter."""
    return Plot(data, draw, lambda design: design.coordinate_check is not None)


def data(results: Results) -> dict[str, Any]:
    entries = coordinate_entries(results)
    base = {"plot": "coordinate_check", "title": f"Coordinate check: {results.design.name}"}
    if entries is None:
        why = 'This experiment is no coordinate check ("kind": "coordinate_check").'
        return base | {"caption": sample(results), "empty": why, "rows": []}
    drawn = [entry for entry in entries if entry["layers"]][:MOST_ARMS]
    columns = [_spread(entry["layers"]) for entry in drawn]
    rows = [
        {"label": entry["label"], "panels": [_panel(layer, entry["widths"]) for layer in layers]}
        for entry, layers in zip(drawn, columns, strict=True)
    ]
    widths = sorted({width for entry in drawn for width in entry["widths"]})
    cut = any(len(layers) < len(entry["layers"]) for entry, layers in zip(drawn, columns, strict=True))
    notes = [
        sample(results),
        "Dashed: before the first update; then one line an update, the darker the later. Below: the slope of the last, "
        "with its 95 % interval. Flat: the width does not matter.",
        f"Drawn are {MOST_LAYERS} of the layers, evenly from the first to the last." if cut else "",
        f"Drawn are the first {MOST_ARMS} of {len(entries)} arms." if len(entries) > MOST_ARMS else "",
    ]
    return base | {
        "empty": "" if rows else "nothing measured yet",
        "caption": " ".join(filter(None, notes)),
        "x": {"label": "width", "scale": "log", "kind": "number", "ticks": widths if len(widths) <= TICKS else []}
        | {"limits": padded_log(widths[0], widths[-1], 0.08) if widths else (1.0, 10.0)},
        "y": _axis(rows),
        "rows": rows,
    }


def _spread(layers: Sequence[CoordinateLayer]) -> list[CoordinateLayer]:
    """Return the first, the last, and evenly between them as many layers as there is room for."""
    count = min(len(layers), MOST_LAYERS)
    return [layers[i] for i in np.linspace(0, len(layers) - 1, count).round().astype(int)]


def _panel(layer: CoordinateLayer, widths: Sequence[int]) -> dict[str, Any]:
    order = sorted(range(len(widths)), key=lambda i: widths[i])
    last = layer["updates"][-1]
    sure = "" if last["ci_low"] is None else f" ({last['ci_low']:z.2f} to {last['ci_high']:z.2f})"
    return {
        "title": layer["name"],
        "note": "no slope" if last["slope"] is None else f"{last['slope']:z.2f}{sure}".replace("-", "−"),
        "lines": [
            {
                "update": fit["update"],
                "n": fit["n"],
                "x": [widths[i] for i in order],
                "y": [fit["sizes"][i] for i in order],
            }
            for fit in layer["updates"]
        ],
    }


def _axis(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the one axis of all sizes: what moves shows beside what does not."""
    found = [y for row in rows for panel in row["panels"] for line in panel["lines"] for y in line["y"] if y]
    low, high = padded_log(min(found), max(found), 0.1) if found else (0.1, 10.0)
    limits = (low * (low / high) ** 0.12, high)  # room for the slope below the lines
    return {"label": "size of the layer", "scale": "log", "kind": "number", "limits": limits}


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw a row of panels an arm, below its name."""
    if data["empty"]:
        return draw_nothing(data)
    columns = max(len(row["panels"]) for row in data["rows"])
    wide = _WIDE.get(columns, 1.75)
    across = max(_LEFT + columns * wide + (columns - 1) * _GAP_X, 6.0) + 0.1
    names = [wrap(row["label"], _LABEL * 1.1, across - _LEFT) for row in data["rows"]]  # bold is wider than measured
    titles = [[wrap(panel["title"], _LABEL, wide) for panel in row["panels"]] for row in data["rows"]]
    line, most = _LABEL * 1.3 / 72, max(len(title) for row in titles for title in row)
    title_high = _TITLE + (most - 1) * line
    each = _HEAD + (max(map(len, names)) - 1) * line + title_high + _HIGH + _GAP_Y
    down = _BOTTOM + each * len(data["rows"]) - _GAP_Y
    place = frame(data["title"], data["caption"], across, down)
    total_width, total_height = place.figure.get_size_inches()
    for i, row in enumerate(data["rows"]):
        bottom = down - (i + 1) * each + _GAP_Y
        y = (place.bottom + bottom + _HIGH + title_high + 0.06) / total_height
        name = "\n".join(names[i])
        place.figure.text((place.left + _LEFT) / total_width, y, name, size=_LABEL, weight="bold", color=INK)
        for k, panel in enumerate(row["panels"]):
            axes = place.axes(_LEFT + k * (wide + _GAP_X), bottom, wide, _HIGH, label=f"{i}, {k}")
            title = "\n".join(titles[i][k])
            _draw_panel(axes, panel | {"title": title}, data, names_x=i == len(data["rows"]) - 1, names_y=k == 0)
    return place.figure


def _draw_panel(axes: Axes, panel: dict[str, Any], data: dict[str, Any], names_x: bool, names_y: bool) -> None:
    axes.set_title(panel["title"])
    set_axis(axes, "x", data["x"] | ({} if names_x else {"label": ""}))
    set_axis(axes, "y", data["y"] | {"ticks": 4} | ({} if names_y else {"label": ""}))
    axes.tick_params(labelbottom=names_x, labelleft=names_y, length=2.5)
    axes.autoscale(False)
    last = panel["lines"][-1]["update"]
    for line in panel["lines"]:
        late = line["update"] / last if last else 1.0
        style: dict[str, Any] = {"color": COLOURS[0], "alpha": 0.3 + 0.7 * late, "lw": 1.0 + 0.7 * late}
        if line["update"] == 0:
            style = {"color": GREY, "lw": 1.1, "ls": (0, (4, 2))}
        axes.plot(line["x"], numbers(line["y"]), "o", ms=3 if line["update"] == last else 2, **style | {"ls": "none"})
        axes.plot(line["x"], numbers(line["y"]), **style)
    axes.text(0.97, 0.04, panel["note"], transform=axes.transAxes, ha="right", size=_NOTE, color=INK)
