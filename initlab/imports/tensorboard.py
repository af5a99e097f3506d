"""TensorBoard's event files: TFRecords of `Event` messages.

Framing: https://www.tensorflow.org/tutorials/load_data/tfrecord; messages: tensorboard/compat/proto/event.proto,
summary.proto, tensor.proto and plugins/hparams/plugin_data.proto. Checksums are not verified: a file that was cut off
ends with its last whole record, as in TensorBoard.
"""

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from struct import pack, unpack, unpack_from
from typing import Any

from initlab.imports import protobuf
from initlab.imports.protobuf import fields, message, signed, text
from initlab.imports.runs import FoundRun, ImportFailed

PARTS = {"train", "training", "val", "valid", "validation", "eval", "evaluation", "test"}
"""Folders of one run's splits, as Keras and estimators make them: they are no runs of their own."""
MADE_BY_HPARAMS = re.compile(r"\d{10}\.\d+")
"""The name of the folder into which `SummaryWriter.add_hparams` writes, below that of the run's curves."""
SAMPLE = b"\x12\x34\x56\x42"
FLOAT, DOUBLE = 1, 2
STATES = {1: "finished", 2: "failed", 3: "running"}


def read(folder: Path) -> list[FoundRun]:
    """Return the runs below a log directory: one for every folder that holds event files, named by its path.

    Folders that are called `train`, `validation` and so on are parts of the run above them, their tags prefixed; so
    is what `add_hparams` writes. Raises `ImportFailed` where there is no event file.
    """
    files = sorted(path for path in folder.rglob("*tfevents*") if path.is_file()) if folder.is_dir() else [folder]
    if not files or not files[0].is_file():
        raise ImportFailed(f"{folder} has no event files: none is called *tfevents*")
    root = folder if folder.is_dir() else folder.parent
    places = {path.parent for path in files}
    runs: dict[Path, FoundRun] = {}
    for path in files:
        place, prefix = path.parent, ""
        if place.name.lower() in PARTS and place != root:
            place, prefix = place.parent, f"{place.name}/"
        elif MADE_BY_HPARAMS.fullmatch(place.name) and place.parent in places:
            place = place.parent
        name = place.relative_to(root).as_posix()
        name = root.resolve().name if name == "." else name
        run = runs.setdefault(place, FoundRun(key=name, name=name))
        data = path.read_bytes()
        whole = _Events(run, prefix).take(data)
        if whole < len(data):
            run.notes.append(f"{path}: the last {len(data) - whole:,} bytes are no whole record, and are left out")
    return list(runs.values())


def records(data: bytes) -> Iterator[bytes]:
    """Yield the records of a TFRecord file, up to one that was cut off."""
    place, end = 0, len(data)
    while place + 12 <= end:
        size = unpack_from("<Q", data, place)[0]
        if place + 16 + size > end:
            return
        yield data[place + 12 : place + 12 + size]
        place += 16 + size


