"""Readers of tables, from CSV and Parquet files to numbers: options are checked, and nothing is repaired."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, csv, parquet

from core.datasets import _targets
from core.datasets._content import MOST_DECODED, Column, Content, Decoded, InvalidUpload, Options
from core.registry import unknown

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
"""The texts that mean a missing value in a CSV file."""
MOST_CATEGORIES = 100
MOST_CELLS = 50_000_000
MOST_COLUMNS = 10_000
MOST_FEATURES = 10_000
LONGEST = 200
"""Most characters of a category or a column's name."""
_LINE = 2**20
"""Bytes of the longest line that Arrow reads."""
OPTIONS = ("target", "drop", "text", "missing", "task")


@dataclass(frozen=True)
class _Table:
    """A table as read: all names, the readable columns, and the number that users give to the first row."""

    names: list[str]
    columns: dict[str, pa.ChunkedArray]
    rows: int
    first: int


def read_csv(file: BinaryIO, options: Options) -> Decoded:
    """Read comma-separated UTF-8 with a header; the header is row 1. Raises `InvalidUpload`."""
    _bounded(file.readline(_LINE).count(b",") + 1, _separators(file))
    text = dict.fromkeys(_words(options.text), pa.string())
    try:
        table = csv.read_csv(
            file,
            csv.ReadOptions(use_threads=False),  # one thread knows the number of a row that is wrong
            csv.ParseOptions(newlines_in_values=True),
            csv.ConvertOptions(null_values=MISSING, strings_can_be_null=True, column_types=text),
        )
        return _decoded(_table(table.column_names, table, first=2), options)
    except UnicodeDecodeError:
        raise InvalidUpload("the header is not UTF-8: save the file as UTF-8") from None
    except pa.ArrowInvalid as error:
        raise InvalidUpload(str(error).removeprefix("CSV parse error: ")[:300]) from None


def read_parquet(file: BinaryIO, options: Options) -> Decoded:
    """Read Apache Parquet; its first row is row 1. Raises `InvalidUpload`."""
    try:
        about = parquet.ParquetFile(file)
        groups = [about.metadata.row_group(i) for i in range(about.metadata.num_row_groups)]
        cells = sum(group.column(j).num_values for group in groups for j in range(group.num_columns))
        _bounded(about.metadata.num_columns, cells)
        if sum(group.total_byte_size for group in groups) > MOST_DECODED:
            raise InvalidUpload(f"the table is larger than {MOST_DECODED / 2**30:.0f} GB once it is decoded")
        dropped = set(_words(options.drop))
        fields = [field for field in about.schema_arrow if _is_plain(field) or field.name not in dropped]
        for field in fields:
            if not _is_plain(field):
                raise InvalidUpload(f"column {field.name!r} holds {field.type} values, not numbers or text: drop it")
        # As dictionaries: a text that a small file repeats a million times stays one text.
        texts = [field.name for field in fields if _is_text(field.type)]
        file.seek(0)
        columns = [field.name for field in fields]
        table = parquet.ParquetFile(file, read_dictionary=texts).read(columns=columns, use_threads=False)
        return _decoded(_table(about.schema_arrow.names, table, first=1), options)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InvalidUpload(f"cannot be read as Parquet: {str(error)[:300]}") from None


def _separators(file: BinaryIO) -> int:
    """Return an upper bound on the number of cells, by counting commas and ends of lines."""
    file.seek(0)
    count = 1
    while chunk := file.read(2**20):
        count += chunk.count(b",") + max(chunk.count(b"\n"), chunk.count(b"\r"))
    file.seek(0)
    return count


def _is_text(kind: pa.DataType) -> bool:
    of = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(of) or pa.types.is_large_string(of) or pa.types.is_string_view(of))


def _is_plain(field: pa.Field) -> bool:
    """Return whether a column holds text or values of one small size; other types may be of any size."""
    return _is_text(field.type) or bool(
        pa.types.is_primitive(field.type) or pa.types.is_decimal(field.type) or pa.types.is_null(field.type)
    )


