"""What a data set gives a trainer: facts known before loading, and tensors split for training and validation."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from core.errors import InitlabError
from core.streams import generator


class DataError(InitlabError):
    """The data set cannot be read here; the message says what to do."""

    status = 422
    title = "Data set not available"


class Facts(NamedTuple):
    """What a spec is checked against without reading the data."""

    inputs: tuple[int, ...]
    """Shape of one example."""
    outputs: int
    """Number of classes."""
    train: int
    """Examples in the training split."""
    valid: int
    """Examples in the validation split."""


class Splits(NamedTuple):
    """The data itself: float32 inputs (n, *shape) scaled to [0, 1], int64 labels (n,)."""

    x_train: torch.Tensor
    y_train: torch.Tensor
    x_valid: torch.Tensor
    y_valid: torch.Tensor


@dataclass(frozen=True)
class Dataset:
    """`facts(root)` is cheap and raises `DataError` where the files are not there; `load(root)` reads them.

    `root` is the folder of the data sets (`INITLAB_DATA_ROOT`). Neither ever downloads.
    """

    facts: Callable[[Path], Facts]
    load: Callable[[Path], Splits]


def split(x: torch.Tensor, y: torch.Tensor, valid_fraction: float, split_seed: int) -> Splits:
    """Shuffle once by `split_seed` and hold `valid_count(...)` examples out for validation."""
    order = torch.randperm(len(x), generator=generator(split_seed, "split"))
    held_out = valid_count(len(x), valid_fraction)
    valid, train = order[:held_out], order[held_out:]
    return Splits(x[train], y[train], x[valid], y[valid])


def valid_count(examples: int, valid_fraction: float) -> int:
    """How many of `examples` are held out: at least one, and at least one stays for training."""
    return min(max(1, round(examples * valid_fraction)), examples - 1)
