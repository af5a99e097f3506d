"""Descriptions of a user's data set: the content found in its file, and notes on how it was understood."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from core.errors import InvalidSpec, Problem
from core.metrics import Task

MOST_FILE = 2**30
"""Most bytes of an uploaded file."""
MOST_DECODED = 2**31
"""Most bytes of a file's content once it is decoded, and of a table's features as float32."""
MOST_PROBLEMS = 50
"""Most problems of one file that are told."""
Scale = Literal["standardise", "unit", "none"]


class InvalidUpload(InvalidSpec):
    """The file cannot be used as a data set with these options; the messages name the row, column or entry."""

    def __init__(self, message: str, field: str = "file", known: tuple[str, ...] = ()) -> None:
        super().__init__([Problem(field, message, known)])


class InvalidUploads(InvalidUpload):
    """Several problems of one file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        InvalidSpec.__init__(self, problems)


class Note(BaseModel):
    """One thing that was taken for something, and why that might be wrong."""

    path: str
    """The option, or the column as `columns.<name>`, that it is about."""
    message: str


class Remarks:
    """The notes and the problems of one file, gathered while it is read."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.problems: list[Problem] = []

    def note(self, path: str, message: str) -> None:
        """Keep a note; the same one is kept once."""
        made = Note(path=path, message=message)
        if made not in self.notes:
            self.notes.append(made)

    def refuse(self, message: str, field: str = "file", known: tuple[str, ...] = ()) -> None:
        """Keep a problem, for `check` to raise; raises at once where there are too many already."""
        self.problems.append(Problem(field, message, known))
        if len(self.problems) >= MOST_PROBLEMS:
            self.problems.append(Problem("file", "there may be more problems: these are the first"))
            self.check()

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep the problem that the block raises, and go on after it."""
        try:
            yield
        except InvalidUpload as error:
            for problem in error.problems:
                self.refuse(problem.message, problem.path, problem.known)

    def check(self) -> None:
        """Raise `InvalidUploads` with all problems, where there are any."""
        if self.problems:
            raise InvalidUploads(list(dict.fromkeys(self.problems)))


class Column(BaseModel):
    """A table's column: a number, 0 or 1, or text of these categories, each of which becomes one feature."""

    name: str
    kind: Literal["number", "bool", "text"]
    categories: list[str] = []

    @property
    def features(self) -> list[str]:
        """The names of the features that it becomes."""
        return [f"{self.name}={category}" for category in self.categories] if self.kind == "text" else [self.name]


class Content(BaseModel):
    """The content found in a file."""

    kind: Literal["table", "arrays", "images"]
    examples: int
    """Number of examples, those held out included."""
    valid_examples: int | None
    """Number of examples in the file's own validation split; None: it has no such split."""
    inputs: list[int]
    """Shape of one example."""
    outputs: int
    task: Task
    classes: list[str]
    """Class names in the order of the outputs; in a binary task the second is 1; empty in regression."""
    chance: float | None
    """Share of the most frequent class."""
    columns: list[Column] = []
    """A table's columns without its targets."""
    options: dict[str, Any]
    """The options with their defaults resolved."""
    scale: Scale | None = None
    """`standardise`: numbers by the training split; `unit`: bytes to [0, 1]; None: as each kind was in version 0.1."""
    notes: list[Note] = []
    """The things that were taken for something, and why that might be wrong."""

    def hashed(self) -> dict[str, Any]:
        """Return what the content's hash covers: what is trained on, in the words of version 0.1, and no notes."""
        said = self.model_dump(mode="json", exclude={"notes"})
        if self.scale is None:
            del said["scale"]
        return said


class About(Content):
    """A stored data set."""

    name: str
    sha256: str
    """Hash of the stored arrays and of `Content.hashed`, independent of the file's format, name and time."""
    file_sha256: str
    bytes: int
    """Size on disk, in bytes."""
    created_at: datetime
    owner: str | None = None
    """The id of the API key or the user that sent it; None where no keys were needed."""
    project: str = "default"


class Decoded(NamedTuple):
    """A reader's result: the content, and arrays by file name, beside those that it wrote itself."""

    content: Content
    arrays: dict[str, NDArray[np.generic]]
