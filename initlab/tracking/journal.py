"""The journal of one run: a file that is only appended to, whose points outlive the process that wrote them.

A point is a frame of 24 bytes: step (int64), value (float64), the metric's place in the head's list (uint16), two bytes
of zero, and the CRC-32 of those twenty bytes, little-endian all. A frame is handed to the operating system before
`append` returns, so that an end of the process, kill -9 too, takes nothing with it; `sync` hands it to the disk, for
power failures. The place of a point in its series is its place among the frames of its metric: nothing else is needed
to send it once. What ends in the middle of a frame, or in one whose sum is wrong, was never promised: it is cut off
when the journal is opened again. Whole points behind a frame whose sum is wrong are another matter (`damage_at`): the
file was harmed after it was written, and nobody goes on as if it were whole.
"""

import json
import os
import struct
import warnings
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from initlab.errors import ClientError

BODY = struct.Struct("<qdHH")
FRAME = struct.Struct("<qdHHI")
CHUNK = 2**13 * FRAME.size
"""Bytes that are read at once."""
UNWRITTEN = 2**20
"""Bytes that wait in memory at most while the disk takes none."""
FORMAT = 1
LOCK_SECONDS = 5.0
"""Children of a process that was killed, such as those that load data, hold its lock until they have noticed."""


Point = tuple[int, float, int]
"""One number: the step at which it was measured, its value, and the place of its metric in the head's list."""


class Extent(NamedTuple):
    """The points of one metric so far, and the step of the last one."""

    points: int = 0
    step: int = -1


class Head(NamedTuple):
    """The run that a journal belongs to, and what of it was known elsewhere when it was begun."""

    arm: str
    seed: int
    metrics: tuple[str, ...]
    base: Mapping[str, Extent]


def frame(step: int, value: float, metric: int) -> bytes:
    """Return a point as it stands in the file; raises `struct.error` for a step beyond 64 bits."""
    body = BODY.pack(step, value, metric, 0)
    return body + zlib.crc32(body).to_bytes(4, "little")


def read(path: Path, offset: int = 0, *, checked: bool = True) -> list[Point]:
    """Return the whole points from an offset on, as many as are read at once; none where the file ends or is torn.

    Those that this process wrote need not be checked.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(CHUNK)
    except FileNotFoundError:
        return []
    whole = memoryview(data)[: len(data) // FRAME.size * FRAME.size]
    frames = list(FRAME.iter_unpack(whole))
    if checked:
        starts = range(0, len(whole), FRAME.size)
        sums = [zlib.crc32(whole[start : start + BODY.size]) for start in starts]
        good = next((i for i, row in enumerate(frames) if row[4] != sums[i]), len(frames))
        del frames[good:]
    return [(step, value, metric) for step, value, metric, _, _ in frames]


class Damage(NamedTuple):
    """Frames that cannot be read, with whole points behind them."""

    frames: int
    behind: int
    """Whole points in the rest of the file."""


def damage_at(path: Path, offset: int) -> Damage | None:
    """Return what cannot be read at an offset; None where the file ends or is torn there: no whole point follows."""
    frames = behind = 0
    with path.open("rb") as file:
        file.seek(offset)
        while len(data := file.read(FRAME.size)) == FRAME.size:
            if zlib.crc32(data[: BODY.size]).to_bytes(4, "little") != data[BODY.size :]:
                frames += not behind
            elif not frames:
                return None
            else:
                behind += 1
    return Damage(frames, behind) if behind else None


def read_json(path: Path) -> dict[str, Any] | None:
    """Return what a small file says; None where it is not there. Raises `ClientError` for one that is damaged."""
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        raise ClientError(f"{path} is damaged: put it back from a copy, or move its folder away") from None
    return found


def write_json(path: Path, content: Mapping[str, Any], *, synced: bool = True) -> None:
    """Write a small file, whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            if synced:
                os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


class RunFolder:
    """The files of one run: `head.json`, `points`, `sent.json` (what a server has), `end.json`, and a lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.points = path / "points"

    def head(self) -> Head | None:
        """Return the head; None where the run was never begun. Raises `ClientError` for one of a later initlab."""
        said = read_json(self.path / "head.json")
        if said is None:
            return None
        if said["format"] != FORMAT:
            raise ClientError(f"{self.path} was written by another version of initlab: install that one to send it")
        base = {name: Extent(*extent) for name, extent in said["base"].items()}
        return Head(said["arm"], said["seed"], tuple(said["metrics"]), base)

    def begin(self, head: Head) -> None:
        """Write the head."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.path / "head.json", {"format": FORMAT, **head._asdict()})

    def end(self) -> dict[str, Any] | None:
        """Return `{"outcome", "error"}`; None while it has not ended."""
        return read_json(self.path / "end.json")

    def write_end(self, outcome: str, error: str) -> None:
        """Write how the run ended, after its last point."""
        write_json(self.path / "end.json", {"outcome": outcome, "error": error})

    def lock(self) -> FileLock:
        """Return the lock of whoever writes: the system lets go of it when that process ends, however it ends."""
        self.path.mkdir(parents=True, exist_ok=True)
        return FileLock(self.path / "lock", thread_local=False)


