"""A data set as a trainer sees it: information known before loading, and tensors split for training and judging."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple, Self

import torch
from pydantic import Field

from core.errors import InitlabError, Misfit
from core.files import FileStore
from core.metrics import Split, Task
from core.streams import generator


class DataError(InitlabError):
    """The data set cannot be read on this machine; the message says what to do."""

    status = 422
    title = "Data set not available"


Fraction = Annotated[float, Field(gt=0, lt=1)]
"""The share of the examples that is held out for validation."""
TestFraction = Annotated[float, Field(ge=0, lt=1)]
"""The share of the examples that nothing but the verdict sees; 0: there is no test split."""


class DatasetPaths(NamedTuple):
    """The folders that data sets are read from; by default those of a service that was started here."""

    files: Path = Path("var/datasets")
    """The folder of torchvision's files (`INITLAB_DATA_ROOT`); may be read-only."""
    uploads: Path | FileStore = Path("var/uploads")
    """The folder of users' own data sets, or the store that they are in."""
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
    test: int = 0
    """Examples in the test split, on which every run is judged once, when it has ended; 0: there is none."""
    own: tuple[Split, ...] = ()
    """The splits that the files themselves hold out, and which are the same for every seed."""
    classes: tuple[str, ...] = ()
    """Names of the classes in the order of their labels; none where they are numbers, or not known."""


class Splits(NamedTuple):
    """The data itself: inputs (n, *shape), pictures as the bytes that they came in, all else as float32.

    `as_numbers` scales bytes to [0, 1], a batch at a time: a data set of pictures takes a fourth of the memory. The
    labels of a multi-class task are int64 (n,); the targets of the others float32 (n, outputs), a binary one's 0 or 1.
    Without a test split its tensors are empty.
    """

    x_train: torch.Tensor
    y_train: torch.Tensor
    x_valid: torch.Tensor
    y_valid: torch.Tensor
    x_test: torch.Tensor = torch.empty(0)
    y_test: torch.Tensor = torch.empty(0)


class Counts(NamedTuple):
    """Examples of each split."""

    train: int
    valid: int
    test: int


class HeldOut(NamedTuple):
    """The parts of a data set that training does not see.

    The validation split is the same examples with a test split and without one: those are taken from the rest.
    """

    valid_fraction: float
    split_seed: int
    test_fraction: float = 0.0
    own_test: bool = False
    """True: the test split is the part that the data set's own files hold out."""
    own_valid: bool = False
    """True: the validation split is a part of its own, and not taken from the examples that are split."""
    own_examples: int = 0
    """Examples of the files' own test part that stand behind those that are split."""

    def checked(self) -> Self:
        """Return this; raises ValueError where the shares leave nothing to train with, or name two test splits."""
        if self.own_test and self.test_fraction:
            raise Misfit("test_fraction", "leave it out: with own_test the files' own test part is the test split")
        if self.valid_fraction + self.test_fraction >= 1:
            both = f"{self.valid_fraction:g} + {self.test_fraction:g}"
            raise Misfit("test_fraction", f"valid_fraction + test_fraction, {both}, should leave some to train with")
        return self

    @property
    def own(self) -> tuple[Split, ...]:
        """The splits that are parts of the files."""
        return (*(("valid",) if self.own_valid else ()), *(("test",) if self.own_test else ()))

    def before(
        self, x: torch.Tensor, y: torch.Tensor, test: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor, Self]:
        """Return examples with those of the files' own test part behind them, and how they are split."""
        how = self._replace(own_examples=len(test[0]))
        return torch.cat([x, test[0]]), torch.cat([y, test[1]]), how

    def counts(self, examples: int) -> Counts:
        """Return the sizes of the splits of so many examples. Raises `DataError` where they are too few for each."""
        valid = 0 if self.own_valid else valid_count(examples, self.valid_fraction)
        if not self.test_fraction:
            return Counts(examples - valid, valid, 0)
        test = min(max(1, round(examples * self.test_fraction)), examples - valid - 1)
        if test < 1:
            raise DataError(f"{examples} examples are too few: training, validation and test need one each")
        return Counts(examples - valid - test, valid, test)

    def rows(self, examples: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the indices of the examples of each split, for training, validation and test."""
        drawn = examples - self.own_examples
        order = torch.randperm(drawn, generator=generator(self.split_seed, "split"))
        counts = self.counts(drawn)
        valid, test, train = order.split((counts.valid, counts.test, counts.train))
        return train, valid, torch.cat([test, torch.arange(drawn, examples)])

    def split(self, x: torch.Tensor, y: torch.Tensor) -> Splits:
        """Shuffle the examples once by the seed and hold some out."""
        train, valid, test = self.rows(len(x))
        return Splits(x[train], y[train], x[valid], y[valid], x[test], y[test])


Whole = tuple[torch.Tensor, torch.Tensor, HeldOut]
"""All inputs and labels of a data set, and how they are split."""


@dataclass(frozen=True)
class Dataset:
    """`info(paths)` is cheap and raises `DataError` where the files are not there; `load(paths)` reads them.

    Neither ever downloads. `notes(paths)` tells how a user's file was read, (path, message) of each note; it raises
    as `info` does. `held_out` are the parts that training does not see.
    """

    info: Callable[[DatasetPaths], DatasetInfo]
    load: Callable[[DatasetPaths], Splits]
    notes: Callable[[DatasetPaths], Sequence[tuple[str, str]]] = lambda _paths: ()
    held_out: HeldOut | None = None
    whole: Callable[[DatasetPaths], Whole | None] = lambda _paths: None
    """Returns all examples before they are split, and how they are; None where an example is another in another split,
    as one is that is standardised by the training split."""

    @property
    def tested(self) -> bool:
        """True where there is a test split, on which runs are judged when they have ended."""
        return self.held_out is not None and (self.held_out.own_test or self.held_out.test_fraction > 0)


def of_whole(
    info: Callable[[DatasetPaths], DatasetInfo],
    whole: Callable[[DatasetPaths], Whole],
    held_out: HeldOut,
) -> Dataset:
    """Make a data set whose examples are the same in every split."""

    def load(paths: DatasetPaths) -> Splits:
        x, y, how = whole(paths)
        return how.split(x, y)

    return Dataset(info, load, held_out=held_out, whole=whole)


def split(x: torch.Tensor, y: torch.Tensor, valid_fraction: float, split_seed: int) -> Splits:
    """Shuffle once by `split_seed` and hold `valid_count(...)` examples out for validation."""
    return HeldOut(valid_fraction, split_seed).split(x, y)


def valid_count(examples: int, valid_fraction: float) -> int:
    """Return the number of examples held out: at least one, and at least one stays for training."""
    return min(max(1, round(examples * valid_fraction)), examples - 1)


def as_numbers(x: torch.Tensor, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Return inputs as a model takes them: bytes scaled to [0, 1], other numbers unchanged."""
    return x.to(dtype).div_(255) if x.dtype == torch.uint8 else x.to(dtype)
