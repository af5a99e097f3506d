"""Tables with a point a row, or with a run a row: CSV, TSV and Parquet."""

import csv
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from operator import itemgetter
from pathlib import Path
from typing import Any

from initlab.imports.runs import FoundRun, ImportFailed, Series, as_table, number, says_epochs, value_of

STEPS = ("step", "_step", "global_step", "epoch", "iteration", "iter", "update", "trainer/global_step")
"""The columns that are taken for the step where none was named, the first that there is."""
EMPTY = ("", None)
LONG = {"metric", "value"}
"""The columns of a table that has one metric a row, as `initlab metrics` prints it."""
UNIT = "unit"
"""The column of such a table that says of each point whether its step is an epoch."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of a table, as a user has named them."""

    keys: Sequence[str]
    """Those whose values tell runs apart: of the arm, the seed, and the run where it has a name."""
    run: str | None = None
    step: str | None = None
    metrics: Sequence[str] = ()
    """Empty: every column of numbers that is nothing else."""


Column = Sequence[Any]
"""The cells of a column, of one run."""


def read_csv(path: Path, columns: Columns) -> list[FoundRun]:
    """Return the runs of a CSV file with a header; tabs and semicolons are understood. Raises `ImportFailed`."""
    with path.open(newline="", encoding="utf-8-sig") as file, as_table(path):
        first = file.readline()
        file.seek(0)
        sign = max(",\t;", key=first.count)
        rows = csv.reader(file, delimiter=sign)
        head = next(rows, [])
        return _runs(path, head, rows, columns)


def read_parquet(path: Path, columns: Columns) -> list[FoundRun]:
    """Return the runs of a Parquet file. Raises `ImportFailed`, also where pyarrow is not installed."""
    try:
        parquet, arrow = import_module("pyarrow.parquet"), import_module("pyarrow")
    except ModuleNotFoundError:
        raise ImportFailed('Parquet needs pyarrow: pip install "initlab[import]"') from None
    try:
        table = parquet.read_table(path)
    except (arrow.ArrowException, OSError) as error:
        raise ImportFailed(f"{path} is no Parquet file: {error}") from None

    def rows() -> Iterator[Sequence[Any]]:
        for batch in table.to_batches(max_chunksize=65_536):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)

    return _runs(path, list(table.column_names), rows(), columns)


def _runs(path: Path, head: list[str], rows: Iterable[Sequence[Any]], columns: Columns) -> list[FoundRun]:
    if len(set(head)) < len(head):
        twice = next(name for name in head if head.count(name) > 1)
        raise ImportFailed(f"{path} has two columns that are called {twice!r}")
    wanted = [*columns.keys, *columns.metrics, *filter(None, (columns.run, columns.step))]
    long = set(head) >= LONG
    known = set(head) | (set(columns.metrics) if long else set())
    for name in wanted:
        if name not in known:
            raise ImportFailed(f"{path} has no column {name!r}; it has: {', '.join(head)}")
    step = columns.step or next((name for name in STEPS if name in head and name not in wanted), None)
    grouping = [head.index(name) for name in dict.fromkeys([*columns.keys, *filter(None, [columns.run])])]
    place_of_step = None if step is None else head.index(step)
    groups = _grouped(path, len(head), rows, grouping)
    metrics = columns.metrics if long or columns.metrics else _measured(head, groups, {place_of_step, *grouping})
    reader = _Reader(path, head, place_of_step, columns.run, metrics, long)
    return [reader.run(key, found) for key, found in groups.items()]


def _grouped(path: Path, width: int, rows: Iterable[Sequence[Any]], keys: Sequence[int]) -> dict[Any, list[Column]]:
    """Return the columns of the rows that have the same keys. Raises `ImportFailed` for a row of another width."""
    key_of = itemgetter(*keys) if keys else lambda _: ()
    found: dict[Any, list[Sequence[Any]]] = {}
    for place, row in enumerate(rows, 2):
        if len(row) == width:
            try:
                found[key_of(row)].append(row)
            except KeyError:
                found[key_of(row)] = [row]
        elif row:
            raise ImportFailed(f"{path}, row {place}: {len(row)} cells, where the header has {width}")
    return {key: list(zip(*rows, strict=True)) for key, rows in found.items()}