class Journal:
    """The one writer of a run's points; raises `ClientError` where another process is."""

    def __init__(self, folder: RunFolder, head: Head) -> None:
        self.folder = folder
        try:
            self._lock = folder.lock()
            self._lock.acquire(timeout=LOCK_SECONDS)
        except Timeout:
            raise ClientError(
                f"arm {head.arm!r}, seed {head.seed} is logged by another process now: log from one of them alone"
            ) from None
        except OSError as error:
            raise ClientError(f"nothing can be written into {folder.path}: {error}") from None
        try:
            self.head = folder.head() or head
            if set(self.head.metrics) != set(head.metrics):
                raise ClientError(f"{folder.path} has other metrics than the experiment: remove that folder")
            if folder.head() is None:
                folder.begin(head)
            self.extents = _recovered(folder.points, self.head)
            """The extent of each metric, of what earlier processes logged."""
            flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._file = os.open(folder.points, flags, 0o600)
        except OSError as error:
            self._lock.release()
            raise ClientError(f"nothing can be written into {folder.path}: {error}") from None
        except ClientError:
            self._lock.release()
            raise
        self._unwritten = bytearray()
        self._synced = os.fstat(self._file).st_size
        self._warned = False
        self.dropped = 0
        """Points that the disk did not take, and that memory had no place for."""

    def append(self, frames: bytes) -> None:
        """Write whole frames. What the disk does not take waits in memory, and beyond a megabyte is dropped.

        A warning says so the first time.
        """
        if self._unwritten:
            self._write_what_waits()
        if not self._unwritten:
            frames = frames[self._write(frames) :]
        elif len(self._unwritten) + len(frames) > UNWRITTEN:
            self.dropped += len(frames) // FRAME.size
            return
        if frames:
            self._unwritten += frames
            if not self._warned:
                self._warned = True
                text = f"the disk takes no more of {self.folder.points}: points wait in memory, at most 1 MB of them"
                warnings.warn(f"{text}. The training goes on; make room", RuntimeWarning, stacklevel=3)

    def _write_what_waits(self) -> None:
        with memoryview(self._unwritten) as waiting:
            written = self._write(waiting)
        del self._unwritten[:written]

    def _write(self, data: bytes | memoryview) -> int:
        try:
            return os.write(self._file, data)
        except OSError:
            return 0

    @property
    def unwritten(self) -> int:
        """The points that wait in memory for the disk."""
        return -(-len(self._unwritten) // FRAME.size)

    def sync(self) -> None:
        """Hand what was written to the disk, where anything was; one that is full takes it with a later call."""
        size = os.fstat(self._file).st_size
        if size != self._synced:
            with suppress(OSError):
                os.fsync(self._file)
                self._synced = size

    def close(self) -> None:
        """Sync, and let go."""
        self.append(b"")
        self.sync()
        os.close(self._file)
        self._lock.release()


def _recovered(path: Path, head: Head) -> dict[str, Extent]:
    """Cut off what is torn, and return how far each metric is."""
    counts = [head.base.get(name, Extent()) for name in head.metrics]
    offset = 0
    while points := read(path, offset):
        offset += len(points) * FRAME.size
        for step, _, metric in points:
            counts[metric] = Extent(counts[metric].points + 1, step)
    if path.exists() and path.stat().st_size > offset:
        _cut(path, offset)
    return dict(zip(head.metrics, counts, strict=True))


def _cut(path: Path, offset: int) -> None:
    """Cut off what follows an offset; more than a part of a frame is kept beside it, for people to look at."""
    with path.open("rb") as file:
        file.seek(offset)
        rest = file.read()
    harmed, torn = damage_at(path, offset), path.with_name(f"torn-{offset}")
    if len(rest) >= FRAME.size:
        torn.write_bytes(rest)
    os.truncate(path, offset)
    if harmed is not None:
        text = f"{path} was damaged at byte {offset}: the {harmed.behind:,} points behind it are in {torn}, and no more"
        warnings.warn(f"{text} in the run. Go on at run.next_step", RuntimeWarning, stacklevel=6)
