"""Whether a training still moves: a batch that never ends cannot be asked to stop."""

import time
from collections.abc import Callable, Mapping
from typing import Literal, Protocol

Reason = Literal["cancel", "pause", "drain", "fenced", "silent"]
"""Why a trainer should stop: the user's wishes; its process is to leave; another has its cohort; the database was away
for so long that another may soon."""

PATIENCE: dict[Reason, float] = {"cancel": 10.0, "pause": 60.0, "drain": 3.0, "fenced": 10.0, "silent": 5.0}
"""Seconds that a trainer may take to stop."""
MANY = 20
"""Times the longest update so far are a hang, if `hang_seconds` have passed too."""
BEFORE_THE_FIRST = 1800.0
"""Seconds until the first update: data are read and weights are drawn."""


class Flag(Protocol):
    """Set when the process is to leave."""

    def is_set(self) -> bool: ...


class Watchdog:
    """Kept by the trainer, which looks up before every update, and read by the keeper's thread."""

    def __init__(
        self,
        hang_seconds: float,
        patience: Mapping[Reason, float] = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._hang = hang_seconds
        self._patience = patience
        self._looked = clock()
        self._longest = 0.0
        self._started = False
        self._off = False

    def beat(self) -> None:
        """The trainer is here. Called at every update: it should cost nothing."""
        here = self._clock()
        if self._started and here - self._looked > self._longest:
            self._longest = here - self._looked
        self._looked, self._started = here, True

    def forgive(self, seconds: float) -> None:
        """The whole process slept for so long, stopped by a signal or with its machine: that is no hang."""
        self._looked += seconds

    def end(self) -> None:
        """The trainer has stopped: what takes time now is the disk or the database."""
        self._off = True

    def stuck(self, reason: Reason | None, since: float) -> float | None:
        """Seconds since the trainer was last here, if that is too long; `since` is when `reason` came up."""
        here = self._clock()
        if self._off:
            return None
        if reason is not None:
            return here - self._looked if here - since > self._patience[reason] else None
        limit = max(self._hang, MANY * self._longest) if self._started else max(self._hang, BEFORE_THE_FIRST)
        return here - self._looked if here - self._looked > limit else None
