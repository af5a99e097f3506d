"""A rolling restart: other processes take over from the supervised ones, and nothing that was accepted is lost."""

import logging
import os
import time
from collections.abc import Generator, Iterator

from worker.children import Child, Process, StoppingProcess

log = logging.getLogger(__name__)

PATIENCE = 60
"""Seconds for a new API to be ready: it imports torch, on a machine that trains meanwhile."""

WORKER_LEAVES = 15
"""Seconds for a worker to store its checkpoint. Nobody waits here, and what was cut off would be trained again."""


class RollingRestart:
    """A rolling restart. The supervisor's loop advances it beside its other work.

    First the API: the new one accepts on the same socket before the old one is asked to leave, and one that does not
    come up is given up, with all the rest: the new worker would have the same code and settings.

    Then the worker, the new one only when the old one has gone. Side by side they would each hold their data and
    networks: the new one claims at once whatever else is queued, and a cohort that just fits a GPU alone would run out
    of memory and be cut in halves for good. One after the other costs training a pause of some seconds, the import
    of torch, and no update: the cohort goes on from the checkpoint that the old worker leaves.
    """

    def __init__(self, api: Child, worker: Child, api_leaves: float) -> None:
        """`api_leaves` is the time in seconds that an API is given to leave."""
        self._api = api
        self._worker = worker
        self._api_leaves = api_leaves
        self._coming: Process | None = None
        self._stopping: StoppingProcess | None = None
        self._steps = self._run()

    def advance(self) -> bool:
        """Advance, and return whether it goes on."""
        try:
            next(self._steps)
        except StopIteration:
            return False
        return True

    def stop(self, seconds: float) -> list[StoppingProcess]:
        """Break off; returns the processes that only this restart knows, which were asked to leave."""
        stopping = [self._stopping] if self._stopping else []
        return stopping + ([StoppingProcess(self._coming, seconds)] if self._coming else [])

    def _run(self) -> Iterator[None]:
        if not (yield from self._ready()) or self._coming is None:
            return
        before, self._coming = self._api.adopt(self._coming), None
        yield from self._gone(before, self._api_leaves)
        yield from self._gone(self._worker.release(), WORKER_LEAVES)
        self._worker.due = time.monotonic()
        log.info("rolling restart: the API was replaced, the worker starts again")

    def _ready(self) -> Generator[None, None, bool]:
        """Start a new API; returns whether it is ready. The reason why it is not has been logged."""
        pipe, its_end = os.pipe()
        os.set_blocking(pipe, False)
        self._coming = self._api.launch("--ready-pipe", str(its_end), files=(its_end,))
        os.close(its_end)
        deadline = time.monotonic() + PATIENCE
        try:
            while (said := _heard(pipe)) is None and time.monotonic() < deadline:
                yield
        finally:
            os.close(pipe)
        if said:
            return True
        self._coming.kill()
        code = self._coming.wait()
        self._coming = None
        why = f"it ended with code {code}" if said is not None else f"it was not ready in {PATIENCE} s"
        log.warning("rolling restart: given up, all stays as it was: a new API was started, and %s", why)
        return False

    def _gone(self, process: Process | None, seconds: float) -> Iterator[None]:
        if process is None:  # it had died, and is started again anyway
            return
        self._stopping = StoppingProcess(process, seconds)
        while not self._stopping.gone():
            yield
        self._stopping = None


def _heard(pipe: int) -> bytes | None:
    """Return what was written; empty: its only writer is gone; None: nothing yet."""
    try:
        return os.read(pipe, 1)
    except BlockingIOError:
        return None