@dataclass
class _Events:
    """Takes the scalars of event files into a run.

    All points of a tag have the same bytes but for time, step and the value at their end: a tag's first point is
    parsed, and the others are recognised by these bytes, which is what makes a million points a matter of seconds.
    """

    run: FoundRun
    prefix: str
    _known: dict[bytes, Any] = field(default_factory=dict)
    _begun: int = 0

    def take(self, data: bytes) -> int:
        """Take every event of a file, and return the bytes of all records; what is no message is left out."""
        known = self._known
        whole = 0
        for record in records(data):
            whole += 16 + len(record)
            step, place = _step(record)
            appends = known.get(record[place:-4])
            if appends is not None:
                appends[0](step)
                appends[1](unpack("<f", record[-4:])[0])
                continue
            try:
                self._parse(record, place)
            except ValueError:
                continue
        return whole

    def _parse(self, record: bytes, place: int) -> None:
        found = list(_scalars(record))
        step = 0
        for number, value in fields(record):
            if number == 1 and not self.run.started:
                self.run.started = protobuf.double(value)
            elif number == 2 and isinstance(value, int):
                step = signed(value)
            elif number == 5:
                self._hparams(message(value))
            elif number == 7 and _first(message(value), 1) == 1:
                self._restart(step)
        for tag, scalar in found:
            self.run.add(self.prefix + tag, step, scalar)
        if len(found) == 1 and place and [number for number, _ in fields(record[place:])] == [5]:
            sampled = list(_scalars(record[:-4] + SAMPLE))
            if sampled == [(found[0][0], unpack("<f", SAMPLE)[0])]:
                series = self.run.series[self.prefix + found[0][0]]
                self._known[record[place:-4]] = series.steps.append, series.values.append

    def _restart(self, step: int) -> None:
        """Forget what came at or after the step at which a training went on, as TensorBoard does."""
        for name, (steps, values) in self.run.series.items():
            if name.startswith(self.prefix):
                kept = [i for i, one in enumerate(steps) if one < step]
                steps[:], values[:] = array("q", (steps[i] for i in kept)), array("d", (values[i] for i in kept))

    def _hparams(self, summary: bytes) -> None:
        for number, value in fields(summary):
            metadata = _first(message(value), 9) if number == 1 else None
            plugin = _first(metadata, 1) if isinstance(metadata, bytes) else None
            if isinstance(plugin, bytes) and _first(plugin, 1) == b"hparams":
                content = _first(plugin, 2)
                for kind, info in fields(content) if isinstance(content, bytes) else ():
                    if kind == 3:
                        self.run.config |= _settings(message(info))
                    elif kind == 4:
                        self.run.state = STATES.get(_first(message(info), 1), "finished")  # type: ignore[arg-type,assignment]


def _step(record: bytes) -> tuple[int, int]:
    """Return the step of an event that begins with its time, and the place behind it; (0, 0) for another."""
    if record[:1] != b"\x09":
        return 0, 0
    if record[9:10] != b"\x10":
        return 0, 9
    byte = record[10] if len(record) > 10 else 0x80
    if byte < 0x80:
        return byte, 11
    try:
        step, place = protobuf.varint(record, 10)
    except ValueError:
        return 0, 0
    return signed(step), place


def _scalars(record: bytes) -> Iterator[tuple[str, float]]:
    """Yield tag and value of every scalar of an event."""
    for number, summary in fields(record):
        for inner, value in fields(message(summary)) if number == 5 else ():
            if inner == 1:
                tag, scalar = _value(message(value))
                if scalar is not None:
                    yield tag, scalar


def _value(data: bytes) -> tuple[str, float | None]:
    tag, found = "", None
    for number, value in fields(data):
        if number == 1:
            tag = text(value)
        elif number == 2:
            found = protobuf.single(value)
        elif number == 8:
            found = _tensor(message(value))
    return tag, None if tag.startswith("_hparams_/") else found


def _tensor(data: bytes) -> float | None:
    """Return a tensor of one float; None for any other."""
    kind, content = 0, b""
    for number, value in fields(data):
        if number == 1 and isinstance(value, int):
            kind = value
        elif number == 2 and value:
            return None  # it has dimensions
        elif number in (4, 5, 6):
            content += message(value)
    form = {FLOAT: "<f", DOUBLE: "<d"}.get(kind)
    if form is None or len(content) != len(pack(form, 0)):
        return None
    return float(unpack(form, content)[0])


def _settings(data: bytes) -> dict[str, Any]:
    """Return the hyperparameters of a `SessionStartInfo`."""
    found: dict[str, Any] = {}
    for number, entry in fields(data):
        if number == 1:
            pair = dict(fields(message(entry)))
            value = next(fields(message(pair.get(2, b""))), (1, 0))
            found[text(pair.get(1, b""))] = _json(*value)
    return found


def _json(number: int, value: protobuf.Value) -> Any:
    """Return a `google.protobuf.Value`; a number without a fraction is an integer."""
    if number == 2:
        found = protobuf.double(value)
        return int(found) if found.is_integer() else found
    if number == 3:
        return text(value)
    return bool(value) if number == 4 else None


def _first(data: protobuf.Value, number: int) -> protobuf.Value:
    """Return the first field of a number, 0 where there is none: protobuf's default."""
    return next((value for one, value in fields(message(data)) if one == number), 0)
