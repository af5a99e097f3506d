"""The processes that compute what takes long: specs, reports, pictures, uploads. The API's own thread only waits."""

import asyncio
import math
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as Late
from multiprocessing import forkserver
from typing import ParamSpec, TypeVar

from pebble import ProcessExpired, ProcessPool

from core.errors import InitlabError

P = ParamSpec("P")
T = TypeVar("T")

MOST_WAITING = 256
"""Jobs of a pool that run or wait; one more is told to come again."""
JOBS_EACH = 500
"""Jobs after which a process is replaced by a new one, so that what libraries keep does not pile up."""
NICER = 5
"""The jobs' priority below the API's own, which has to answer whoever only looks."""


class Busy(InitlabError):
    """As many jobs wait as may; nothing was done, and the same call may succeed later."""

    status = 503
    title = "Service busy"
    retry_after = 2


class TooLong(InitlabError):
    """The job took longer than it may, and was ended; the same call would take as long again."""

    status = 422
    title = "Takes too long"


class JobPool:
    """Processes that run jobs one after another, each of them within a time.

    They are forked at the first job, from one that has imported all that jobs need and has no threads; one that is
    killed, by its deadline or by the kernel, is replaced within milliseconds. A job is a function of a module, and all
    that goes to and from it is pickled.
    """

    def __init__(self, processes: int, preload: str, begin: Callable[..., None], *given: object) -> None:
        """`preload` names a module to import before the fork; `begin(*given)` is called in each new process."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([preload])
        forkserver.ensure_running()  # it imports while nobody waits for it yet
        self.processes = processes
        self._pool = ProcessPool(processes, JOBS_EACH, _begin, (begin, given), context)
        self._lock = threading.Lock()
        self._waiting = 0

    async def run(self, seconds: float, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a job returns, or raise what it raises.

        Raises `Busy` where too many wait, and `TooLong` after `seconds` of work. A caller that is cancelled ends the
        job.
        """
        with self._lock:
            if self._waiting >= MOST_WAITING:
                raise Busy("too many requests are being worked on: try again in a moment")
            self._waiting += 1
        try:
            return await asyncio.wrap_future(self._pool.schedule(job, args, kwargs, timeout=seconds))
        except Late:
            text = f"it was stopped after {math.ceil(seconds)} s of work: ask for less at a time"
            raise TooLong(text) from None
        except ProcessExpired as error:
            raise TooLong("its process ended, most likely for want of memory: ask for less at a time") from error
        finally:
            with self._lock:
                self._waiting -= 1

    def close(self) -> None:
        """End the processes, and what they are at."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()


def processes_for(cores: int) -> int:
    """Return the number of a pool's processes: two, so that one long job leaves room for a short one, or more."""
    return max(2, min(8, cores // 2))


def _begin(begin: Callable[..., None], given: tuple[object, ...]) -> None:
    os.nice(NICER)
    begin(*given)
