"""Looks at any data set of the catalogue: its splits, classes and targets, and some of its examples."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from core.datasets._preview import Picture, picture
from core.datasets._splits import DatasetInfo, DatasetPaths, Splits, as_numbers
from core.finite import finite_list, finite_or_none
from core.registry import Entry

POINTS = 1_000
"""The most examples that are points of a plane."""
PICTURES, OF_A_CLASS = 60, 10
"""The most pictures in all, and of a class."""
BINS = 30
ROUNDING = 1e-10
"""Of the largest variance: what lies below is none."""
SECONDS_OF_NUMBER = 7e-9
"""Of one core of an Intel Xeon of 2.6 GHz, to make or load a number of the data."""
_PARTS = ("train", "valid", "test")


class Plane(NamedTuple):
    """Training examples as points of a plane."""

    x: list[float | None]
    y: list[float | None]
    target: list[float | None]
    """The number of a class, or the first target."""
    explained: list[float] | None
    """The shares of the inputs' variance along both axes, where these are principal components; None: they are the two
    inputs themselves."""


def look(entry: Entry, info: DatasetInfo, paths: DatasetPaths) -> dict[str, Any]:
    """Describe a data set as it is split: `classes` or `targets`, and `pictures` or points of a `plane`.

    Raises `DataError` as `load` does.
    """
    data: Splits = entry.build().load(paths)
    pictures = list(_pictures(data, info)) if _are_pictures(info) else []
    return {
        "task": info.task,
        "inputs": list(info.inputs),
        "outputs": info.outputs,
        "chance": info.chance if info.chance is not None or info.task == "regression" else 1 / max(2, info.outputs),
        "examples": {part: len(getattr(data, f"x_{part}")) for part in _PARTS},
        "classes": [] if info.task == "regression" else list(_classes(data, info)),
        "targets": list(_targets(data.y_train)) if info.task == "regression" else [],
        "pictures": [one.model_dump() for one in pictures],
        "plane": None if pictures else _plane(data)._asdict(),
    }


def _are_pictures(info: DatasetInfo) -> bool:
    return len(info.inputs) == 3 and info.inputs[0] in (1, 3)


def _numbers(labels: torch.Tensor) -> NDArray[np.int64]:
    found: NDArray[np.int64] = labels.reshape(-1).long().numpy()
    return found


def _names(info: DatasetInfo) -> list[str]:
    return list(info.classes) or [str(i) for i in range(max(2, info.outputs))]


def _classes(data: Splits, info: DatasetInfo) -> Iterator[dict[str, Any]]:
    names = _names(info)
    counts = {part: np.bincount(_numbers(getattr(data, f"y_{part}")), minlength=len(names)) for part in _PARTS}
    for i, name in enumerate(names):
        yield {"label": name, **{part: int(counts[part][i]) for part in _PARTS}}


def _targets(y: torch.Tensor) -> Iterator[dict[str, Any]]:
    """Yield of each target of the training split its range, mean and histogram."""
    for values in y.reshape(len(y), -1).double().numpy().T:
        known = values[np.isfinite(values)]
        if not len(known):
            yield {"min": None, "mean": None, "max": None, "histogram": {"edges": [], "counts": []}}
            continue
        counts, edges = np.histogram(known, BINS)
        yield {
            "min": finite_or_none(known.min()),
            "mean": finite_or_none(known.mean()),
            "max": finite_or_none(known.max()),
            "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
        }


def _pictures(data: Splits, info: DatasetInfo) -> Iterator[Picture]:
    """Yield the first training examples of each class, or the first of all."""
    if info.task == "regression":
        for x, y in zip(data.x_train[:PICTURES], data.y_train[:PICTURES], strict=True):
            yield Picture(label=", ".join(f"{one:g}" for one in y.reshape(-1).tolist()), png=picture(x.numpy()))
        return
    names, labels = _names(info), _numbers(data.y_train)
    each = min(OF_A_CLASS, max(1, PICTURES // len(names)))
    for number, name in enumerate(names[:PICTURES]):
        for i in np.flatnonzero(labels == number)[:each]:
            yield Picture(label=name, png=picture(data.x_train[int(i)].numpy()))


def _plane(data: Splits) -> Plane:
    chosen = _spread(len(data.x_train))
    x = as_numbers(data.x_train[chosen]).flatten(1).double().nan_to_num()
    target = data.y_train[chosen].reshape(len(chosen), -1)[:, 0].double().numpy()
    if x.shape[1] == 2:
        return Plane(finite_list(x[:, 0].numpy()), finite_list(x[:, 1].numpy()), finite_list(target), None)
    points, explained = _components(x)
    return Plane(finite_list(points[:, 0]), finite_list(points[:, 1]), finite_list(target), explained)


def _spread(count: int) -> torch.Tensor:
    """Return the indexes of at most `POINTS` examples, evenly among all."""
    if count <= POINTS:
        return torch.arange(count)
    return torch.arange(POINTS) * count // POINTS


def _components(x: torch.Tensor) -> tuple[NDArray[np.float64], list[float]]:
    """Return the first two principal components of standardised examples (n, inputs), and their shares of the variance.

    Their products with each other, (n, n), are enough, however many inputs there are.
    """
    std = x.std(0, correction=0)
    scaled = torch.where(std > 0, (x - x.mean(0)) / std.where(std > 0, 1.0), 0.0)
    values, vectors = torch.linalg.eigh(scaled @ scaled.T)
    largest = torch.where(values > ROUNDING * values.max(), values, 0.0).flip(0)
    points = (vectors.flip(1)[:, :2] * largest[:2].sqrt()).numpy()
    if points.shape[1] < 2:  # of one example
        points = np.column_stack([points, np.zeros(len(points))])
    total = float(largest.sum()) or 1.0
    return _oriented(points), [float(one) / total for one in (*largest[:2].tolist(), 0.0)[:2]]


def _oriented(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the points with each axis turned so that the farthest lies at its positive end: signs are arbitrary."""
    farthest: Sequence[int] = np.abs(points).argmax(axis=0).tolist()
    signs = np.array([np.sign(points[row, axis]) or 1.0 for axis, row in enumerate(farthest)])
    turned: NDArray[np.float64] = points * signs
    return turned
