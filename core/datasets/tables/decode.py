"""A raw table as a data set: its target, its features, and what is noted of them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.lib import format as npy
from numpy.typing import NDArray
from pyarrow import compute

from core.datasets import _targets
from core.datasets._content import MOST_DECODED, Column, Content, Decoded, InvalidUpload, Remarks
from core.datasets._limit import subsets
from core.datasets._options import TABLE_OPTIONS, Options
from core.datasets.tables.columnar import is_text
from core.datasets.tables.columns import Reading, Values
from core.datasets.tables.decimals import settled_decimal
from core.datasets.tables.dialect import separator_hint
from core.datasets.tables.indexes import is_index, note_doubts
from core.datasets.tables.missing import markers, note_imputed
from core.datasets.tables.raw import RawTable
from core.registry import unknown

MOST_FEATURES = 10_000
BLOCK = 8_192
"""Rows that are written together."""
MOST_NAMES = 30
"""Most columns that a message lists."""
_FIELDS = ("target", "drop", "categorical", "numeric")


class _Features:
    """The features as they are read, column by column."""

    def __init__(self) -> None:
        self.columns: list[Column] = []
        self.values: list[Values] = []


def decode(table: RawTable, options: Options, into: Path, remarks: Remarks) -> Decoded:
    """Return the data set; its features, float64 (n, columns), are written into the folder. Raises `InvalidUpload`."""
    before = len(remarks.problems)
    chosen = {field: _named(table, _asked(options, field), field, remarks) for field in _FIELDS}
    if len(remarks.problems) > before:
        remarks.check()
    _check(table, chosen, options, remarks)
    columns = [name for name in table.columns if name not in chosen["drop"]]
    marks = markers(options.missing_values)
    rules = Reading(
        table=table,
        remarks=remarks,
        marks=marks,
        marks_given=options.missing_values is not None,
        categorical=frozenset(chosen["categorical"]),
        numeric=frozenset(chosen["numeric"]),
        targets=frozenset(chosen["target"]),
        decimal=settled_decimal(table, columns, marks, options.decimal),
    )
    target = None
    with remarks.gathered():
        target = _target(rules, chosen["target"], options)
    names = [name for name in columns if name not in chosen["target"]]
    read = _features(rules, names, options.missing or "refuse")
    remarks.check()
    if not read.columns:
        why = (
            f" ({remarks.notes[-1].message})" if remarks.notes and remarks.notes[-1].path.startswith("columns") else ""
        )
        hint = separator_hint(table.names)
        raise InvalidUpload(f"there is no column left to learn from{why}" + (f"; {hint}" if hint else ""), "drop")
    assert target is not None  # noqa: S101 its problem would have been raised
    return _content(table, read, target, chosen, options, into, remarks)


def _content(
    table: RawTable,
    read: _Features,
    target: _targets.Target,
    chosen: dict[str, list[str]],
    options: Options,
    into: Path,
    remarks: Remarks,
) -> Decoded:
    inputs = sum(len(column.features) for column in read.columns)
    if inputs > MOST_FEATURES or 4 * inputs * table.total > MOST_DECODED:
        raise InvalidUpload(f"{table.total:,} rows x {inputs:,} features are too many: drop columns")
    held_out = table.valid.rows if table.valid else None
    labels = target.y if target.classes else None
    train, valid = subsets(labels, table.total, held_out, options.limit)
    taken = train if valid is None else np.concatenate([train, table.rows + valid])
    _write(into / "x.npy", read.values, train)
    arrays = {"y": target.y[train]}
    if valid is not None:
        _write(into / "x_valid.npy", read.values, table.rows + valid)
        arrays["y_valid"] = target.y[table.rows + valid]
    target = target._replace(y=target.y[taken])
    if len(taken) < table.total:
        remarks.note("limit", f"{len(taken):,} of {table.total:,} rows, the same ones always")
    _targets.note_rare(target, None if valid is None else len(valid), remarks)
    resolved = {field: chosen[field] for field in ("target", "drop")} | {"text": chosen["categorical"]}
    given = options.given("missing_values", "separator", "decimal", "encoding", "header", "scale", "limit")
    content = Content(
        kind="table",
        examples=len(taken),
        valid_examples=None if valid is None else len(valid),
        inputs=[inputs],
        outputs=target.outputs,
        task=target.task,
        classes=target.classes,
        chance=target.chance(arrays.get("y_valid", target.y)),
        columns=read.columns,
        options=resolved | {"missing": options.missing or "refuse"} | options.given("numeric") | given,
        scale=options.scale,
        notes=remarks.notes,
    )
    return Decoded(content, arrays)


def _write(path: Path, columns: list[Values], places: NDArray[np.int64]) -> None:
    """Write the columns beside each other, at these places, as `numpy.save` would: a block of rows at a time."""
    with path.open("wb") as out:
        header = {"descr": "<f8", "fortran_order": False, "shape": (len(places), len(columns))}
        npy.write_array_header_1_0(out, header)
        for start in range(0, len(places), BLOCK):
            block = places[start : start + BLOCK]
            out.write(np.stack([values[block] for values in columns], axis=1).tobytes())


def _check(table: RawTable, chosen: dict[str, list[str]], options: Options, remarks: Remarks) -> None:
    """Raise for options that say nothing together; what is wrong with rows is told with what comes later."""
    before = len(remarks.problems)
    options.only(*TABLE_OPTIONS, "missing_values", "separator", "decimal", "encoding", "header", kind="a table")
    if options.scale == "unit":
        remarks.refuse(
            "is for pictures; numbers of a table are standardised, or `none` leaves them as they are", "scale"
        )
    if not chosen["target"]:
        hint = separator_hint(table.names)
        text = f"should name the column that is to be learned; columns: {_shown(table.names)}"
        shown = tuple(table.names[:MOST_NAMES])
        remarks.refuse(text + (f"; {hint}" if hint else ""), "target", shown)
    for field, others in (("target", "drop"), ("categorical", "numeric")):
        for name in sorted(set(chosen[field]) & set(chosen[others])):
            remarks.refuse(
                f"{name!r} is {'the target' if field == 'target' else 'among the numeric columns too'}", others
            )
    if (table.total < 2 or not table.rows) and not before:
        remarks.refuse(f"the table has {table.total} rows; training and validation need one each")
    if len(remarks.problems) > before:
        remarks.check()


def _target(rules: Reading, names: list[str], options: Options) -> _targets.Target:
    read = []
    for name in names:
        column, values = rules.read(name)
        _complete(rules.table, name, values, " (a target is never imputed; missing_values says what is one)")
        read.append((column, values))
    kinds = [column for column, _ in read if column.kind == "text"]
    if kinds and len(read) > 1:
        raise InvalidUpload(
            f"several targets are a regression, which needs numbers; {kinds[0].name!r} is text", "target"
        )
    what = f"target {names[0]!r}" if len(names) == 1 else "target"
    if kinds:
        if options.task is None:
            rules.remarks.note("task", f"{what} is text: its {len(kinds[0].categories):,} values are classes")
        return _targets.of_classes(read[0][1].astype(np.int64), kinds[0].categories, options.task, what)
    task = options.task
    if task is None and len(names) == 1 and names[0] in rules.amounts | rules.numeric:
        task = "regression"
        why = "named in numeric" if names[0] in rules.numeric else "written as amounts are"
        rules.remarks.note("task", f"{what} is {why} (regression); if it is classes, say task=multiclass")
    return _targets.of_numbers(np.stack([values for _, values in read], axis=1), task, what, rules.remarks)


def _features(rules: Reading, names: list[str], missing: str) -> _Features:
    """Read all features; their problems are gathered."""
    read, table, remarks = _Features(), rules.table, rules.remarks
    for name in names:
        if _is_empty(table, name):
            remarks.note(f"columns.{name}", f"{name!r} has neither a name nor values: left out")
            continue
        with remarks.gathered():
            column, values = rules.read(name)
            if is_index(name, values, unnamed=name in table.unnamed):
                remarks.note(f"columns.{name}", f"{name!r} numbers the rows and has no name of its own: left out")
                continue
            if missing == "refuse":
                _complete(
                    table, name, values, " (drop the column, or say missing=impute; missing_values says what is one)"
                )
            else:
                marks = () if rules.marks_given else rules.marks
                note_imputed(column, table.columns[name], values, marks, remarks)
            note_doubts(column, values, remarks)
            read.columns.append(column)
            read.values.append(values)
        table.columns[name] = pa.chunked_array([], pa.null())  # its memory is free for the next
    return read


def _is_empty(table: RawTable, name: str) -> bool:
    """Return True for a column that a spreadsheet wrote for nothing: with no name and no values."""
    values = table.columns[name]
    plain = is_text(values.type) and not pa.types.is_dictionary(values.type)
    return name in table.unnamed and plain and bool(compute.all(compute.equal(values, "")).as_py())


def _complete(table: RawTable, name: str, values: Values, advice: str) -> None:
    absent = np.flatnonzero(np.isnan(values))
    if len(absent):
        mark = table.columns[name][int(absent[0])].as_py()
        shown = f" ({mark!r})" if isinstance(mark, str) and mark.strip() else ""
        where = f"{shown} in {table.row(int(absent[0]))}"
        found = f"{len(absent):,} missing values, the first{where}" if len(absent) > 1 else f"a missing value{where}"
        message = f"column {name!r} has {found}"
        raise InvalidUpload(message + advice)


def _asked(options: Options, field: str) -> list[str]:
    return [*options.categorical, *options.text] if field == "categorical" else list(getattr(options, field))


def _named(table: RawTable, given: Iterable[str], field: str, remarks: Remarks) -> list[str]:
    """Return the columns that an option names, each once, in the table's order; targets keep the order given."""
    found: dict[str, None] = {}
    for one in given:
        for name in [one] if one in table.names else filter(None, (word.strip() for word in one.split(","))):
            if name not in table.names:
                remarks.refuse(*_unknown(table, name, field))
            else:
                found[name] = None
    return list(found) if field == "target" else [name for name in table.names if name in found]


def _unknown(table: RawTable, name: str, field: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the message, the path and the nearest columns of a name that is none."""
    problem = unknown("column", name, table.names)
    near = "; did you mean" in problem.message
    known = problem.known if near else tuple(table.names[:MOST_NAMES])
    said = problem.message
    if not near and len(table.names) > MOST_NAMES:
        said = f"unknown column {name[:80]!r}; columns: {_shown(table.names)}"
    hint = separator_hint(table.names)
    if table.headed and 2 * len(table.unnamed) >= len(table.names) > 1:
        hint = f"{len(table.unnamed)} of {len(table.names)} columns have no name: remove a title above the header"
    if hint is None and field == "target" and table.headed and not near:
        hint = "if the first row is data and no header, say header=false"
    return said + (f"; {hint}" if hint else ""), field, known


def _shown(names: list[str]) -> str:
    """Return the first columns' names, and how many more there are."""
    more = f", and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
