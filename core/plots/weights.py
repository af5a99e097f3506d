"""The plot `weights`: histograms of the initial weights."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from core.design import ArmTraining, Design
from core.initializers import Initializer, Layer
from core.plots import Plot, plots
from core.plots.drawing.curves import sample
from core.plots.drawing.densities import outline
from core.plots.drawing.frames import frame, padded, plain_number
from core.plots.drawing.names import in_full, joined, short_names, together
from core.plots.drawing.styles import COLOURS, FAINT, GREY, styled
from core.plots.drawing.text import width, wrap
from core.results import Results

FEWEST_BINS, MOST_BINS = 6, 60
MOST_ROWS, MOST_LAYERS = 24, 5

_LABEL = 9.0
_WIDE, _HIGH, _GAP_X, _GAP_Y = 2.0, 0.62, 0.26, 0.62


@plots.register(
    formula="histogram of each layer's initial weights, drawn again from the arm's initializer and the first seed, and "
    "the density of the initializer's law times their number and the width of a bin",
    source="core.training.initial_state: the very values that the trainer started from, by torch's CPU generator",
)
def weights(*, axes: Literal["shared", "own"] = "shared") -> Plot:
    """Histograms of the initial weights with their law's density, a row for each way to start, a column a layer.

    A layer's histograms have a shared axis of weights, on which small weights are seen to be small, or each its own.
    """
    return Plot(partial(data, shared=axes == "shared"), draw, lambda design: design.trained_here)


def _starts(design: Design) -> list[tuple[list[str], ArmTraining]]:
    """Return each way to start: the labels of the arms that share it, and how the first of them is trained."""
    found: dict[str, tuple[list[str], ArmTraining]] = {}
    for arm in design.arms:
        if arm.training is not None:
            found.setdefault(arm.training.start, ([], arm.training))[0].append(arm.label)
    return list(found.values())


def data(results: Results, shared: bool = True) -> dict[str, Any]:
    """Draw the initial weights again; raises `DataError` where the data set, which sets the layers' shapes, is gone."""
    seed = results.design.seeds[0]
    starts = _starts(results.design)
    called = short_names(results.design)
    rows = [_row(labels, training, seed) for labels, training in starts[:MOST_ROWS]]
    for row in rows:
        row["shown"] = together(results.design, row["labels"], called)
    names = list(dict.fromkeys(layer["name"] for row in rows for layer in row["layers"]))
    drawn = names if len(names) <= MOST_LAYERS else [*names[: MOST_LAYERS - 1], names[-1]]
    for row in rows:
        row["layers"] = [layer for layer in row["layers"] if layer["name"] in drawn]
    notes = [
        sample(results),
        f"Filled: weights of seed {seed}, without biases; line: the density of the initializer's law, where it is "
        "uniform or normal; sd: standard deviation of the weights and of the law.",
        "The axis of weights is the same down a column; every histogram has its own height."
        if shared
        else "Every histogram has its own axes.",
        f"Drawn are {len(drawn)} of {len(names)} layers." if len(drawn) < len(names) else "",
        f"Drawn are the first {MOST_ROWS} of {len(starts)} ways to start." if len(starts) > MOST_ROWS else "",
        in_full([row["shown"] for row in rows]),
    ]
    return {
        "plot": "weights",
        "title": f"Initial weights: {results.design.name}",
        "caption": " ".join(filter(None, notes)),
        "x": {"label": "initial weight"},
        "y": {"label": "weights in a bin (count)"},
        "columns": drawn,
        "limits": {
            name: _limits([one for row in rows for one in row["layers"] if one["name"] == name]) for name in drawn
        }
        if shared
        else {},
        "rows": rows,
    }


def _row(labels: list[str], training: ArmTraining, seed: int) -> dict[str, Any]:
    state, layers = training.weights(seed), training.layers()
    weights = {name: value for name, value in state.items() if name.endswith("weight") and value.dim() > 1}
    drawn = {name.removesuffix(".weight"): value for name, value in weights.items()}
    return {
        "labels": labels,
        "layers": [
            _layer(name, value, _law(training.initializer, layers[name]) if name in layers else None)
            for name, value in drawn.items()
        ],
    }


def _law(initializer: Initializer, layer: Layer) -> dict[str, Any]:
    """Return a layer's law as JSON; only its kind where the initializer fits weights to data."""
    law = initializer.weight(layer)
    known = initializer.calibration is None and not initializer.as_constructed
    return {
        "distribution": law.distribution,
        "mean": law.mean if known else None,
        "std": law.std if known else None,
        "bound": law.bound if known else None,
    }


