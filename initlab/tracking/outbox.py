"""The part of a run's folder that the server has not acknowledged, sent place by place."""

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from initlab.errors import ApiError, ClientError, Unreachable
from initlab.tracking.journal import (
    CHUNK,
    FRAME,
    Extent,
    Head,
    Point,
    RunFolder,
    damage_at,
    read,
    read_json,
    write_json,
)
from initlab.transport import RETRIED, Transport

HEARTBEAT_SECONDS = 10.0


class Away(ClientError):
    """The server does not answer now, or is busy: the same may be sent later."""


class Outbox:
    """The unsent part of a run. Sending is idempotent, since a point has its place: a lost answer is asked for again.

    `sent.json` spares what is acknowledged from being sent again; it is no truth, and where it is lost or late nothing
    is lost or doubled.
    """

    def __init__(
        self,
        folder: RunFolder,
        head: Head,
        run: int,
        transport: Transport,
        *,
        open_here: bool,
        skip_damaged: bool = False,
    ) -> None:
        self.folder, self.head, self.run = folder, head, run
        self._skip_damaged = skip_damaged
        self._end: Mapping[str, Any] | None = None
        self._transport = transport
        self._open_here = open_here
        """True while this process logs the run: only then signs of life are sent."""
        said = _sent_of(folder) or {"offset": 0, "counts": {}}
        self._offset: int = said["offset"]
        self._counts: dict[str, int] = _begun(head) | said["counts"]
        self._heard = time.monotonic()
        self._restarted = False
        self.sent = 0
        self.skipped = 0
        """Damaged frames that were passed over, as was asked for."""
        self.stop = False
        self.refused = ""
        """The server's words, where it takes no more of this run; or what is wrong with the run's files."""
        self.finished: bool = said.get("finished", False)
        """True once the server has acknowledged the end."""

    @property
    def waiting(self) -> int:
        """The points that are on the disk and not acknowledged."""
        try:
            size = self.folder.points.stat().st_size
        except FileNotFoundError:
            return 0
        return max(0, size - self._offset) // FRAME.size

    @property
    def end(self) -> Mapping[str, Any] | None:
        """`{"outcome", "error"}` of a run that has ended."""
        return self._end or self.folder.end()

    def end_in_memory(self, outcome: str, error: str) -> None:
        """Take the end of a run whose disk does not: it is sent while this process lives."""
        self._end = {"outcome": outcome, "error": error}

    def send(self) -> bool:
        """Send what is next, and return whether more is due at once: a full batch, or the end; raises `Away`.

        The few points that have come meanwhile are not: a training that logs without pause would be answered by a
        request without pause.
        """
        if self.refused or self.finished:
            return False
        try:
            end = self.end  # looked at before the points: what is written after them comes after them
        except ClientError as error:
            self.refused = str(error)
            return False
        points = read(self.folder.points, self._offset, checked=not self._open_here)
        if not points and self._is_damaged():
            return not self.refused
        try:
            if points:
                self._send(points)
            elif end is not None:
                self._call("finish", {key: value for key, value in end.items() if value})
                self.finished = True
                self._keep()
            elif self._open_here and time.monotonic() - self._heard > HEARTBEAT_SECONDS:
                self._call("heartbeat", {})
        except ApiError as error:
            self._judge(error)
        if len(points) * FRAME.size < CHUNK and self._is_damaged():
            return not self.refused
        again = self._restarted and self._offset == 0
        return len(points) * FRAME.size == CHUNK or again or (end is not None and bool(points))

    def close(self) -> None:
        """Give no more signs of life: nobody logs the run here any more."""
        self._open_here = False

    def _is_damaged(self) -> bool:
        """Return whether whole points lie behind some that cannot be read: these are passed over, or said in words."""
        if self._open_here or not self.waiting or (harmed := damage_at(self.folder.points, self._offset)) is None:
            return False
        if self._skip_damaged:
            self._offset += harmed.frames * FRAME.size
            self.skipped += harmed.frames
        else:
            place = f"{self.folder.points} is damaged at byte {self._offset}: {harmed.frames:,} points cannot be read"
            way = f"to send the {harmed.behind:,} behind them and the run's end too: initlab sync FOLDER --skip-damaged"
            self.refused = f"{place}. Those before them are sent, and the file stays as it is; {way}"
        return True

    def _send(self, points: Sequence[Point]) -> None:
        columns: dict[str, dict[str, Any]] = {}
        for name, steps, values in _by_metric(self.head.metrics, points):
            first = self._counts[name]
            columns[name] = {"first": first, "values": values}
            if steps != list(range(first, first + len(steps))):
                columns[name]["steps"] = steps
        self._call("points", {"points": columns})
        self._offset += len(points) * FRAME.size
        for name, column in columns.items():
            self._counts[name] += len(column["values"])
        self.sent += len(points)
        self._keep()

    def _keep(self) -> None:
        known = {"offset": self._offset, "counts": self._counts, "finished": self.finished}
        with suppress(OSError):  # a disk that is full: what is acknowledged may be sent again
            write_json(self.folder.path / "sent.json", known, synced=False)

    def _call(self, what: str, body: dict[str, Any]) -> None:
        try:
            answer = self._transport.call("POST", f"/runs/{self.run}/{what}", body=body)
        except Unreachable as error:
            raise Away(str(error)) from error
        except ApiError as error:
            if error.status in RETRIED or error.status >= 500:
                raise Away(str(error)) from error
            raise
        self._heard = time.monotonic()
        self.stop = self.stop or bool(answer and answer.get("stop"))

    def _judge(self, error: ApiError) -> None:
        """Begin again at the first point, once: a server that was put back to an older copy has a gap otherwise."""
        if error.status == 409 and self._offset and not self._restarted:
            self._restarted = True
            self._offset = 0
            self._counts = _begun(self.head)
            return
        self.refused = str(error)


def _sent_of(folder: RunFolder) -> dict[str, Any] | None:
    """Return what was acknowledged; None where nobody knows, and all is sent again."""
    try:
        return read_json(folder.path / "sent.json")
    except ClientError:  # it is not synced, so that a loss of power may leave anything
        return None


def _begun(head: Head) -> dict[str, int]:
    return {name: head.base.get(name, Extent()).points for name in head.metrics}


def _by_metric(metrics: Sequence[str], points: Sequence[Point]) -> list[tuple[str, list[int], list[float | str]]]:
    """Return the steps and values of each metric that has any, as JSON says them."""
    found: list[tuple[str, list[int], list[float | str]]] = []
    for i, name in enumerate(metrics):
        mine = [point for point in points if point[2] == i]
        values: list[float | str] = [point[1] for point in mine]
        if not all(map(math.isfinite, (point[1] for point in mine))):
            values = [point[1] if math.isfinite(point[1]) else _word(point[1]) for point in mine]
        if mine:
            found.append((name, [point[0] for point in mine], values))
    return found


def _word(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
