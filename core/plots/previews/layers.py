"""The picture of what layers do to examples before anything is trained."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from core.plots.drawing.extents import extent
from core.plots.drawing.frames import HEADING, HEADING_LINE, frame, padded, plain_number
from core.plots.drawing.lines import draw_lines
from core.plots.drawing.names import joined
from core.plots.drawing.styles import GREY, PREVIEW_DPI, styled
from core.plots.drawing.text import width, wrap

_EXAMPLES, _CHANNELS, _NUMBERS = 4, 8, 128
"""The most examples, channels of pictures, and numbers of a row that are drawn."""
_WIDE, _BETWEEN = 6.8, 0.5
"""Inches of inputs and outputs together, and of the arrow between them."""
_ROW, _LOW, _HIGH, _NOTE = 0.3, 0.5, 1.9, 8.0
"""Inches of a row of numbers; the fewest and the most of a block; the size of the text around it."""
_SIGNED = colormaps["RdBu_r"]
_POSITIVE = colormaps["cividis"]  # Nuñez, Anderton & Renslow 2018, doi:10.1371/journal.pone.0199239: for every eye

Floats = NDArray[np.float64]


def draw_layer(data: dict[str, Any]) -> Figure:
    """Draw `POST /previews/layer`'s answer: curves where all layers have one, else the examples before and after.

    `title` is optional.
    """
    every = [data, *data.get("compared", [])]
    return _draw_curves(data, every) if all(one["curve"] for one in every) else _draw_examples(data, every)


def _title(data: dict[str, Any], every: Sequence[dict[str, Any]]) -> str:
    return str(data.get("title", "Layers" if len(every) > 1 else f"Layer: {data['label']}"))


def _draw_curves(data: dict[str, Any], every: Sequence[dict[str, Any]]) -> Figure:
    """Draw functions of one number, and their slopes; those that are the same share a line."""
    groups: dict[tuple[float | None, ...], list[str]] = {}
    curves = []
    for one in every:
        key = tuple(one["curve"]["y"])
        if key not in groups:
            curves.append(one["curve"])
        groups.setdefault(key, []).append(one["label"])
    panels = []
    for name, title in (("y", "what it makes of a number"), ("slope", "its slope there")):
        lines = [
            {"arm": i, "role": "main", "x": one["x"], "y": one[name], "low": None, "high": None, "raw": None}
            for i, one in enumerate(curves)
        ]
        found = extent(lines)
        x = {
            "label": "input",
            "scale": "linear",
            "kind": "number",
            "limits": padded(curves[0]["x"][0], curves[0]["x"][-1]),
        }
        y = {"label": "output" if name == "y" else "", "scale": "linear", "kind": "number"}
        limits = (0.0, 1.0) if found is None else padded(min(found[0], 0.0), max(found[2], 0.0))
        panels.append({"title": title, "x": x, "y": y | {"limits": limits}, "lines": lines})
    several = len(every) > 1
    figure = draw_lines(
        {
            "title": _title(data, every),
            "caption": "A number goes in, a number comes out, whatever the others are.",
            "arms": [{"label": joined(names, 0), "note": ""} for names in groups.values()] if several else [],
            "own_y": True,
            "panels": panels,
        }
    )  # fmt: skip
    figure.set_dpi(PREVIEW_DPI)
    return figure


class _Block(NamedTuple):
    """Examples as an image: `width` and `height` in inches."""

    image: Floats
    width: float
    height: float


@styled
def _draw_examples(data: dict[str, Any], every: Sequence[dict[str, Any]]) -> Figure:
    """Draw a few examples as they come in and as each layer gives them."""
    few = all(_is_row(batch) or len(batch[0]) <= 2 for batch in (data["before"], *(one["after"] for one in every)))
    pairs = [_sized(_mosaic(data["before"], few), _mosaic(one["after"], few), data, one) for one in every]
    heads = [wrap(one["label"], HEADING, _WIDE) if len(every) > 1 else [] for one in every]
    highs = [max(left.height, right.height) for left, right in pairs]
    rows = [high + len(head) * HEADING_LINE + 0.62 for high, head in zip(highs, heads, strict=True)]
    place = frame(_title(data, every), _caption(data, every, few), _WIDE, sum(rows))
    top = sum(rows)
    for one, (left, right), high, head, row in zip(every, pairs, highs, heads, rows, strict=True):
        bottom = top - row + 0.2
        top -= row
        told = _shown(data["inputs"], "in")
        across = max(left.width, width(told, _NOTE)) + _BETWEEN
        inputs = place.axes(0.0, bottom + high - left.height, left.width, left.height)
        outputs = place.axes(across, bottom + high - right.height, right.width, right.height)
        _show(inputs, left.image, told)
        _show(outputs, right.image, _shown(one["shape"], "out"))
        _write(
            inputs, "→", (1, 1), ((across - left.width) * 36, -high * 36), ha="center", va="center", size=16, color=GREY
        )
        for i, line in enumerate(reversed(head)):
            _write(inputs, line, (0, 1), (0, 20 + i * HEADING_LINE * 72), size=HEADING, weight="bold")
    place.figure.set_dpi(PREVIEW_DPI)
    return place.figure


def _mosaic(batch: Sequence[Any], few: bool) -> Floats:
    """Return an image: a row an example, beside each other its channels; of `few` channels a column an example.

    Examples that are rows of numbers stay rows.
    """
    values = np.array(batch[:_EXAMPLES], dtype=np.float64)
    if values.ndim == 2:
        return values[:, :_NUMBERS]
    values = values[:, :_CHANNELS].swapaxes(0, 1) if few else values[:, :_CHANNELS]
    rows, columns, high, wide = values.shape
    gap = max(1, round(0.06 * max(high, wide)))
    image = np.full((rows * (high + gap) - gap, columns * (wide + gap) - gap), np.nan)
    for i in range(rows):
        for j in range(columns):
            down, across = i * (high + gap), j * (wide + gap)
            image[down : down + high, across : across + wide] = values[i, j]
    return image


def _sized(before: Floats, after: Floats, data: dict[str, Any], one: dict[str, Any]) -> tuple[_Block, _Block]:
    """Return both images with their inches: pixels of pictures are square, and the wider image has more room."""
    room = _WIDE - _BETWEEN
    shares = [image.shape[1] / image.shape[0] for image in (before, after)]
    share = float(np.clip(shares[0] / sum(shares), 0.3, 0.7))
    blocks = []
    for image, batch, most in ((before, data["before"], room * share), (after, one["after"], room * (1 - share))):
        if _is_row(batch):
            blocks.append(_Block(image, most, max(_LOW, _ROW * len(image))))
            continue
        ratio = image.shape[0] / image.shape[1]
        wide = min(most, _HIGH / ratio)
        blocks.append(_Block(image, wide, wide * ratio))
    return blocks[0], blocks[1]


def _is_row(batch: Sequence[Any]) -> bool:
    return not isinstance(batch[0][0], list)


def _show(axes: Axes, image: Floats, title: str) -> None:
    finite = image[np.isfinite(image)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    signed = low < 0
    norm: Normalize = Normalize(min(low, 0.0), high if high > 0 else 1.0)
    if signed:
        far = max(abs(low), abs(high))
        norm = TwoSlopeNorm(0.0, -far, far)
    colours = _SIGNED if signed else _POSITIVE
    axes.imshow(image, cmap=colours, norm=norm, aspect="auto", interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    _write(axes, title, (0, 1), (0, 5), size=_NOTE)
    words = f"{plain_number(low, 3)} to {plain_number(high, 3)}" if len(finite) else "no finite number"
    _write(axes, words, (0, 0), (0, -10), size=_NOTE - 0.5, color=GREY)


def _write(axes: Axes, text: str, corner: tuple[int, int], away: tuple[float, float], **style: Any) -> None:
    """Write text so many points away from a corner of axes."""
    place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    axes.annotate(text, corner, xytext=away, **place, **style)


def _shown(shape: Sequence[int], which: str) -> str:
    if len(shape) == 1:
        more = f", the first {_NUMBERS} shown" if shape[0] > _NUMBERS else ""
        return f"{which}: {shape[0]:,} number{'' if shape[0] == 1 else 's'}{more}"
    if len(shape) != 3:
        return f"{which}: {' x '.join(map(str, shape))}"
    channels, height, width = shape
    more = f", the first {_CHANNELS} shown" if channels > _CHANNELS else ""
    return f"{which}: {channels:,} channel{'' if channels == 1 else 's'} of {height} x {width}{more}"


def _caption(data: dict[str, Any], every: Sequence[dict[str, Any]], few: bool) -> str:
    shown = min(data["batch"], _EXAMPLES)
    weights = sum(one["parameters"] for one in every)
    pictures = [not _is_row(batch) for batch in (data["before"], *(one["after"] for one in every))]
    column = "Pictures: a column an example, its channels below each other." if any(pictures) and few else ""
    row = "A row an example, its channels or numbers beside each other." if not few or not all(pictures) else ""
    parts = [
        f"Drawn are {shown} of the batch of {data['batch']}." if data["batch"] > shown else "",
        column,
        row.replace("channels or ", "") if few else row,
        "Blue is below 0, red above; where nothing is below 0 dark is low and bright high.",
        "As in training, with weights as torch starts them." if weights else "As in training; no weights to learn.",
        f"Weights: {weights:,}." if len(every) == 1 and weights else "",
    ]
    return " ".join(filter(None, parts))
