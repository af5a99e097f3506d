"""Watches whether a training still makes updates: a batch that never ends cannot be asked to stop."""

import time
from collections.abc import Callable, Mapping
from typing import Literal, Protocol

Reason = Literal["cancel", "pause", "drain", "asked", "fenced", "silent"]
"""The reason for a trainer to stop: the user's requests; its process is to leave at once; somebody asked its process to
leave when it can; another worker has its cohort; the database was away for so long that another may soon."""

STOP_SECONDS: dict[Reason, float] = {
    "cancel": 10.0,
    "pause": 60.0,
    "drain": 3.0,
    "asked": 60.0,
    "fenced": 10.0,
    "silent": 5.0,
}
"""Seconds that a trainer may take to stop."""
MANY = 20
"""Times the longest update so far are a hang, if `hang_seconds` have passed too."""
BEFORE_THE_FIRST = 1800.0
"""Seconds until the first update: data are read and weights are drawn."""


class Flag(Protocol):
    """Set when the process is to leave."""

    def is_set(self) -> bool: ...


class Watchdog:
    """Takes a beat from the trainer before every update, and is asked by the recorder's thread."""

    def __init__(
        self,
        hang_seconds: float,
        stop_seconds: Mapping[Reason, float] = STOP_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._hang = hang_seconds
        self._stop_seconds = stop_seconds
        self._last_beat = clock()
        self._longest = 0.0
        self._started = False
        self._off = False

    def beat(self) -> None:
        """Note that the trainer is about to make an update. Called at every one: it should cost nothing."""
        beat_at = self._clock()
        if self._started and beat_at - self._last_beat > self._longest:
            self._longest = beat_at - self._last_beat
        self._last_beat, self._started = beat_at, True

    def forgive(self, seconds: float) -> None:
        """Leave out seconds in which the whole process slept, by a signal or with its machine: that is no hang."""
        self._last_beat += seconds

    def end(self) -> None:
        """Stop watching: the trainer has stopped, and what takes time now is the disk or the database."""
        self._off = True

    def stuck(self, reason: Reason | None, since: float) -> float | None:
        """Return the seconds since the last beat, if they are too many; `since` is when the `reason` came up."""
        asked_at = self._clock()
        waited = asked_at - self._last_beat
        if self._off:
            return None
        if reason is not None:
            return waited if asked_at - since > self._stop_seconds[reason] else None
        limit = max(self._hang, MANY * self._longest) if self._started else max(self._hang, BEFORE_THE_FIRST)
        return waited if waited > limit else None
