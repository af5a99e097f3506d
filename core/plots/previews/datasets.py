"""The picture of a data set: some examples, and how its classes or targets are spread."""

import base64
import io
import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from core.plots.drawing.frames import Frame, frame, numbers, padded, plain_number, set_axis
from core.plots.drawing.styles import COLOURS, DASHES, GREY, PREVIEW_DPI, styled
from core.plots.drawing.text import fitted, width

_LEFT, _RIGHT, _APART = 4.0, 2.6, 0.55
"""Inches of the examples, of the counts, and between them without what names the classes."""
_BAR, _TALLEST_BAR, _MOST_BARS, _NAME, _LONGEST = 0.24, 0.7, 40, 8.0, 1.6
_CELL = 0.42
"""Inches of a picture's side, at least."""
_LEAST = 5.6
"""Inches of the whole, at least: the caption needs room."""
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_NUMBERED = colormaps["cividis"]  # Nuñez, Anderton & Renslow 2018, doi:10.1371/journal.pone.0199239: for every eye
_PART_NAMES = {"train": "training", "valid": "validation", "test": "test"}


def draw_dataset(data: dict[str, Any]) -> Figure:
    """Draw `POST /previews/dataset`'s answer: pictures or a plane of examples, beside counts or a histogram.

    `title` is optional.
    """
    return _drawn(data)


@styled
def _drawn(data: dict[str, Any]) -> Figure:
    classes = data["classes"][:_MOST_BARS]
    names, told = fitted([one["label"] for one in classes], _NAME, _LONGEST)
    margin = max([width(name, _NAME) for name in names], default=0.7) + _APART
    pictured = _picture_rows(data)
    high = max(2.9, _BAR * len(classes), _CELL * len(pictured))
    left = _LEFT
    if pictured:
        columns = max(map(len, pictured))
        cell = min(_LEFT / columns, high / len(pictured))
        left = columns * cell
    title = data.get("title", f"Data set: {data['dataset'].get('id') or data['dataset']['name']}")
    place = frame(title, _caption(data, told), max(_LEAST, left + margin + _RIGHT + 0.1), high + 0.8)
    if pictured:
        _draw_pictures(place, pictured, high, cell)
    else:
        tall = min(high, _LEFT)
        _draw_plane(place.axes(0.62, 0.5 + high - tall, left - 0.62, tall), data)
    if classes:
        tall = min(high, _TALLEST_BAR * len(classes)) if not _by_class(data, pictured) else cell * len(classes)
        _draw_counts(place.axes(left + margin, 0.5 + high - tall, _RIGHT, tall), classes, names)
    else:
        _draw_target(place.axes(left + margin, 0.5, _RIGHT, high), data["targets"])
    place.figure.set_dpi(PREVIEW_DPI)
    return place.figure


