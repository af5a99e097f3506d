"""The options for reading a user's file."""

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationInfo, field_validator

from core.datasets._content import InvalidUploads, Scale
from core.errors import Problem
from core.metrics import Task

SEPARATORS = {"\\t": "\t", "comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}
"""The names of separators; any other single character is itself one."""
COLOURS = {"white": (255, 255, 255), "black": (0, 0, 0), "grey": (128, 128, 128)}
"""The names of backgrounds; others are `#rrggbb`."""
TEXT_OPTIONS = ("separator", "decimal", "encoding", "header", "missing_values")
TABLE_OPTIONS = ("target", "drop", "text", "categorical", "numeric", "missing", "task", "scale", "limit")


_LIKE = {
    "separator": (
        r"^([^\w\s\"\n\r]|\t|\\t| |comma|semicolon|tab|pipe|space)$",
        "comma, semicolon, tab, pipe, space or a single sign: several have to become one in the file",
    ),
    "encoding": (r"^[A-Za-z0-9_.-]{1,40}$", "the name of an encoding, such as cp1252"),
    "resize": (r"^[1-9]\d{0,3}(x[1-9]\d{0,3})?$", "a side in pixels, such as 32, or WIDTHxHEIGHT, such as 64x48"),
    "background": (r"^(white|black|grey|#[0-9a-fA-F]{6})$", "white, black, grey or a colour such as #ff8000"),
}
"""Patterns of options, and what they mean in words."""


def _pattern(option: str) -> dict[str, JsonValue]:
    return {"pattern": _LIKE[option][0]}


_Separator = Annotated[str, Field(json_schema_extra=_pattern("separator"))]
_Encoding = Annotated[str, Field(json_schema_extra=_pattern("encoding"))]
_Resize = Annotated[str, Field(json_schema_extra=_pattern("resize"))]
_Background = Annotated[str, Field(json_schema_extra=_pattern("background"))]


class Options(BaseModel):
    """Options for reading a file. An option that does not apply to the file's kind is refused."""

    model_config = ConfigDict(extra="forbid")

    target: Annotated[list[str], Field(description="tables: the column to learn; several only in regression")] = []
    drop: Annotated[list[str], Field(description="tables: columns that are no features")] = []
    categorical: Annotated[
        list[str], Field(description="tables: columns of numbers or dates whose values are categories")
    ] = []
    numeric: Annotated[
        list[str], Field(description="tables: columns of numbers; dates become days since 1970-01-01, times hours")
    ] = []
    text: Annotated[list[str], Field(description="the earlier name of `categorical`")] = []
    missing: Annotated[
        Literal["refuse", "impute"] | None,
        Field(description="tables: `refuse` (default), or `impute` the training split's mean or most frequent text"),
    ] = None
    missing_values: Annotated[
        list[str] | None,
        Field(description="tables: the texts that mean a missing value beside the empty one; default: NA, NaN, ..."),
    ] = None
    separator: Annotated[
        _Separator | None,
        Field(
            description="CSV: comma, semicolon, tab, pipe, space or a character; default: by the first rows",
        ),
    ] = None
    decimal: Annotated[
        Literal[".", ","] | None, Field(description="tables: the decimal sign; default: by the values")
    ] = None
    encoding: Annotated[
        _Encoding | None,
        Field(
            description="text: such as cp1252; default: the file's mark, or UTF-8",
        ),
    ] = None
    header: Annotated[
        bool | None, Field(description="CSV, XLSX: false where the first row is data; columns are column_1, ...")
    ] = None
    task: Annotated[Task | None, Field(description="what is learned; default: by the target's values")] = None
    resize: Annotated[
        _Resize | None,
        Field(description="image archives: a side, or WIDTHxHEIGHT"),
    ] = None
    background: Annotated[
        _Background | None,
        Field(
            description="image archives: the colour behind transparent pixels; default: white",
        ),
    ] = None
    channels: Annotated[
        Literal["first", "last"] | None, Field(description="NPZ: where pictures (n, a, b, c) have their channels")
    ] = None
    scale: Annotated[
        Scale | None,
        Field(
            description="tables, vectors: `standardise` (default) or `none`; NPZ pictures: `unit` (default) or `none`"
        ),
    ] = None
    limit: Annotated[
        int | None, Field(ge=2, description="at most so many examples, each class in proportion; always the same ones")
    ] = None

    @field_validator("missing_values")
    @classmethod
    def _empty(cls, said: list[str] | None) -> list[str] | None:
        """Return a list of the empty text, which is missing in any case, for one that says that no other is."""
        return [""] if said == [] else said

    @field_validator(*_LIKE)
    @classmethod
    def _like(cls, said: str | None, info: ValidationInfo) -> str | None:
        pattern, words = _LIKE[str(info.field_name)]
        if said is not None and not re.fullmatch(pattern, said):
            raise ValueError(f"should be {words}; not {said[:40]!r}")
        return said

    def only(self, *known: str, kind: str) -> None:
        """Refuse every other option that was given."""
        takes = ", ".join(dict.fromkeys(known))
        others = self.given(*(option for option in Options.model_fields if option not in known))
        if others:
            said = f"does not apply to {kind}, which takes: {takes}"
            raise InvalidUploads([Problem(option, said) for option in others])

    def given(self, *names: str) -> dict[str, object]:
        """Return those of the named options that were given."""
        return {name: getattr(self, name) for name in names if getattr(self, name) not in (None, [])}

    @property
    def delimiter(self) -> str | None:
        """The separator itself."""
        return None if self.separator is None else SEPARATORS.get(self.separator, self.separator)

    @property
    def colour(self) -> tuple[int, int, int]:
        """The background's red, green and blue."""
        said = self.background or "white"
        return COLOURS.get(said) or (int(said[1:3], 16), int(said[3:5], 16), int(said[5:7], 16))


def words(given: Iterable[str]) -> Iterator[str]:
    """Yield each name as given, and the names it has when split at commas."""
    return itertools.chain.from_iterable((one, *(word.strip() for word in one.split(","))) for one in given)
