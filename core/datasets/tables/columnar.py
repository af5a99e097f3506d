"""Parquet files: columns of one type each."""

import json
import os
from typing import BinaryIO

import pyarrow as pa
from pyarrow import parquet

from core.datasets._archives import FREE, MOST_TIMES
from core.datasets._content import MOST_DECODED, InvalidUpload, Remarks
from core.datasets._options import Options, words
from core.datasets.tables.raw import RawTable, check_names, check_size

BYTES_OF_CELL = 16
"""Bytes that a cell takes at least while it is read: as it is in the file, and as a number beside that."""
_INDEX = "__index_level_"


def read_parquet(file: BinaryIO, options: Options, remarks: Remarks) -> RawTable:
    """Read Apache Parquet; its first row is row 1. Indexes that pandas wrote are no columns. Raises `InvalidUpload`."""
    try:
        about = parquet.ParquetFile(file)
        groups = [about.metadata.row_group(i) for i in range(about.metadata.num_row_groups)]
        cells = sum(group.column(j).num_values for group in groups for j in range(group.num_columns))
        check_size(about.metadata.num_columns, cells)
        most = max(FREE, MOST_TIMES * file.seek(0, os.SEEK_END))
        if BYTES_OF_CELL * cells > most:
            raise InvalidUpload(
                f"the table has {cells:,} cells; {most // BYTES_OF_CELL:,} are the most for a file of its size: "
                "leave columns out that are the same in all rows"
            )
        if sum(group.total_byte_size for group in groups) > MOST_DECODED:
            raise InvalidUpload(f"the table is larger than {MOST_DECODED / 2**30:.0f} GB once it is decoded")
        schema = about.schema_arrow
        check_names(schema.names, remarks)
        asked = set(words((*options.target, *options.numeric, *options.categorical, *options.text)))
        left_out = [name for name in _indexes(schema) if name not in asked]
        for name in left_out:
            remarks.note(
                f"columns.{name}",
                f"{name!r} is the index that pandas wrote, by the file's own word: left out; numeric={name} keeps it",
            )
        gone = {*words(options.drop), *left_out}
        fields = [field for field in schema if field.name not in gone]
        for field in fields:
            if not _is_plain(field.type):
                remarks.refuse(f"column {field.name!r} holds {field.type} values, not numbers or text: drop it")
        remarks.check()
        # As dictionaries: a text that a small file repeats a million times stays one text.
        texts = [field.name for field in fields if is_text(field.type)]
        file.seek(0)
        columns = [field.name for field in fields]
        table = parquet.ParquetFile(file, read_dictionary=texts).read(columns=columns, use_threads=False)
        table.validate(full=True)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InvalidUpload(f"cannot be read as Parquet: {str(error)[:300]}") from None
    return RawTable(
        names=schema.names,
        columns=dict(zip(table.column_names, table.columns, strict=True)),
        rows=table.num_rows,
        declared=frozenset(field.name for field in fields if pa.types.is_dictionary(field.type)),
    )


def is_text(kind: pa.DataType) -> bool:
    """Return True for texts, and for dictionaries of texts."""
    of = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(of) or pa.types.is_large_string(of) or pa.types.is_string_view(of))


def _is_plain(kind: pa.DataType) -> bool:
    """Return True for text, and for values of one small size; other types may be of any size."""
    return is_text(kind) or bool(pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind))


def _indexes(schema: pa.Schema) -> list[str]:
    """Return the columns that pandas' metadata, or a name that pandas makes up, says are an index."""
    found = {name for name in schema.names if name.startswith(_INDEX)}
    try:
        said = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
        named = said.get("index_columns", []) if isinstance(said, dict) else []
        found |= {name for name in named if isinstance(name, str)}
    except (ValueError, TypeError, RecursionError):
        pass  # damaged metadata is no word of the file
    return [name for name in schema.names if name in found]
