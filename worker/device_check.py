"""Checks of a training process's GPU: on one that has fallen out nothing is claimed, and the other processes go on.

A GPU that fails takes its process along, and the pool starts another for the same GPU. Without a check that one would
claim, fail and take the attempts of one cohort after the other, being free sooner than all that train.
"""

import importlib
import logging
import mmap
import os
import time
from collections.abc import Callable
from typing import NoReturn

from core.gpus import fault

log = logging.getLogger(__name__)

PAUSE, LONGEST = 15.0, 600.0
"""Seconds until a GPU is tried again after two failures in a row, twice as long after each more, and the most."""
FRESH = 71
"""The exit code of a process that leaves to be replaced: CUDA that has failed in a process stays so."""


class FailureCounts:
    """Failures in a row, by child: a byte each of shared memory, made before the fork, since they outlive a process."""

    def __init__(self, children: int) -> None:
        self._bytes = mmap.mmap(-1, max(1, children))

    def __getitem__(self, child: int) -> int:
        return self._bytes[child]

    def __setitem__(self, child: int, count: int) -> None:
        self._bytes[child] = min(count, 255)


def cuda_error() -> str | None:
    """Return why CUDA cannot compute on this process's GPU, in words; None where it can."""
    torch = importlib.import_module("torch")
    try:
        torch.ones(1, device="cuda").add_(1).item()
    except (RuntimeError, AssertionError) as error:  # the latter: a torch without CUDA
        return str(error).partition("\n")[0]
    return None


def leave() -> NoReturn:
    """End this process at once, for a fresh one."""
    os._exit(FRESH)


class DeviceCheck:
    """Tells whether a child may claim for its GPU.

    The driver is asked first, then CUDA has to compute something. Where either fails, and where the GPU broke in the
    last attempts, it is left alone for a pause that grows with the failures in a row. After a single attempt it is
    tried again at once: many an error is gone with its process.
    """

    def __init__(
        self,
        gpu: str,
        child: int,
        failures: FailureCounts,
        *,
        compute: Callable[[], str | None] = cuda_error,
        leave: Callable[[], NoReturn] = leave,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gpu, self._child, self._failures = gpu, child, failures
        self._compute, self._leave, self._clock = compute, leave, clock
        self._works = self._cuda_failed = False
        self._due = clock()
        if (pause := _pause(failures[child])) > 0:
            self._due += pause
            log.error("GPU %s failed %d times in a row: it is left alone for %.0f s", gpu, failures[child], pause)

    def usable(self) -> bool:
        """Return whether the GPU works, tried anew where it did not and the pause is over."""
        if self._works:
            return True
        if self._clock() < self._due:
            return False
        error = fault(self._gpu)
        if error is None and self._cuda_failed:
            self._leave()
        if error is None:
            error = self._compute()
            self._cuda_failed = error is not None
        self._works = error is None
        if error is not None:
            self._failures[self._child] += 1
            pause = max(PAUSE, _pause(self._failures[self._child]))
            self._due = self._clock() + pause
            log.error(
                "GPU %s cannot be used: %s. Nothing is trained on it; next try in %.0f s", self._gpu, error, pause
            )
        return self._works

    def attempted(self, broken: bool) -> None:
        """Count an attempt in which the GPU broke, after which the process ends; or none, after one that it stood."""
        self._failures[self._child] = self._failures[self._child] + 1 if broken else 0


def _pause(failures: int) -> float:
    return min(LONGEST, PAUSE * 2.0 ** (failures - 2)) if failures > 1 else 0.0
