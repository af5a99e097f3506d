"""Descriptions of a user's data set: the options for reading its file, and the content found in it."""

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from core.errors import InvalidSpec, Problem
from core.metrics import Task

MOST_FILE = 2**30
"""Most bytes of an uploaded file."""
MOST_DECODED = 2**31
"""Most bytes of a file's content once it is decoded, and of a table's features as float32."""


class InvalidUpload(InvalidSpec):
    """The file cannot be used as a data set with these options; the message names the row, column or entry."""

    def __init__(self, message: str, field: str = "file", known: tuple[str, ...] = ()) -> None:
        super().__init__([Problem(field, message, known)])


class Options(BaseModel):
    """Options for reading a file. An option that does not apply to the file's kind is refused."""

    model_config = ConfigDict(extra="forbid")

    target: Annotated[list[str], Field(description="tables: the column to learn; several only in regression")] = []
    drop: Annotated[list[str], Field(description="tables: columns that are no features")] = []
    text: Annotated[list[str], Field(description="tables: columns of numbers or dates to be taken as text")] = []
    missing: Annotated[
        Literal["refuse", "impute"] | None,
        Field(description="tables: `refuse` (default), or `impute` the training split's mean or most frequent text"),
    ] = None
    task: Annotated[Task | None, Field(description="what is learned; default: by the target's values")] = None
    resize: Annotated[
        str | None,
        Field(pattern=r"^[1-9]\d{0,3}(x[1-9]\d{0,3})?$", description="image archives: a side, or WIDTHxHEIGHT"),
    ] = None

    def only(self, *known: str, kind: str) -> None:
        """Refuse every other option that was given."""
        for option in Options.model_fields:
            if option not in known and getattr(self, option) not in (None, []):
                raise InvalidUpload(f"does not apply to {kind}, which takes: {', '.join(known)}", option)


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


class About(Content):
    """A stored data set."""

    name: str
    sha256: str
    """Hash of the stored arrays and all of `Content`, independent of the file's format, name and time."""
    file_sha256: str
    bytes: int
    """Size on disk, in bytes."""
    created_at: datetime


class Part(NamedTuple):
    """Examples and their labels: class numbers int64 (n,), or float64 (n, outputs) in regression."""

    x: NDArray[Any]
    y: NDArray[Any]


class Decoded(NamedTuple):
    """A reader's result: the content, and arrays by file name, beside those that it wrote itself."""

    content: Content
    arrays: dict[str, NDArray[np.generic]]