def _picture_rows(data: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Return pictures in rows: one a class where all have room beside their bars, else one after the other."""
    rows = [list(group) for _, group in groupby(data["pictures"], key=lambda one: one["label"])]
    if _by_class(data, rows):
        return rows
    every = data["pictures"]
    side = max(1, math.ceil(math.sqrt(len(every))))
    return [every[i : i + side] for i in range(0, len(every), side)]


def _by_class(data: dict[str, Any], rows: Sequence[Sequence[dict[str, Any]]]) -> bool:
    return 2 <= len(data["classes"]) == len(rows) <= 12 and [one["label"] for one in data["classes"]] == [
        row[0]["label"] for row in rows
    ]


def _draw_pictures(place: Frame, rows: Sequence[Sequence[dict[str, Any]]], high: float, cell: float) -> None:
    for i, row in enumerate(rows):
        for j, one in enumerate(row):
            axes = place.axes(j * cell, 0.5 + high - (i + 1) * cell, cell * 0.94, cell * 0.94)
            image = np.asarray(Image.open(io.BytesIO(base64.b64decode(one["png"]))))
            axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axes.set_axis_off()


def _draw_plane(axes: Axes, data: dict[str, Any]) -> None:
    plane = data["plane"]
    x, y, target = (numbers(plane[name]) for name in ("x", "y", "target"))
    axes.set_title("training examples")
    for which, values, number in (("x", x, 0), ("y", y, 1)):
        label = f"input {number + 1}"
        if plane["explained"] is not None:
            label = f"principal component {number + 1} ({100 * plane['explained'][number]:.1f} % of the variance)"
        known = values[np.isfinite(values)]
        limits = padded(float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        set_axis(axes, which, {"label": label, "scale": "linear", "kind": "number", "limits": limits})
    size = 9 if len(x) > 300 else 16
    if not data["classes"]:
        drawn = axes.scatter(x, y, c=target, cmap=_NUMBERED, s=size, lw=0)
        bar = axes.figure.colorbar(drawn, ax=axes, pad=0.02, fraction=0.045)
        bar.set_label("target" if len(data["targets"]) == 1 else "first target", size=8)
        bar.outline.set_visible(False)
        return
    for number in range(len(data["classes"])):
        mine = target == number
        marker = _MARKERS[number // len(COLOURS) % len(_MARKERS)]
        axes.scatter(x[mine], y[mine], color=COLOURS[number % len(COLOURS)], marker=marker, s=size, lw=0, alpha=0.8)


def _draw_counts(axes: Axes, classes: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    """Draw a bar a class, its parts those of training, validation and test."""
    axes.set_title("examples of each class")
    at = np.arange(len(classes))
    before = np.zeros(len(classes))
    for part, alpha in (("train", 1.0), ("valid", 0.6), ("test", 0.3)):
        counts = np.array([one[part] for one in classes], dtype=np.float64)
        if not counts.any():
            continue
        colours = [COLOURS[i % len(COLOURS)] for i in at]
        axes.barh(at, counts, left=before, color=colours, alpha=alpha, height=0.78, lw=0)
        before += counts
    x = {
        "label": "examples",
        "scale": "linear",
        "kind": "count",
        "limits": (0, before.max(initial=1) * 1.04),
        "ticks": 4,
    }
    set_axis(axes, "x", x)
    axes.set_ylim(len(classes) - 0.5, -0.5)
    axes.set_yticks(at, names, size=_NAME)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")


def _draw_target(axes: Axes, targets: Sequence[dict[str, Any]]) -> None:
    """Draw the histogram of each target, as lines where there are several."""
    axes.set_title("target" if len(targets) == 1 else f"the {len(targets)} targets")
    known = [one["histogram"] for one in targets if one["histogram"]["counts"]]
    if not known:
        axes.text(0.5, 0.5, "no finite number", transform=axes.transAxes, ha="center", color=GREY)
        return
    for i, one in enumerate(known):
        style: dict[str, Any] = {"color": COLOURS[i % len(COLOURS)], "ls": DASHES[i // len(COLOURS) % len(DASHES)]}
        if len(known) == 1:
            style = {"color": COLOURS[5], "fill": True, "alpha": 0.7}
        axes.stairs(one["counts"], one["edges"], **style)
    low, high = min(one["edges"][0] for one in known), max(one["edges"][-1] for one in known)
    top = max(max(one["counts"]) for one in known)
    set_axis(
        axes, "x", {"label": "value", "scale": "linear", "kind": "number", "limits": padded(low, high), "ticks": 4}
    )
    set_axis(axes, "y", {"label": "training examples", "scale": "linear", "kind": "count", "limits": (0, top * 1.08)})


def _caption(data: dict[str, Any], told: str) -> str:
    parts = [f"{count:,} for {_PART_NAMES[part]}" for part, count in data["examples"].items() if count]
    inputs = " x ".join(map(str, data["inputs"]))
    numbers_of = f"{inputs} number{'' if data['inputs'] == [1] else 's'} an example"
    classes, targets = len(data["classes"]), len(data["targets"])
    asked = f"{classes} classes" if classes else f"{targets} target{'' if targets == 1 else 's'}"
    notes = [
        f"N = {sum(data['examples'].values()):,} examples: {', '.join(parts)}; {numbers_of}, {asked}.",
        *(_of_classes(data) if classes else ()),
        *(_of_plane(data["plane"], data["examples"]["train"]) if data["plane"] else ()),
        _range(data["targets"][0]) if targets == 1 else "",
        told,
    ]
    return " ".join(filter(None, notes))


def _of_classes(data: dict[str, Any]) -> Iterator[str]:
    classes = len(data["classes"])
    yield f"Naming the most frequent class is right in {100 * data['chance']:.1f} %."
    yield f"Bars: training, paler validation{', palest test' if data['examples']['test'] else ''}."
    yield f"Drawn are the first {_MOST_BARS} of {classes} classes." if classes > _MOST_BARS else ""
    yield (
        "Pictures: the first training examples of each class."
        if data["pictures"]
        else ("A point has the colour of its class's bar.")
    )


def _of_plane(plane: dict[str, Any], train: int) -> Iterator[str]:
    yield f"Drawn are {len(plane['x']):,} of the training examples." if len(plane["x"]) < train else ""
    yield "Inputs are standardised before their principal components are taken." if plane["explained"] else ""


def _range(target: dict[str, Any]) -> str:
    if target["mean"] is None:
        return ""
    low, mean, high = (target[name] for name in ("min", "mean", "max"))
    mean = 0.0 if abs(mean) < 1e-6 * (high - low) else mean  # of a standardised one: rounding
    return f"Target: {plain_number(low, 4)} to {plain_number(high, 4)}, mean {plain_number(mean, 4)}."
