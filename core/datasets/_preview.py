"""The first look at a user's data set: some rows or pictures as they were sent, and how often each class occurs."""

import base64
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel

from core.datasets._content import About
from core.datasets._splits import DataError
from core.datasets._uploads import Uploads
from core.finite import finite_or_none

ROWS, COLUMNS = 20, 50
"""The most rows and columns that are shown of a table, or of arrays."""
PICTURES, SIDE = 24, 96
"""The most pictures that are shown, and of how many pixels a side at most."""
PARTS = ("", "_valid", "_test")
"""The ends of the names of the arrays of each part: what is split by the spec, and what the file itself held out."""


class ClassCount(BaseModel):
    """The number of examples of a class, those that the file itself holds out included."""

    label: str
    examples: int
    held_out: int


class TargetRange(BaseModel):
    """The values of one target of a regression, over all examples. Null where it has none that is finite."""

    name: str
    min: float | None
    mean: float | None
    max: float | None


class Picture(BaseModel):
    """One example as a picture."""

    label: str
    png: str
    """Base64."""


class DatasetPreview(BaseModel):
    """Some of a data set's examples, and what is learned over all of them."""

    columns: list[str]
    """The first of a table's, or of the numbers of an example; then those that are learned."""
    columns_total: int
    rows: list[list[float | str | None]]
    """The first examples; null: missing."""
    pictures: list[Picture]
    """The first of each class, in place of rows."""
    classes: list[ClassCount]
    targets: list[TargetRange]


def preview_dataset(uploads: Uploads, about: About) -> DatasetPreview:
    """Return a preview; reads the examples that it shows, and all targets. Raises `DataError`."""
    try:
        x = _array(uploads, about, "x")
        parts = [f"y{part}" for part in PARTS if uploads.has(about, f"y{part}")]
        targets = {part: _array(uploads, about, part) for part in parts}
        y = targets["y"]
        pictures = list(_pictures(x, y, about)) if len(about.inputs) == 3 and about.inputs[0] in (1, 3) else []
        names = _names(about)
        shown = [] if pictures else [*names[:COLUMNS], *_targets(about)]
        return DatasetPreview(
            columns=shown,
            columns_total=len(names),
            rows=[_row(x[i], y[i], about) for i in range(0 if pictures else min(ROWS, len(x)))],
            pictures=pictures,
            classes=_counts(targets, about),
            targets=[] if about.classes else list(_ranges(targets, about)),
        )
    except (OSError, ValueError) as error:
        raise DataError(f"the data set {about.name!r} cannot be read: {error}") from None


def _array(uploads: Uploads, about: About, name: str) -> NDArray[Any]:
    found: NDArray[Any] = np.load(uploads.path(about, name), mmap_mode="r", allow_pickle=False)
    return found


def _names(about: About) -> list[str]:
    if about.columns:
        return [column.name for column in about.columns]
    return [f"x{number}" for number in range(int(np.prod(about.inputs)))]


def _targets(about: About) -> list[str]:
    named = about.options.get("target")
    named = [named] if isinstance(named, str) else list(named or ())
    count = 1 if about.classes else about.outputs
    return named if len(named) == count else ["y"] if count == 1 else [f"y{number}" for number in range(count)]


def _row(x: NDArray[Any], y: NDArray[Any], about: About) -> list[float | str | None]:
    values: list[float | str | None] = []
    for number, value in enumerate(x.reshape(-1)[:COLUMNS]):
        categories = about.columns[number].categories if about.columns else []
        finite = finite_or_none(float(value))
        values.append(categories[int(finite)] if categories and finite is not None else finite)
    return values + ([_label(y, about)] if about.classes else [finite_or_none(float(one)) for one in y.reshape(-1)])


def _label(y: NDArray[Any], about: About) -> str:
    return about.classes[int(y.reshape(-1)[0])] if about.classes else ", ".join(f"{one:g}" for one in y.reshape(-1))


def _pictures(x: NDArray[Any], y: NDArray[Any], about: About) -> Iterator[Picture]:
    for i in _first_of_each(y, len(about.classes)):
        yield Picture(label=_label(y[i], about), png=picture(np.asarray(x[i])))


def picture(values: NDArray[Any]) -> str:
    """Return an example (1 or 3 channels, height, width) as a PNG in base64, of `SIDE` pixels a side at most.

    Numbers other than bytes may have any range: the smallest is black, the largest white.
    """
    if values.dtype != np.uint8:
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        values = np.nan_to_num((values - low) / ((high - low) or 1.0) * 255).astype(np.uint8)
    pixels = values[0] if len(values) == 1 else np.moveaxis(values, 0, -1)
    image, file = Image.fromarray(np.ascontiguousarray(pixels)), io.BytesIO()
    image.thumbnail((SIDE, SIDE))
    image.save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def _first_of_each(y: NDArray[Any], classes: int) -> Sequence[int]:
    """Return the indexes of the first examples of each class, as many of each; in a regression the first ones."""
    if not classes:
        return range(min(PICTURES, len(y)))
    each = max(1, PICTURES // classes)
    flat = np.asarray(y).reshape(-1)
    found = [np.flatnonzero(flat == number)[:each] for number in range(min(classes, PICTURES))]
    return [int(i) for i in np.concatenate(found)]


def _counts(targets: dict[str, NDArray[Any]], about: About) -> list[ClassCount]:
    if not about.classes:
        return []
    size = len(about.classes)
    counted = {part: np.bincount(y.reshape(-1).astype(np.int64), minlength=size) for part, y in targets.items()}
    whole = np.sum(list(counted.values()), axis=0)
    return [
        ClassCount(label=label, examples=int(whole[i]), held_out=int(whole[i] - counted["y"][i]))
        for i, label in enumerate(about.classes)
    ]


def _ranges(targets: dict[str, NDArray[Any]], about: About) -> Iterator[TargetRange]:
    whole = np.concatenate([y.reshape(len(y), -1) for y in targets.values()]).astype(np.float64)
    for name, values in zip(_targets(about), whole.T, strict=True):
        known = values[np.isfinite(values)]
        low, mean, high = (known.min(), known.mean(), known.max()) if len(known) else (None, None, None)
        yield TargetRange(name=name, min=low, mean=mean, max=high)