def _layer(name: str, weight: torch.Tensor, law: dict[str, Any] | None) -> dict[str, Any]:
    values = weight.detach().double().flatten().numpy()
    low, high = float(values.min()), float(values.max())
    bins = int(np.clip(round(2 * len(values) ** (1 / 3)), FEWEST_BINS, MOST_BINS))  # Rice's rule
    counts, edges = np.histogram(values, bins, (low, high)) if high > low else (np.array([len(values)]), [low, high])
    line = outline(law, low, high) if law is not None and high > low else None
    return {
        "name": name,
        "shape": list(weight.shape),
        "mean": float(values.mean()),
        "sd": float(values.std()) if high > low else 0.0,
        "min": low,
        "max": high,
        "edges": np.asarray(edges).tolist(),
        "counts": counts.tolist(),
        "law": law,
        "density": None
        if line is None
        else {"x": line[0].tolist(), "y": (line[1] * len(values) * (high - low) / bins).tolist()},
    }


def _limits(layers: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Return the ends of an axis on which the histograms and laws of all these layers can be seen."""
    lows = [layer["min"] for layer in layers] + [layer["density"]["x"][0] for layer in layers if layer["density"]]
    highs = [layer["max"] for layer in layers] + [layer["density"]["x"][-1] for layer in layers if layer["density"]]
    return padded(min(lows), max(highs), 0.04)


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw the small multiples."""
    rows, columns = data["rows"], data["columns"]
    texts = [wrap(joined(row["shown"], 0), _LABEL, 1.9) for row in rows]
    headings = [wrap(name, 9.5 * 1.1, _WIDE) for name in columns]  # bold is wider than what is measured
    pitch = max(_HIGH + _GAP_Y, max(map(len, texts), default=1) * _LABEL * 1.3 / 72 + 0.1)
    top = 0.55 + (max(map(len, headings), default=1) - 1) * 9.5 * 1.25 / 72
    margin = max([width(line, _LABEL) for text in texts for line in text], default=0.5) + 0.2
    across = max(1, len(columns)) * (_WIDE + _GAP_X)
    down = max(1, len(rows)) * pitch
    place = frame(data["title"], data["caption"], max(6.0, margin + across), down + top)
    for i, row in enumerate(rows):
        bottom = 0.3 + down - (i + 1) * pitch + (pitch - _HIGH - _GAP_Y) / 2 + 0.25
        found = {layer["name"]: layer for layer in row["layers"]}
        for j, name in enumerate(columns):
            with rc_context({"axes.grid": False}):  # sooner than to take it away again
                axes = place.axes(margin + j * (_WIDE + _GAP_X), bottom, _WIDE, _HIGH)
            if name in found:
                _panel(axes, found[name], data["limits"].get(name))
            else:
                axes.set_axis_off()
            if i == 0:
                _heading(axes, "\n".join(headings[j]))
            if j == 0:
                axes.annotate(
                    "\n".join(texts[i]),
                    (0, 0.5),
                    xycoords="axes fraction",
                    xytext=(-9, 0),
                    textcoords="offset points",
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
    axes.annotate(
        name,
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 25),
        textcoords="offset points",
        size=9.5,
        weight="bold",
    )


def _panel(axes: Axes, layer: dict[str, Any], limits: Sequence[float] | None) -> None:
    low, high, line = layer["min"], layer["max"], layer["density"]
    if high > low:
        # what `axes.stairs` draws, without its search for limits, which are set below
        axes.add_artist(StepPatch(layer["counts"], layer["edges"], fill=True, color=COLOURS[5], alpha=0.8, lw=0))
        if line is not None:
            axes.plot(line["x"], line["y"], color=COLOURS[1], lw=1.3)
            low, high = min(low, line["x"][0]), max(high, line["x"][-1])
        axes.set_xlim(*(limits or padded(low, high, 0.02)))
        axes.set_ylim(0, 1.05 * max([*layer["counts"], *(line["y"] if line else [])]))
    else:
        axes.vlines([low], 0, 1, color=COLOURS[0], lw=3)
        axes.set_xlim(*(limits or (low - 1, low + 1)))
        axes.set_ylim(0, 1.05)
    shape = " x ".join(map(str, layer["shape"]))
    for text, up in ((shape, 13), (_about(layer), 3)):
        axes.annotate(
            text,
            (0, 1),
            xycoords="axes fraction",
            xytext=(0, up),
            textcoords="offset points",
            size=7.5,
            color=GREY,
        )
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    alone = limits is None and high == low
    axes.xaxis.set_major_locator(FixedLocator([low]) if alone else MaxNLocator(4, steps=[1, 2, 5, 10], min_n_ticks=3))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain_number(value)))
    axes.tick_params(axis="x", labelsize=7.5, length=2, pad=2)


def _about(layer: dict[str, Any]) -> str:
    if layer["max"] == layer["min"]:
        return f"all {plain_number(layer['min'])}"
    law = layer["law"]
    known = f"; law {plain_number(law['std'], 3)}" if law is not None and law["std"] is not None else ""
    return f"sd {plain_number(layer['sd'], 3)}{known}"