def _floats(cells: Column) -> "array[float] | None":
    """Return cells as numbers; None where some hold none."""
    try:
        return array("d", map(float, cells))
    except (TypeError, ValueError):
        return None


def _is_one(cells: Column) -> bool:
    return tuple(cells).count(cells[0]) == len(cells)


def _measured(head: list[str], groups: Mapping[Any, list[Column]], others: set[int | None]) -> list[str]:
    """Return the columns that hold measurements, where nobody has named them: numbers wherever they hold anything.

    What is the same in all rows of each run, where runs have several, is a setting.
    """
    several = any(len(columns[0]) > 1 for columns in groups.values())
    found = []
    for i, name in enumerate(head):
        parts = [columns[i] for columns in groups.values()]
        if i in others or (several and all(map(_is_one, parts))):
            continue
        filled = [cells if _floats(cells) else [cell for cell in cells if cell not in EMPTY] for cells in parts]
        if any(filled) and all(_floats(cells) is not None for cells in filled):
            found.append(name)
    return found


@dataclass(frozen=True)
class _Reader:
    path: Path
    head: list[str]
    step: int | None
    run_column: str | None
    metrics: Sequence[str]
    long: bool

    def run(self, key: Any, columns: list[Column]) -> FoundRun:
        """Return the run of the rows with the same key."""
        name = " / ".join(map(str, key)) if isinstance(key, tuple) else str(key)
        if self.run_column is not None:
            name = str(columns[self.head.index(self.run_column)][0])
        run = FoundRun(key=name, name=name or self.path.stem)
        (self._take_long if self.long else self._take_wide)(run, columns)
        if self.step is not None and says_epochs(self.head[self.step]):
            run.by_epochs.update(run.series)
        for i, column in enumerate(self.head):
            if column not in run.series and i != self.step and _is_one(columns[i]):
                run.config[column] = value_of(columns[i][0])
        if self.run_column is None:
            self._check_steps(run)
        return run

    def _steps(self, columns: list[Column]) -> "array[int]":
        if self.step is None:
            return array("q", range(len(columns[0])))
        cells = columns[self.step]
        try:
            return array("q", map(int, cells))
        except (TypeError, ValueError, OverflowError):
            return array("q", map(self._step, cells))

    def _step(self, cell: Any) -> int:
        found = number(cell)
        if found is None or not found.is_integer() or abs(found) >= 2**53:
            raise ImportFailed(f"{self.path}: {cell!r} in column {self.head[self.step or 0]!r} is no whole number")
        return int(found)

    def _take_long(self, run: FoundRun, columns: list[Column]) -> None:
        metric, value = (columns[self.head.index(name)] for name in ("metric", "value"))
        steps = self._steps(columns)
        if UNIT in self.head:
            units = columns[self.head.index(UNIT)]
            run.by_epochs.update(str(name) for name, unit in zip(metric, units, strict=True) if unit == "epoch")
        for name, step, cell in zip(metric, steps, value, strict=True):
            if not self.metrics or name in self.metrics:
                before = run.series.get(name)
                place = len(before.steps) if before else 0
                found = number(cell)
                run.add(str(name), place if self.step is None else step, float("nan") if found is None else found)

    def _take_wide(self, run: FoundRun, columns: list[Column]) -> None:
        steps = self._steps(columns)
        for metric in self.metrics:
            cells = columns[self.head.index(metric)]
            values = _floats(cells)
            if values is not None:
                run.series[metric] = Series(steps, values)
                continue
            for step, cell in zip(steps, cells, strict=True):
                value = number(cell) if cell not in EMPTY else None
                if value is not None:
                    run.add(metric, step, value)
                elif cell not in EMPTY:
                    raise ImportFailed(f"{self.path}: {cell!r} in column {metric!r} is no number")

    def _check_steps(self, run: FoundRun) -> None:
        for metric, series in run.series.items():
            if len(set(series.steps)) < len(series.steps):
                raise ImportFailed(
                    f"{self.path}: {run.name} has several values of {metric} at one step: if they are of several runs, "
                    "name the column that tells runs apart with --run, or the one that counts steps with --step"
                )
