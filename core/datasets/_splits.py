"""A data set as a trainer sees it: information known before loading, and tensors split for training and validation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
from pydantic import Field

from core.errors import InitlabError
from core.metrics import Task
from core.streams import generator


class DataError(InitlabError):
    """The data set cannot be read on this machine; the message says what to do."""

    status = 422
    title = "Data set not available"


Fraction = Annotated[float, Field(gt=0, lt=1)]
"""The share of the examples that is held out."""


class DatasetPaths(NamedTuple):
    """The folders that data sets are read from; by default those of a service that was started here."""

    files: Path = Path("var/datasets")
    """The folder of torchvision's files (`INITLAB_DATA_ROOT`); may be read-only."""
    uploads: Path = Path("var/uploads")
    """The folder of users' own data sets."""
    hidden: frozenset[str] = frozenset()
    """Projects whose data sets are not there for the one who asks."""


class DatasetInfo(NamedTuple):
    """Sizes of a data set, against which a spec is checked without reading the data."""

    inputs: tuple[int, ...]
    """Shape of one example."""
    outputs: int
    """Numbers that the model gives for an example: one a class, 1 for a binary task, one a target in regression."""
    train: int
    """Examples in the training split."""
    valid: int
    """Examples in the validation split."""
    task: Task = "multiclass"
    chance: float | None = None
    """Accuracy of naming the most frequent class always; None: that of equally frequent classes."""


class Splits(NamedTuple):
    """The data itself: inputs (n, *shape), pictures as the bytes that they came in, all else as float32.

    `as_numbers` scales bytes to [0, 1], a batch at a time: a data set of pictures takes a fourth of the memory. The
    labels of a multi-class task are int64 (n,); the targets of the others float32 (n, outputs), a binary one's 0 or 1.
    """

    x_train: torch.Tensor
    y_train: torch.Tensor
    x_valid: torch.Tensor
    y_valid: torch.Tensor


@dataclass(frozen=True)
class Dataset:
    """`info(paths)` is cheap and raises `DataError` where the files are not there; `load(paths)` reads them.

    Neither ever downloads. `notes(paths)` tells how a user's file was read, (path, message) of each note; it raises
    as `info` does.
    """

    info: Callable[[DatasetPaths], DatasetInfo]
    load: Callable[[DatasetPaths], Splits]
    notes: Callable[[DatasetPaths], Sequence[tuple[str, str]]] = lambda _paths: ()


def split(x: torch.Tensor, y: torch.Tensor, valid_fraction: float, split_seed: int) -> Splits:
    """Shuffle once by `split_seed` and hold `valid_count(...)` examples out for validation."""
    order = torch.randperm(len(x), generator=generator(split_seed, "split"))
    held_out = valid_count(len(x), valid_fraction)
    valid, train = order[:held_out], order[held_out:]
    return Splits(x[train], y[train], x[valid], y[valid])


def valid_count(examples: int, valid_fraction: float) -> int:
    """Return the number of examples held out: at least one, and at least one stays for training."""
    return min(max(1, round(examples * valid_fraction)), examples - 1)


def as_numbers(x: torch.Tensor, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Return inputs as a model takes them: bytes scaled to [0, 1], other numbers unchanged."""
    return x.to(dtype).div_(255) if x.dtype == torch.uint8 else x.to(dtype)
