"""What a user's own data set is said to be: how its file is read, and what was found in it."""

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from core.errors import InvalidSpec, Problem
from core.metrics import Task

MOST_FILE = 2**30
"""Bytes of an uploaded file."""
MOST_DECODED = 2**31
"""Bytes of what a file holds once it is decoded, and of a table's features as float32."""


class InvalidUpload(InvalidSpec):
    """The file cannot be learned from as it was asked to; the message names the row, the column or the file inside."""

    def __init__(self, message: str, field: str = "file", known: tuple[str, ...] = ()) -> None:
        super().__init__([Problem(field, message, known)])


class Options(BaseModel):
    """How to read a file. What does not apply to its kind is refused."""

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
    """What was found in a file."""

    kind: Literal["table", "arrays", "images"]
    examples: int
    """In all."""
    valid_examples: int | None
    """Those of the part that the file itself holds out for validation; None: it has no such part."""
    inputs: list[int]
    """Shape of one example."""
    outputs: int
    task: Task
    classes: list[str]
    """In the order of the outputs; of a binary task the second is 1; none in regression."""
    chance: float | None
    """Share of the most frequent class."""
    columns: list[Column] = []
    """A table's, without its targets."""
    options: dict[str, Any]
    """As they were understood."""


class About(Content):
    """A data set that is kept."""

    name: str
    sha256: str
    """Of the content: the stored arrays and all of `Content`, whatever the file's format, name and time."""
    file_sha256: str
    bytes: int
    """On disk."""
    created_at: datetime


class Part(NamedTuple):
    """Examples and their labels: class numbers int64 (n,), or float64 (n, outputs) in regression."""

    x: NDArray[Any]
    y: NDArray[Any]


class Found(NamedTuple):
    """What a reader returns: arrays by file name, beside those that it wrote itself."""

    content: Content
    arrays: dict[str, NDArray[np.generic]]
