"""W&B's offline files, and what its pages export: the CSV of a chart, and the CSV of a table of runs.

An offline file is LevelDB's log format (doc/log_format.md there) behind a header of seven bytes, holding the `Record`
messages of wandb/proto/wandb_internal.proto. Checksums are not verified.
"""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from struct import unpack_from
from typing import Any

from initlab.imports import protobuf
from initlab.imports.protobuf import fields, message, text
from initlab.imports.runs import FoundRun, ImportFailed, as_table, flat, number, value_of

BLOCK, HEADER = 32 * 1024, 7
FAR = 2**53
"""The first step that no float holds exactly."""
MAGIC = b":W&B"
NAMES, VALUE = (0x0A, 0x12), b"\x82\x01"
"""The first bytes of the fields of an item: key or nested_key, and value_json."""
HISTORY, CONFIG, RUN, EXIT = 2, 5, 17, 18
OF_A_CHART = re.compile(r"(?P<run>.+) - (?P<metric>.+?)(?P<bound>__MIN|__MAX)?")


def read(place: Path) -> list[FoundRun]:
    """Return the runs of a `.wandb` file, a folder that has such files somewhere inside, or an exported CSV.

    The steps are W&B's own. Raises `ImportFailed` for what is none of these.
    """
    if place.is_dir():
        files = sorted(place.rglob("*.wandb"))
        if not files:
            raise ImportFailed(f"{place} has no *.wandb files; what W&B's pages export as CSV is read as one file")
    elif place.suffix == ".csv":
        return _read_csv(place)
    else:
        files = [place]
    runs: dict[str, FoundRun] = {}
    for path in files:
        _read_offline(path, runs)
    return list(runs.values())


def chunks(data: bytes) -> Iterator[bytes]:
    """Yield the records of a log, up to one that was cut off."""
    place, parts, end = HEADER, b"", len(data)
    while place + 7 <= end:
        left = BLOCK - place % BLOCK
        size, kind = unpack_from("<HB", data, place + 4)
        if left < 7 or kind == 0:
            place += left
            continue
        if place + 7 + size > end:
            return
        part = data[place + 7 : place + 7 + size]
        place += 7 + size
        parts = part if kind in (1, 2) else parts + part
        if kind in (1, 4):
            yield parts


def _read_offline(path: Path, runs: dict[str, FoundRun]) -> None:
    data = path.read_bytes()
    if not data.startswith(MAGIC):
        raise ImportFailed(f"{path} is no file of W&B: it does not begin with {MAGIC.decode()}")
    run = FoundRun(key=path.stem, name=path.stem, state="running")
    broken = 0
    for record in chunks(data):
        try:
            run = _taken(record, runs, run)
        except (ValueError, IndexError, OverflowError):
            broken += 1
    if broken:
        run.notes.append(f"{path}: {broken:,} records are broken, and are left out")
    runs.setdefault(run.key, run)


def _taken(record: bytes, runs: dict[str, FoundRun], run: FoundRun) -> FoundRun:
    """Take a record into a run, and return that which later ones belong to. Raises as broken bytes do."""
    for kind, value in fields(record):
        if kind == HISTORY:
            _take_history(run, message(value))
        elif kind == RUN:
            run = _described(message(value), runs, run)
        elif kind == CONFIG:
            run.config |= _items(message(value), 1)
        elif kind == EXIT:
            code = next((v for n, v in fields(message(value)) if n == 1 and isinstance(v, int)), 0)
            run.state = "failed" if code else "finished"
            run.error = f"exit code {code}" if code else ""
    return run


def _described(data: bytes, runs: dict[str, FoundRun], before: FoundRun) -> FoundRun:
    """Return the run that a `RunRecord` describes, which an earlier file may have begun."""
    found = dict(fields(data))
    key = text(found.get(1, before.key.encode()))
    run = runs.setdefault(key, before)
    run.key, run.state = key, "running"
    run.name = text(found.get(8, b"")) or key
    for number_, value in fields(data):
        if number_ == 4:
            run.config |= _items(message(value), 1)
        elif number_ == 10:
            run.tags[text(value)] = True
    for name, place in (("group", 6), ("job_type", 7), ("sweep", 12)):
        if place in found:
            run.tags[name] = text(found[place])
    if 17 in found:
        run.started = float(next((v for n, v in fields(message(found[17])) if n == 1), 0))
    return run


def _items(data: bytes, wanted: int) -> dict[str, Any]:
    """Return keys and values of the items of a record, flat; W&B's own begin with an underscore and are left out."""
    found: dict[str, Any] = {}
    for number_, item in fields(data):
        if number_ == wanted:
            name, value = _item(message(item))
            if not name.startswith("_"):
                found |= flat({name: _loaded(value)})
    return found


