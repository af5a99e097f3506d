"""The target to learn, classes or numbers, decided by its values."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.datasets._content import InvalidUpload
from core.metrics import Task

FEW = 20
"""Whole numbers with at most this many distinct values are classes, unless regression is asked for."""
MOST_CLASSES = 1_000
MOST_TARGETS = 1_000


class Target(NamedTuple):
    """Class numbers int64 (n,) in the order of `classes`; in regression float64 (n, outputs), and no classes."""

    task: Task
    classes: list[str]
    y: NDArray[Any]

    @property
    def outputs(self) -> int:
        """Number of model outputs for an example."""
        return {"binary": 1, "multiclass": len(self.classes)}.get(self.task) or int(self.y.shape[1])

    def chance(self, of: NDArray[Any]) -> float | None:
        """Return the share of the most frequent class among the labels `of`; None in regression."""
        return float(np.bincount(of).max() / len(of)) if self.classes else None


def of_numbers(values: NDArray[np.float64], task: Task | None, what: str) -> Target:
    """Return the target of finite numbers (n, k); `what` names them in an error message."""
    if values.shape[1] > 1 or task == "regression":
        if task not in (None, "regression"):
            raise InvalidUpload(f"{what} has {values.shape[1]} columns; a {task} task has one", "task")
        if values.shape[1] > MOST_TARGETS:
            raise InvalidUpload(f"{what} has {values.shape[1]:,} columns; {MOST_TARGETS:,} is the most")
        for i in np.flatnonzero(values.min(0) == values.max(0)):
            raise InvalidUpload(f"{what} has nothing to learn: column {i + 1} of it is {values[0, i]:g} in every row")
        return Target("regression", [], values)
    distinct, codes = np.unique(values[:, 0], return_inverse=True)
    whole = bool((distinct == np.floor(distinct)).all())
    if task is None and not (whole and len(distinct) <= FEW):
        return of_numbers(values, "regression", what)
    names = [f"{value:.0f}" if whole else repr(float(value)) for value in distinct[: MOST_CLASSES + 1]]
    return of_classes(codes, names if len(distinct) <= MOST_CLASSES else [""] * len(distinct), task, what)


def of_classes(codes: NDArray[np.integer[Any]], names: Sequence[str], task: Task | None, what: str) -> Target:
    """Return the target of class numbers (n,) that count `names`, all of which occur."""
    if task == "regression":
        raise InvalidUpload(f"{what} is text: regression needs numbers", "task")
    if len(names) < 2:
        raise InvalidUpload(f"{what} has nothing to learn: it is {names[0]!r} in every row")
    if len(names) > MOST_CLASSES:
        raise InvalidUpload(f"{what} has {len(names):,} classes; {MOST_CLASSES:,} is the most")
    if task == "binary" and len(names) != 2:
        raise InvalidUpload(f"{what} has {len(names)} classes; a binary task has two", "task")
    return Target(task or ("binary" if len(names) == 2 else "multiclass"), list(names), codes.astype(np.int64))
