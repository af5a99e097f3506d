"""The processes that compute what takes long: specs, reports, pictures, uploads. The API's own thread only waits."""

import asyncio
import gc
import importlib
import math
import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as Late
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import forkserver, resource_tracker, util
from typing import Any, ParamSpec, TypeVar

from pebble import ProcessExpired, ProcessPool

from core.errors import InitlabError

P = ParamSpec("P")
T = TypeVar("T")

MOST_WAITING = 256
"""Jobs of a pool that run or wait; one more is told to come again."""
JOBS_EACH = 20_000
"""Jobs after which a process is replaced, so that what libraries keep does not pile up. A new one has empty caches, and
its first jobs are slow."""
NICER = 5
"""The jobs' priority below the API's own, which has to answer whoever only looks."""


JOB_IMPORTS = "api.job_imports"
"""The module that imports all that jobs need."""


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

    def __init__(self, processes: int, begin: Callable[..., None], *given: object) -> None:
        """Have `begin(*given)` called in each new process."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([JOB_IMPORTS])
        forkserver.ensure_running()  # it imports while nobody waits for it yet
        self.processes = processes
        self._pool = ProcessPool(processes, JOBS_EACH, _begin, (begin, given), context)
        self._lock = threading.Lock()
        self._waiting = 0
        self._unanswered: set[Future[Any]] = set()

    async def run(self, seconds: float, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a job returns, or raise what it raises.

        Raises `Busy` where too many wait or the pool closes, and `TooLong` after `seconds` of work. A caller that is
        cancelled ends the job.
        """
        with self._lock:
            if self._waiting >= MOST_WAITING:
                raise Busy("too many requests are being worked on: try again in a moment")
            self._waiting += 1
        try:
            return await self._answer(self._pool.schedule(job, args, kwargs, timeout=seconds))
        except Late:
            text = f"it was stopped after {math.ceil(seconds)} s of work: ask for less at a time"
            raise TooLong(text) from None
        except BrokenProcessPool as error:
            raise Busy("the service ends, and what it was at with it: try again in a moment") from error
        except ProcessExpired as error:
            raise TooLong("its process ended, most likely for want of memory: ask for less at a time") from error
        finally:
            with self._lock:
                self._waiting -= 1

    async def _answer(self, future: "Future[T]") -> T:
        self._unanswered.add(future)
        try:
            return await asyncio.wrap_future(future)
        finally:
            self._unanswered.discard(future)

    def close(self) -> None:
        """End the processes, and what they are at; who waits for a job is told so."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        for future in list(self._unanswered):  # a job that ended just then has nobody who would hand on its result
            with suppress(InvalidStateError):
                future.set_exception(BrokenProcessPool("the pool was closed"))


def fork_from_here() -> None:
    """Start the fork server of all pools as a fork of this process, which imports what jobs need and has no thread yet.

    So API and jobs share that memory, and it is imported once. By itself the server begins as a new interpreter, as it
    does again where it was killed.
    """
    importlib.import_module(JOB_IMPORTS)
    gc.freeze()  # no collection writes to the memory that they share
    resource_tracker.ensure_running()  # which the server needs, and which is started in the same way
    started = util.spawnv_passfds
    util.spawnv_passfds = _fork_server  # type: ignore[assignment]  # the one place where the library starts it
    try:
        forkserver.ensure_running()
    finally:
        util.spawnv_passfds = started


def _fork_server(_path: object, _arguments: object, files: Sequence[int]) -> int:
    """Return the process id of a fork that serves; `files` are the socket that it listens on, and its client's pipe."""
    listening, alive = files
    if process := os.fork():
        return process
    try:
        after = 3  # what else the parent has open is the parent's: its end of the pipe above all
        for kept in sorted((listening, alive)):
            os.closerange(after, kept)
            after = kept + 1
        os.closerange(after, os.sysconf("SC_OPEN_MAX"))
        forkserver.main(listening, alive, [])
    finally:
        os._exit(0)  # not back into what the parent was at


def processes_for(cores: int) -> int:
    """Return the number of a pool's processes: two, so that one long job leaves room for a short one, or more."""
    return max(2, min(8, cores // 2))


def _begin(begin: Callable[..., None], given: tuple[object, ...]) -> None:
    os.nice(NICER)
    begin(*given)