def _item(data: bytes) -> tuple[str, bytes]:
    """Return the dotted name of an item, and its value as JSON."""
    names, value = [], b"null"
    for number_, part in fields(data):
        if number_ in (1, 2):
            names.append(text(part))
        elif number_ == 16:
            value = message(part)
    return ".".join(names), value


def _loaded(value: bytes) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return None


def _take_history(run: FoundRun, data: bytes) -> None:
    found, steps = _history(data)
    step = int(found.get(b"_step", steps))
    for name, value in found.items():
        if name[:1] != b"_":
            try:
                run.add(name.decode(), step, float(value))
            except ValueError:
                for metric, scalar in _scalars(name.decode("utf-8", "replace"), value):
                    run.add(metric, step, scalar)


def _history(data: bytes) -> tuple[dict[bytes, bytes], int]:
    """Return the items of a `HistoryRecord` by dotted name, and its step.

    An item of one short name and a short value, as nearly all are, is cut out by its lengths alone: parsing it field by
    field would take five times as long.
    """
    found: dict[bytes, bytes] = {}
    place, end, step = 0, len(data), 0
    while place < end:
        if data[place] == 0x0A:
            size, start = data[place + 1], place + 2
            name_end = start + 2 + data[start + 1]
            if size < 0x80 and data[start] in NAMES and data[name_end : name_end + 2] == VALUE:
                value = name_end + 3
                if data[name_end + 2] == start + size - value:
                    found[data[start + 2 : name_end]] = data[value : start + size]
                    place = start + size
                    continue
        for number_, part in fields(data[place:]):
            if number_ == 1:
                name, given = _item(message(part))
                found[name.encode()] = given
            elif number_ == 2:
                step = next((protobuf.signed(v) for _, v in fields(message(part)) if isinstance(v, int)), 0)
        break
    return found, step


def _scalars(name: str, value: bytes) -> Iterator[tuple[str, float]]:
    """Yield what is a number of a logged value: itself, or those inside of an object by dotted names.

    Pictures, tables and histograms are objects with a `_type`, and are left out.
    """
    try:
        yield name, float(value.strip(b'"'))
    except ValueError:
        loaded = _loaded(value)
        if isinstance(loaded, dict) and "_type" not in loaded:
            for inner, one in flat({name: loaded}):
                if isinstance(one, int | float) and not isinstance(one, bool):
                    yield inner, float(one)


def _read_csv(path: Path) -> list[FoundRun]:
    with path.open(newline="", encoding="utf-8-sig") as file, as_table(path):
        rows = list(csv.reader(file))
    if len(rows) < 2:
        raise ImportFailed(f"{path} has no rows")
    columns = {column: match for column in rows[0] if (match := OF_A_CHART.fullmatch(column))}
    return _of_chart(rows, columns) if columns else _of_table(path, rows)


def _of_chart(rows: list[list[str]], columns: dict[str, re.Match[str]]) -> list[FoundRun]:
    """Return the runs of a chart: the first column is its axis, others are called `RUN - METRIC`."""
    runs: dict[str, FoundRun] = {}
    places = [
        (i, columns[name]["run"], columns[name]["metric"])
        for i, name in enumerate(rows[0])
        if name in columns and not columns[name]["bound"]
    ]
    for row in rows[1:]:
        row += [""] * (len(rows[0]) - len(row))  # an editor that saved it may have cut off what is empty
        step = number(row[0])
        for i, name, metric in places:
            value = number(row[i]) if row[i] else None
            if value is not None and step is not None and abs(step) < FAR:
                runs.setdefault(name, FoundRun(key=name, name=name)).add(metric, int(step), value)
    return list(runs.values())


def _of_table(path: Path, rows: list[list[str]]) -> list[FoundRun]:
    """Return the runs of a table, one a row: settings and last values, which W&B's table does not tell apart.

    What has one number in every row that has any is both.
    """
    head = rows[0]
    if "Name" not in head:
        raise ImportFailed(f"{path}: neither a chart (`RUN - METRIC`) nor a table of runs (`Name`) of W&B")
    found = []
    for place, row in enumerate(rows[1:]):
        told = dict(zip(head, row, strict=False))
        run = FoundRun(key=told.get("ID") or f"{told['Name']}#{place}", name=told["Name"])
        run.state = {"finished": "finished", "running": "running"}.get(told.get("State", "finished"), "failed")  # type: ignore[assignment]
        for name, value in told.items():
            if value and name not in ("Name", "ID", "State"):
                run.config[name] = value_of(value)
                if (one := number(value)) is not None:
                    run.add(name, 0, one)
        found.append(run)
    return found
