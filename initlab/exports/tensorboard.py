"""Writes event files as TensorBoard reads them: one folder a run, `ARM/seed N`.

Source: TensorFlow's `event.proto`, `summary.proto` and record format (length, checksum, bytes, checksum). Neither
TensorFlow nor TensorBoard is needed to write them.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from initlab.experiment import Experiment
from initlab.exports.tables import Run, file_names, number, runs_of

VARINT, DOUBLE, BYTES, FLOAT = 0, 1, 2, 5
"""Wire types of protocol buffers."""
STRING = 7
"""`DT_STRING` of tensors."""
POLYNOMIAL = 0x82F63B78
"""CRC-32C (Castagnoli), its bits reversed."""


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


_CRC = _table()


def write_tensorboard(experiment: Experiment, output: str | None) -> str:
    """Write an experiment's runs into a log directory, and return its path: `tensorboard --logdir PATH`.

    A folder of an earlier export is written anew, so that no point is shown twice.
    """
    folder = Path(output or f"experiment-{experiment.id}-tensorboard")
    names = file_names([arm["label"] for arm in experiment.arms])
    for run in runs_of(experiment):
        place = folder / names[run.arm] / run.short_name
        place.mkdir(parents=True, exist_ok=True)
        for old in place.glob("events.out.tfevents.*.initlab"):
            old.unlink()
        with (place / f"events.out.tfevents.{int(run.started)}.initlab").open("wb") as out:
            for event in _events(run):
                write_record(out, event)
    return str(folder)


def _events(run: Run) -> Iterator[bytes]:
    """Yield a run's events: the format's version, its settings as text, and every point, by update."""
    yield _event(run.started, 0, _field(3, BYTES, b"brain.Event:2"))
    about = {"run": run.id, "arm": run.arm, "seed": run.seed, "outcome": run.outcome, **run.settings}
    yield _event(run.started, 0, _summary([_text("initlab/settings", _markdown(about))]))
    at = run.steps()
    last = max((steps[-1] + 1 for steps in at.values() if steps), default=1)
    by_step: dict[int, list[bytes]] = {}
    for one in run.series:
        for step, value in zip(at[one["metric"]], one["values"], strict=True):
            by_step.setdefault(step, []).append(_scalar(one["metric"], number(value)))
    for step in sorted(by_step):
        yield _event(run.time(step, last), step, _summary(by_step[step]))


def _markdown(settings: Mapping[str, Any]) -> str:
    rows = [f"| {name} | {json.dumps(value, ensure_ascii=False)} |" for name, value in settings.items()]
    return "\n".join(["| setting | value |", "| --- | --- |", *rows])


def _event(seconds: float, step: int, what: bytes) -> bytes:
    return _field(1, DOUBLE, struct.pack("<d", seconds)) + _field(2, VARINT, _varint(step)) + what


def _summary(values: Iterable[bytes]) -> bytes:
    return _field(5, BYTES, b"".join(_field(1, BYTES, value) for value in values))


def _scalar(tag: str, value: float) -> bytes:
    return _field(1, BYTES, tag.encode()) + _field(2, FLOAT, _float32(value))


def _float32(value: float) -> bytes:
    try:
        return struct.pack("<f", value)
    except OverflowError:  # a double beyond its range
        return struct.pack("<f", float("inf") if value > 0 else float("-inf"))


def _text(tag: str, text: str) -> bytes:
    """Return a value of the text plug-in: a tensor of one string."""
    tensor = _field(1, VARINT, _varint(STRING)) + _field(2, BYTES, _field(2, BYTES, _field(1, VARINT, _varint(1))))
    tensor += _field(8, BYTES, text.encode())
    metadata = _field(1, BYTES, _field(1, BYTES, b"text"))
    return _field(1, BYTES, tag.encode()) + _field(8, BYTES, tensor) + _field(9, BYTES, metadata)


def _field(number_of: int, kind: int, content: bytes) -> bytes:
    """Return a field of a message; `content` is encoded, and gets its length in front where its kind has one."""
    length = _varint(len(content)) if kind == BYTES else b""
    return _varint(number_of << 3 | kind) + length + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def write_record(out: IO[bytes], content: bytes) -> None:
    """Write a record: its length and its bytes, each followed by its masked checksum."""
    length = struct.pack("<Q", len(content))
    out.write(length + _masked(length) + content + _masked(content))


def _masked(content: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
