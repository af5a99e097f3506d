"""The target to learn, classes or numbers, decided by its values."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.datasets._content import InvalidUpload, Remarks
from core.metrics import Task

FEW = 20
"""Whole numbers with at most this many distinct values are classes, unless regression is asked for."""
MOST_CLASSES = 1_000
MOST_TARGETS = 1_000
_SHOWN = 5


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


def of_numbers(
    values: NDArray[np.float64], task: Task | None, what: str, remarks: Remarks, *, labels: bool = False
) -> Target:
    """Return the target of finite numbers (n, k); `what` names them in a message.

    With `labels` whole numbers are classes however many they are: those beside pictures.
    """
    if values.shape[1] > 1 or task == "regression":
        made = _amounts(values, task, what)
        if task is None:
            remarks.note("task", _of_several(what, values))
        return made
    distinct, codes = np.unique(values[:, 0], return_inverse=True)
    whole = bool((distinct == np.floor(distinct)).all())
    few = len(distinct) <= (MOST_CLASSES if labels else FEW)
    if task is None:
        remarks.note("task", _rule(what, len(distinct), whole=whole, few=few, labels=labels))
    if task is None and not (whole and few):
        return _amounts(values, task, what)
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


def note_rare(target: Target, held_out: int | None, remarks: Remarks) -> None:
    """Note classes that a split cannot have in both of its parts, and those that a part held out lacks."""
    if not target.classes:
        return
    first = len(target.y) - (held_out or 0)
    train, valid = (np.bincount(part, minlength=len(target.classes)) for part in (target.y[:first], target.y[first:]))
    if held_out is None:
        once = [target.classes[i] for i in np.flatnonzero(train == 1)]
        if once:
            text = f"{_listed(once)} with one example: no split can have it in both parts, not even a stratified one"
            remarks.note("target", text)
        return
    for counts, part, other in ((valid, "held out", "trained on"), (train, "trained on", "held out")):
        lacking = [target.classes[i] for i in np.flatnonzero(counts == 0)]
        if lacking:
            remarks.note("target", f"{_listed(lacking)} {other} but never {part}")


def _amounts(values: NDArray[np.float64], task: Task | None, what: str) -> Target:
    if task not in (None, "regression"):
        raise InvalidUpload(f"{what} has {values.shape[1]} columns; a {task} task has one", "task")
    if values.shape[1] > MOST_TARGETS:
        raise InvalidUpload(f"{what} has {values.shape[1]:,} columns; {MOST_TARGETS:,} is the most")
    for i in np.flatnonzero(values.min(0) == values.max(0)):
        raise InvalidUpload(f"{what} has nothing to learn: column {i + 1} of it is {values[0, i]:g} in every row")
    return Target("regression", [], values)


def _of_several(what: str, values: NDArray[np.float64]) -> str:
    """Return why several targets are a regression, in words."""
    text = f"{what} has {values.shape[1]:,} columns: several targets are amounts (regression)"
    if not np.isin(values, (0, 1)).all():
        return f"{text}; for classes give one column"
    return (
        f"{text}; they are 0 and 1, as labels are of which an example may have several (multi-label): here each is "
        "fitted as a number; for classes give one of the columns"
    )


def _rule(what: str, distinct: int, *, whole: bool, few: bool, labels: bool) -> str:
    """Return the rule that chose the task, in words."""
    if not whole:
        return f"{what} has fractions: it is amounts (regression); if they are classes, say task=multiclass"
    if labels and few:
        said = "whole numbers beside pictures are classes"
    elif few:
        said = f"at most {FEW} of them are classes"
    else:
        return (
            f"{what} has {distinct:,} different whole numbers: more than {MOST_CLASSES if labels else FEW:,} of them "
            "are amounts (regression); if they are classes, say task=multiclass"
        )
    return f"{what} has {distinct:,} different whole numbers: {said}; if they are amounts, say task=regression"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"there {'is the class' if len(names) == 1 else f'are {len(names):,} classes,'} {shown}{more}"
