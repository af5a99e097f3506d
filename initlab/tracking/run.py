"""One run, as the training that logs it sees it."""

import math
import operator
import os
import struct
import threading
import warnings
import weakref
import zlib
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Literal, Self

from initlab.errors import ClientError
from initlab.tracking.journal import BODY, Journal
from initlab.tracking.outbox import Outbox

Outcome = Literal["completed", "diverged", "failed"]
ERROR_CHARACTERS = 2000
_open: "weakref.WeakSet[Run]" = weakref.WeakSet()


class Run:
    """An open run: `log` what is measured, in a `with` block that ends it.

    At the end of the block the outcome is `completed`, or `diverged` where the last value of a metric is not finite;
    an exception makes it `failed`. What `finish` said before comes first. KeyboardInterrupt and SystemExit end nothing:
    the run can be opened again, and goes on behind its last step.
    """

    def __init__(
        self,
        journal: Journal,
        config: Mapping[str, Any],
        per: Mapping[str, str],
        box: Outbox | None,
        ended: Callable[["Run"], None],
    ) -> None:
        self.arm, self.seed = journal.head.arm, journal.head.seed
        self.config = dict(config)
        """The settings that the experiment says of its arm."""
        self.metrics = journal.head.metrics
        self.per = dict(per)
        """For each metric `epoch` or `step`, what its steps count."""
        self.repeated = 0
        """The points that were left out, since their step was logged before."""
        self._journal: Journal | None = journal
        self._box = box
        self._ended = ended
        self._lock = threading.Lock()
        self._numbers = {name: i for i, name in enumerate(self.metrics)}
        self._steps = {name: journal.extents[name].step for name in self.metrics}
        self._last: dict[str, float] = {}
        _open.add(self)

    @property
    def id(self) -> int | None:
        """The run's number on the server; None without one."""
        return None if self._box is None else self._box.run

    @property
    def stop_requested(self) -> bool:
        """True once the server wants no more of this run: its experiment was cancelled, or the run was given up.

        It is known within a second or so of the next points, and within ten seconds without any.
        """
        return self._box is not None and self._box.stop

    @property
    def next_step(self) -> int:
        """The step behind the last one of all metrics: where a training that was interrupted goes on."""
        return max(self._steps.values()) + 1

    def log(self, step: int | None = None, values: Mapping[str, Any] | None = None, /, **named: Any) -> None:
        """Keep the values of metrics at a step (None: behind the last one of each): `log(3, loss=0.2)`.

        When it returns, the values outlive this process. `values` is for names that are no Python names. The steps of a
        metric grow; at one that it has already, the first value stays, and the new one is counted in `repeated`. Raises
        `ClientError` for a metric that the experiment has not, and where the run has ended; never for a server that is
        away, or a disk that is full.
        """
        if values:
            named = {**values, **named}
        with self._lock:
            journal = self._journal
            if journal is None:
                raise ClientError(f"{self!r} has ended, or belongs to another process")
            frames, new = b"", []
            for name, given in named.items():
                try:
                    number, last = self._numbers[name], self._steps[name]
                except KeyError:
                    raise ClientError(self._unknown(name)) from None
                at = last + 1 if step is None else step
                value = float(given)
                try:
                    body = BODY.pack(at, value, number, 0)
                except struct.error:
                    at = operator.index(at)  # says what a step has to be
                    raise ClientError(f"step {at} is beyond 64 bits") from None
                if at <= last:
                    self._leave_out(name, at, last)
                    continue
                frames += body + zlib.crc32(body).to_bytes(4, "little")
                new.append((name, at, value))
            if frames:
                journal.append(frames)
                for name, at, value in new:
                    self._steps[name], self._last[name] = at, value

    def finish(self, outcome: Outcome | None = None, error: str = "") -> None:
        """End it, and wait until the server has all of it, ten seconds at most; None: as the last values say.

        Where the server is away, what is left is sent later: by this program while it runs, by the next one, or by
        `initlab sync`.
        """
        if outcome is None:
            outcome = "completed" if all(map(math.isfinite, self._last.values())) else "diverged"
        with self._lock:
            journal, self._journal = self._journal, None
        if journal is None:
            return
        _warn_of_losses(self, journal)
        journal.close()
        error = error[:ERROR_CHARACTERS]
        try:
            journal.folder.write_end(outcome, error)
        except OSError as full:
            if self._box is None:
                text = f"the end of {self!r} cannot be written: {full}. Make room, open it again and finish it"
                warnings.warn(text, RuntimeWarning, stacklevel=3)
            else:
                self._box.end_in_memory(outcome, error)
        self._ended(self)

    def leave(self) -> None:
        """Let go of it without an end, so that it can be opened again; what was logged is sent."""
        with self._lock:
            journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()
            self._ended(self)

    @property
    def open(self) -> bool:
        """True until its end."""
        return self._journal is not None

    def sync(self) -> None:
        """Hand what was logged to the disk, for a loss of power; that is done every five seconds anyway."""
        with self._lock:
            journal = self._journal
        if journal is not None:
            journal.sync()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.finish()
        elif isinstance(error, Exception):
            self.finish("failed", f"{type(error).__name__}: {error}")
        else:
            self.leave()

    def __repr__(self) -> str:
        return f"<Run {self.arm!r}, seed {self.seed}>"

    def _unknown(self, name: str) -> str:
        return f"the experiment has no metric {name!r}; it has {', '.join(self.metrics)}: name it when you create it"

    def _leave_out(self, name: str, at: int, last: int) -> None:
        if at < 0:
            raise ClientError(f"a step is a count from 0 on: {at}")
        if not self.repeated:
            text = f"{name} has step {last} already: what comes at step {at} is left out. Go on at run.next_step"
            warnings.warn(text, RuntimeWarning, stacklevel=3)
        self.repeated += 1


def _warn_of_losses(run: Run, journal: Journal) -> None:
    journal.append(b"")
    lost = journal.dropped + journal.unwritten
    if lost:
        warnings.warn(f"{lost:,} points of {run!r} are lost: the disk took no more", RuntimeWarning, stacklevel=4)


def _forget_all() -> None:
    """Close what a child of a fork has of its parent's runs: the parent goes on with them."""
    for run in list(_open):
        run._journal = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