def _bounded(columns: int, cells: int) -> None:
    if columns > MOST_COLUMNS:
        raise InvalidUpload(f"the table has {columns:,} columns; {MOST_COLUMNS:,} is the most")
    if cells > MOST_CELLS:
        raise InvalidUpload(f"the table has {cells:,} cells; {MOST_CELLS:,} is the most")


def _table(names: list[str], table: pa.Table, first: int) -> _Table:
    for i, name in enumerate(names, start=1):
        if not name.strip():
            raise InvalidUpload(f"column {i} has no name (an index? write the file without it)")
        if len(name) > LONGEST or not name.isprintable():
            raise InvalidUpload(f"column {i} should have a printable name of at most {LONGEST} characters")
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise InvalidUpload(f"there are two columns {twice!r}")
    if table.num_rows < 2:
        raise InvalidUpload(f"the table has {table.num_rows} rows; training and validation need one each")
    return _Table(names, dict(zip(table.column_names, table.columns, strict=True)), table.num_rows, first)


def _decoded(table: _Table, options: Options) -> Decoded:
    options.only(*OPTIONS, kind="a table")
    chosen = {field: _named(table, getattr(options, field), field) for field in ("target", "drop", "text")}
    if not chosen["target"]:
        raise InvalidUpload("should name the column that is to be learned", "target", tuple(table.names))
    for name in sorted(set(chosen["target"]) & set(chosen["drop"])):
        raise InvalidUpload(f"{name!r} is the target", "drop")
    not_features = {*chosen["target"], *chosen["drop"]}
    features = [name for name in table.columns if name not in not_features]
    if not features:
        raise InvalidUpload("there is no column left to learn from", "drop")
    target = _target(table, chosen["target"], chosen["text"], options)
    missing = options.missing or "refuse"
    x = np.empty((table.rows, len(features)))
    columns = []
    for i, name in enumerate(features):
        column, x[:, i] = _column(table, name, name in chosen["text"])
        if missing == "refuse":
            _complete(table, name, x[:, i], " (drop the column, or say missing=impute)")
        columns.append(column)
    inputs = sum(len(column.features) for column in columns)
    if inputs > MOST_FEATURES or 4 * inputs * table.rows > MOST_DECODED:
        raise InvalidUpload(f"{table.rows:,} rows x {inputs:,} features are too many: drop columns")
    content = Content(
        kind="table",
        examples=table.rows,
        valid_examples=None,
        inputs=[inputs],
        outputs=target.outputs,
        task=target.task,
        classes=target.classes,
        chance=target.chance(target.y),
        columns=columns,
        options={**chosen, "missing": missing},
    )
    return Decoded(content, {"x": x, "y": target.y})


def _target(table: _Table, names: list[str], text: list[str], options: Options) -> _targets.Target:
    read = [(name, *_column(table, name, name in text, target=True)) for name in names]
    for name, _, values in read:
        _complete(table, name, values, " (a target is never imputed)")
    kinds = [column for _, column, _ in read if column.kind == "text"]
    if kinds and len(read) > 1:
        raise InvalidUpload(
            f"several targets are a regression, which needs numbers; {kinds[0].name!r} is text", "target"
        )
    what = f"target {names[0]!r}" if len(names) == 1 else "target"
    if kinds:
        return _targets.of_classes(read[0][2].astype(np.int64), kinds[0].categories, options.task, what)
    return _targets.of_numbers(np.stack([values for *_, values in read], axis=1), options.task, what)


