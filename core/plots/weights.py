"""The values that each arm's weights start from."""

from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from core.plots import Plot, plots
from core.plots._curves import sample
from core.plots._frame import frame, padded, plain_number
from core.plots._style import COLOURS, FAINT, GREY, styled
from core.plots._text import elide, width, wrap
from core.results import Results
from core.spec import Arm
from core.training import examples_of, initial_state

BINS = 60
MOST_ROWS, MOST_LAYERS = 24, 5

_LABEL = 9.0
_WIDE, _HIGH, _GAP_X, _GAP_Y = 2.0, 0.52, 0.22, 0.52


@plots.register(
    formula="histogram of each layer's initial weights, drawn again from the arm's initializer and the first seed",
    source="core.training.initial_state: the very values that the trainer started from",
)
def weights() -> Plot:
    """Histograms of the initial weights, one row for each way to start, one column a layer."""
    return Plot(data, draw)


def data(results: Results) -> dict[str, Any]:
    """Raises `DataError` where the data set, which decides the first and the last layer's shape, is gone."""
    seed = results.spec.seed_list[0]
    starts: dict[str, list[Arm]] = {}
    for arm in results.spec.expanded:
        starts.setdefault(repr((arm.treatment.initializer, arm.treatment.model, arm.treatment.dataset)), []).append(arm)
    rows = [_row(arms, seed, results) for arms in list(starts.values())[:MOST_ROWS]]
    names = list(dict.fromkeys(layer["name"] for row in rows for layer in row["layers"]))
    drawn = names if len(names) <= MOST_LAYERS else [*names[: MOST_LAYERS - 1], names[-1]]
    for row in rows:
        row["layers"] = [layer for layer in row["layers"] if layer["name"] in drawn]
    notes = [
        sample(results),
        f"Weights of seed {seed}, without biases; sd: their standard deviation. Every histogram has its own axis.",
        f"Drawn are {len(drawn)} of {len(names)} layers." if len(drawn) < len(names) else "",
        f"Drawn are the first {MOST_ROWS} of {len(starts)} ways to start." if len(starts) > MOST_ROWS else "",
    ]
    return {
        "plot": "weights",
        "title": f"Initial weights: {results.spec.name}",
        "caption": " ".join(filter(None, notes)),
        "x": {"label": "initial weight"},
        "y": {"label": "weights in a bin (count)"},
        "columns": drawn,
        "rows": rows,
    }


def _row(arms: list[Arm], seed: int, results: Results) -> dict[str, Any]:
    treatment = arms[0].treatment

    def examples(seed: int, count: int) -> torch.Tensor:
        return examples_of(treatment.dataset.build().load(results.sources).x_train)(seed, count)

    state = initial_state(treatment, results.facts(treatment), seed, examples=examples)
    weights = {name: value for name, value in state.items() if name.endswith("weight") and value.dim() > 1}
    layers = [_layer(name.removesuffix(".weight"), value) for name, value in weights.items()]
    return {"labels": [arm.label for arm in arms], "layers": layers}


def _layer(name: str, weight: torch.Tensor) -> dict[str, Any]:
    values = weight.detach().double().flatten().numpy()
    low, high = float(values.min()), float(values.max())
    counts, edges = np.histogram(values, BINS, (low, high)) if high > low else (np.array([len(values)]), [low, high])
    return {
        "name": name,
        "shape": list(weight.shape),
        "mean": float(values.mean()),
        "sd": float(values.std()) if high > low else 0.0,
        "min": low,
        "max": high,
        "edges": np.asarray(edges).tolist(),
        "counts": counts.tolist(),
    }


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw the small multiples."""
    rows, columns = data["rows"], data["columns"]
    texts = [wrap(_together(row["labels"]), _LABEL, 1.9, 3) for row in rows]
    margin = max([width(line, _LABEL) for text in texts for line in text], default=0.5) + 0.2
    across = max(1, len(columns)) * (_WIDE + _GAP_X)
    down = max(1, len(rows)) * (_HIGH + _GAP_Y)
    place = frame(data["title"], data["caption"], max(6.0, margin + across), down + 0.55)
    for i, row in enumerate(rows):
        bottom = 0.3 + down - (i + 1) * (_HIGH + _GAP_Y) + 0.25
        found = {layer["name"]: layer for layer in row["layers"]}
        for j, name in enumerate(columns):
            axes = place.axes(margin + j * (_WIDE + _GAP_X), bottom, _WIDE, _HIGH)
            if name in found:
                _panel(axes, found[name], COLOURS[i % len(COLOURS)])
            else:
                axes.set_axis_off()
            if i == 0:
                _heading(axes, name)
            if j == 0:
                axes.text(
                    -0.13 / _WIDE,
                    0.5,
                    "\n".join(texts[i]),
                    transform=axes.transAxes,
                    ha="right",
                    va="center",
                    size=_LABEL,
                )
    total_width, total_height = place.figure.get_size_inches()
    place.figure.text(
        (place.left + margin) / total_width,
        (place.bottom + 0.1) / total_height,
        f"across: {data['x']['label']}; up: {data['y']['label']}",
        size=8.5,
        color=GREY,
    )
    return place.figure


def _heading(axes: Axes, name: str) -> None:
    axes.text(0.0, 1.5, elide(name, 9.5, _WIDE), transform=axes.transAxes, size=9.5, weight="bold", va="bottom")


def _panel(axes: Axes, layer: dict[str, Any], colour: str) -> None:
    low, high = layer["min"], layer["max"]
    if high > low:
        axes.stairs(layer["counts"], layer["edges"], fill=True, color=colour, alpha=0.75, lw=0)
        axes.set_xlim(*padded(low, high, 0.02))
    else:
        axes.vlines([low], 0, 1, color=colour, lw=3)
        axes.set_xlim(low - 1, low + 1)
    shape = " x ".join(map(str, layer["shape"]))
    about = f"sd {plain_number(layer['sd'], 3)}" if high > low else f"all {plain_number(low)}"
    axes.text(0.0, 1.06, f"{shape}; {about}", transform=axes.transAxes, size=7.5, color=GREY, va="bottom")
    axes.set_yticks([])
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.xaxis.set_major_locator(MaxNLocator(3, min_n_ticks=2) if high > low else FixedLocator([low]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain_number(value)))
    axes.tick_params(axis="x", labelsize=7.5, length=2, pad=2)


def _together(labels: list[str]) -> str:
    if len(labels) > 2:
        return f"{labels[0]}, {labels[1]} and {len(labels) - 2} more"
    return ", ".join(labels)
