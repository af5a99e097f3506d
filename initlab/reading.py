"""The options for reading a data set's file, as a client says them to the server."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

Words = str | Sequence[str]


class ReadOptions(TypedDict, total=False):
    """Options that apply to one kind of file each; the server refuses the others, and resolves those left out."""

    target: Words
    """Tables: the column to learn; several only in regression."""
    drop: Words
    """Tables: columns that are no features."""
    categorical: Words
    """Tables: columns of numbers or dates whose values are categories."""
    numeric: Words
    """Tables: columns that have to be numbers; dates become days since 1970-01-01, times hours."""
    text: Words
    """The earlier name of `categorical`."""
    missing: Literal["refuse", "impute"] | None
    """Tables: what becomes of missing values."""
    missing_values: Words | None
    """Tables: the texts that mean a missing value beside the empty one; an empty list: no others do."""
    separator: str | None
    """CSV: comma, semicolon, tab, pipe, space or a sign."""
    decimal: Literal[".", ","] | None
    """Tables: the decimal sign."""
    encoding: str | None
    """CSV, JSON lines: such as cp1252."""
    header: bool | None
    """CSV, XLSX: False where the first row is data; the columns are then column_1, column_2, ..."""
    task: Literal["multiclass", "binary", "regression"] | None
    """The kind of target; by default its values tell."""
    resize: int | str | None
    """Images: a side, or "WIDTHxHEIGHT"."""
    background: str | None
    """Images: the colour behind transparent pixels: white, black, grey or #rrggbb."""
    channels: Literal["first", "last"] | None
    """NPZ pictures: the place of their channels."""
    scale: Literal["standardise", "unit", "none"] | None
    """Numbers by the training split, pictures to [0, 1], or both as they are."""
    limit: int | None
    """The most examples, each class in proportion."""


def form_fields(name: str | None, options: ReadOptions) -> dict[str, str | list[str]]:
    """Return the form's fields beside the file; a list is a field that is repeated."""
    said: Mapping[str, object] = {"name": name, **options}
    fields: dict[str, str | list[str]] = {}
    for key, value in said.items():
        if isinstance(value, bool):
            fields[key] = str(value).lower()
        elif isinstance(value, str | int):
            fields[key] = str(value)
        elif isinstance(value, Sequence) and (value or key == "missing_values"):
            # An empty list would be no field at all, which means the default: the empty text is missing in any case.
            fields[key] = [str(one) for one in value or [""]]
    return fields