def _column(table: _Table, name: str, as_text: bool, target: bool = False) -> tuple[Column, NDArray[np.float64]]:
    """Return a column and its values (n,): numbers, 0 and 1, or indices of its categories; NaN where missing."""
    values = table.columns[name]
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if pa.types.is_null(kind):
        raise InvalidUpload(f"column {name!r} has no values")
    if _is_text(kind) or as_text:
        return _text(table, name, values, _targets.MOST_CLASSES if target else MOST_CATEGORIES, mixed=as_text)
    if pa.types.is_dictionary(values.type):
        values = values.cast(kind)
    if pa.types.is_boolean(kind):
        return Column(name=name, kind="bool"), _numbers(values.cast(pa.uint8()))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = _numbers(values)
        too_large = np.flatnonzero(np.abs(numbers) > np.finfo(np.float32).max)
        if len(too_large):
            raise InvalidUpload(
                f"column {name!r}, row {table.first + too_large[0]}: {numbers[too_large[0]]} is no finite float32"
            )
        return Column(name=name, kind="number"), numbers
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise InvalidUpload(f"column {name!r} is not UTF-8 text: save the file as UTF-8, or drop the column")
    raise InvalidUpload(f"column {name!r} holds {kind} values, not numbers or text: drop it, or name it in `text`")


def _numbers(values: pa.ChunkedArray) -> NDArray[np.float64]:
    found: NDArray[np.float64] = compute.cast(values, pa.float64(), safe=False).to_numpy()
    return found


def _text(
    table: _Table, name: str, values: pa.ChunkedArray, most: int, mixed: bool
) -> tuple[Column, NDArray[np.float64]]:
    if not pa.types.is_dictionary(values.type):
        values = values.cast(pa.string()).dictionary_encode()
    whole = values.unify_dictionaries().combine_chunks()
    chunk = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    places = compute.fill_null(chunk.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    counts = np.bincount(places[places >= 0], minlength=len(chunk.dictionary))
    texts = [str(text) for text in chunk.dictionary.cast(pa.string()).to_pylist()]
    if not mixed:
        _one_kind(table, name, places, texts, counts)
    used = np.flatnonzero(counts)
    if not len(used):
        raise InvalidUpload(f"column {name!r} has no values")
    categories = sorted({texts[i] for i in used})
    if len(categories) > most:
        raise InvalidUpload(f"text column {name!r} has {len(categories):,} categories; {most} is the most: drop it")
    for i in used:
        if len(texts[i]) > LONGEST:
            row = table.first + int(np.argmax(places == i))
            raise InvalidUpload(
                f"column {name!r}, row {row}: the text has {len(texts[i]):,} characters: drop the column"
            )
    order = {text: i for i, text in enumerate(categories)}
    codes = np.array([order.get(text, 0) for text in texts] + [np.nan])  # the last is that of a missing value: -1
    return Column(name=name, kind="text", categories=categories), codes[places]


def _one_kind(table: _Table, name: str, places: NDArray[np.int64], texts: list[str], counts: NDArray[Any]) -> None:
    """Refuse text among numbers: most likely a typing error, which would make every number a category."""
    numeric = np.array([_is_number(text) for text in texts], dtype=bool)
    if 2 * counts[numeric].sum() >= counts.sum() > counts[numeric].sum():
        row = int(np.argmax((places >= 0) & ~numeric[places]))
        message = f"column {name!r}, row {table.first + row}: {texts[places[row]][:80]!r} stands among numbers"
        raise InvalidUpload(f"{message} (if they are categories, name the column in `text`)")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _complete(table: _Table, name: str, values: NDArray[np.float64], advice: str) -> None:
    absent = np.flatnonzero(np.isnan(values))
    if len(absent):
        message = f"column {name!r} has {len(absent):,} missing values, the first in row {table.first + absent[0]}"
        raise InvalidUpload(message + advice)


def _words(given: Iterable[str]) -> Iterator[str]:
    """Yield each name as given, and the names it has when split at commas."""
    return itertools.chain.from_iterable((one, *(word.strip() for word in one.split(","))) for one in given)


def _named(table: _Table, given: Iterable[str], field: str) -> list[str]:
    """Return the columns that an option names, each once, in the table's order; targets keep the order given."""
    found: dict[str, None] = {}
    for one in given:
        for name in [one] if one in table.names else filter(None, (word.strip() for word in one.split(","))):
            if name not in table.names:
                problem = unknown("column", name, table.names)
                raise InvalidUpload(problem.message, field, problem.known)
            found[name] = None
    return list(found) if field == "target" else [name for name in table.names if name in found]
