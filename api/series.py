"""Series as an answer: JSON by column, or a table of one point a row as CSV, Parquet or Arrow; one after another."""

from collections.abc import Callable, Iterator
from typing import IO, Any, Literal

import pyarrow as pa
import pyarrow.compute
from pyarrow import csv, parquet
from sqlalchemy.orm import Session

from api.responses import compact
from core.analysis import thin
from core.errors import InvalidSpec, Problem
from core.experiments.queries.series import as_json, series
from core.results import Series

Form = Literal["json", "csv", "parquet", "arrow"]
MEDIA: dict[Form, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
FORMS = {media: form for form, media in MEDIA.items()}
MOST_POINTS: dict[Form, int] = {
    "json": 5_000_000,
    "csv": 20_000_000,
    "parquet": 20_000_000,
    "arrow": 20_000_000,
}
"""Of one answer: about 100 MB of JSON, or a gigabyte of CSV."""
ROWS = 2**16
"""Rows of a table that are made at a time."""
GROUP = 2**20
"""Rows of a group of Parquet, which readers skip whole."""
LABELS = ("arm", "metric", "unit")


def refuse_too_many(points: int, form: Form) -> None:
    """Raise `InvalidSpec` for an answer of too many points."""
    most = MOST_POINTS[form]
    if points > most:
        advice = "thin the series with max_points, or ask for fewer by metric, arm, seed, first and last"
        raise InvalidSpec([Problem("max_points", f"the answer has more than {most:,} points: {advice}")])


def refuse_idle_means(form: Form, max_points: int | None) -> None:
    """Raise `InvalidSpec` where means were asked for that no answer would have."""
    if form != "json":
        raise InvalidSpec([Problem("means", f"{form} has points alone: ask for JSON, or leave it out")])
    if max_points is None:
        raise InvalidSpec([Problem("means", "without max_points all points are there: send it too, or leave this out")])


def write_series(
    out: IO[bytes],
    session: Session,
    experiment_id: int,
    form: Form,
    *,
    max_points: int | None,
    means: int | None = None,
    **asked: Any,
) -> None:
    """Write what was asked of `series`, each thinned to `max_points`: `{"series": [...]}`, or a table without `means`.

    A value that is not finite is null in JSON and empty in CSV; Parquet and Arrow have it as it is.
    """
    found = series(session, experiment_id, **asked)
    if form == "json":
        _json(out, found, max_points, means)
        return
    write: dict[Form, Callable[[IO[bytes], Iterator[Series], int | None], None]] = {
        "csv": _csv,
        "parquet": _parquet,
        "arrow": _arrow,
    }
    write[form](out, found, max_points)


def _json(out: IO[bytes], found: Iterator[Series], max_points: int | None, means: int | None) -> None:
    out.write(b'{"series":[')
    for i, one in enumerate(found):
        out.write(b"," * (i > 0) + compact(as_json(one, max_points, means)))
    out.write(b"]}")


def _csv(out: IO[bytes], found: Iterator[Series], max_points: int | None) -> None:
    schema = _schema(pa.string())
    with csv.CSVWriter(out, schema, write_options=csv.WriteOptions(quoting_style="needed")) as rows:
        for batch in _batches(found, max_points, schema):
            finite = pa.compute.is_finite(batch["value"])
            values = pa.compute.if_else(finite, batch["value"], pa.scalar(None, pa.float64()))
            rows.write_batch(batch.set_column(batch.num_columns - 1, "value", values))


def _parquet(out: IO[bytes], found: Iterator[Series], max_points: int | None) -> None:
    schema = _schema(pa.dictionary(pa.int32(), pa.string()))
    encodings = {"step": "DELTA_BINARY_PACKED", "value": "BYTE_STREAM_SPLIT"}
    how: dict[str, Any] = {"use_dictionary": [*LABELS, "run_id", "seed"], "column_encoding": encodings}
    with parquet.ParquetWriter(out, schema, compression="zstd", compression_level=1, **how) as table:
        for group in _grouped(_batches(found, max_points, schema), GROUP):
            table.write_table(group.unify_dictionaries(), GROUP)


def _arrow(out: IO[bytes], found: Iterator[Series], max_points: int | None) -> None:
    """Write an Arrow stream of plain columns, which every reader knows; HTTP compresses it on its way."""
    schema = _schema(pa.string())
    with pa.ipc.new_stream(out, schema) as stream:
        for table in _grouped(_batches(found, max_points, schema), ROWS):
            stream.write_table(table.combine_chunks(), ROWS)


def _schema(text: pa.DataType) -> pa.Schema:
    keys = {"run_id": pa.int64(), "arm": text, "seed": pa.int64(), "metric": text, "unit": text}
    return pa.schema(keys | {"step": pa.int64(), "value": pa.float64()})


def _grouped(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Yield batches put together, so many rows at least in each but the last."""
    group, size = list[pa.RecordBatch](), 0
    for batch in batches:
        group.append(batch)
        size += len(batch)
        if size >= rows:
            yield pa.Table.from_batches(group)
            group, size = [], 0
    if group:
        yield pa.Table.from_batches(group)


def _batches(found: Iterator[Series], max_points: int | None, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the points as rows, at most `ROWS` at a time and those of one series."""
    for one in found:
        steps, values = one.steps, one.values
        if max_points is not None and len(steps) > max_points:
            kept = thin(steps, values, max_points)
            steps, values = steps[kept], values[kept]
        keys: dict[str, str | int] = {"run_id": one.run_id, "arm": one.arm, "seed": one.seed, "metric": one.metric}
        keys |= {"unit": one.unit}
        for start in range(0, len(steps), ROWS):
            part = slice(start, start + ROWS)
            n = len(steps[part])
            columns = [_repeated(value, n, schema.field(name).type) for name, value in keys.items()]
            yield pa.record_batch([*columns, pa.array(steps[part]), pa.array(values[part])], schema=schema)


def _repeated(value: str | int, n: int, kind: pa.DataType) -> pa.Array:
    if not pa.types.is_dictionary(kind):
        return pa.repeat(pa.scalar(value, kind), n)
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), n), pa.array([value]))
