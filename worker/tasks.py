"""The one task, and the set-up of each worker process for it.

This module is imported before the worker forks. A fork after torch has computed anything hangs the child
(pytorch#17199): what trains is only imported before the fork, and only where that is safe; it is made in the child.
"""

import contextlib
import gc
import importlib
import logging
import mmap
import os
import signal
import time
from collections.abc import Sequence
from functools import cache
from types import FrameType
from typing import Any, Protocol

from billiard.process import current_process
from celery.signals import worker_process_init, worker_process_shutdown, worker_ready, worker_shutting_down
from sqlalchemy.exc import DBAPIError

from core.gpus import VISIBLE
from core.hardware import cores
from core.settings import settings
from worker.device_check import DeviceCheck, FailureCounts
from worker.drained import ChildsPlace, DrainedPlaces, WholeWorker
from worker.leaving import Activity
from worker.processes import gpu_of

log = logging.getLogger(__name__)

TRAINS = "core.experiments.worker.worker"
"""The module of what trains, with all of `core` that needs torch."""


class Flag:
    """A byte of shared memory. The lock of an event could be held for ever, by a child that was killed with it."""

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)

    def set(self) -> None:
        self._byte[0] = 1

    def is_set(self) -> bool:
        return self._byte[0] == 1


draining = Flag()
"""Made before the fork, so that the parent's signal reaches the training process."""

DRAIN_SECONDS = 4
"""Seconds that a drain is given by SIGQUIT or by a second signal. Cut off, its cohort goes on from the last checkpoint
that counts."""

processes = 1
"""Training processes of this worker. Set before the fork."""

queues: Sequence[str] = ("cpu",)
"""The queues that this worker trains. Set before the fork."""


gpus: Sequence[str] = ()
"""This worker's GPUs, by the names that CUDA_VISIBLE_DEVICES takes. Set before the fork, as are their failures: one
that falls out later keeps its place, and its number of failures."""

failures = FailureCounts(1)

drained = DrainedPlaces(1)
"""Set before the fork."""

activity = Activity(1)
"""When each child last trained. Set before the fork."""

child: int | None = None
"""This process among the worker's children; None in a worker that has none, and trains by itself. Set after the fork.
"""

vacated = False
"""True in a process that only holds the place of one that was drained. Set after the fork."""

check: DeviceCheck | None = None
"""The check of this process's GPU; None without one. Set after the fork."""


def wake_up() -> None:
    """Claim and train until nothing is queued. A second task finds nothing and costs one query.

    On a GPU that does not work nothing is claimed; the sweeper sends other tasks for as long as something waits.
    """
    if vacated:  # and takes no second task from those who could do something with it; the sweeper sends this one again
        while not draining.is_set():
            time.sleep(0.5)
        return
    if check is not None and not check.usable():
        return
    try:
        with activity.looking(child or 0) as taken:
            taken.append(this_worker()())
    except DBAPIError as error:  # the sweeper notifies again when the database is back
        log.warning("the database cannot be reached: %s", error)


class Worker(Protocol):
    """The part of `core.experiments.worker.worker.Worker` that this module may know before the fork."""

    def __call__(self) -> int: ...
    def close(self) -> None: ...


@cache
def this_worker() -> Worker:
    """Return this process's worker, with its own database connections: made once, after any fork."""
    module = importlib.import_module(TRAINS)
    # more processes than cores were asked for: then each may train, or some would never have work
    attempted = None if check is None else check.attempted
    place = WholeWorker(drained) if child is None else ChildsPlace(drained, child)
    worker: Worker = module.Worker(settings(), draining, max(cores(), processes), queues, attempted, place)
    return worker


def preload() -> None:
    """Import all that trains before the fork, and compute nothing: children share it, and begin seconds sooner.

    Not where there are GPUs: a child is to have a context of its own, and nothing of the parent's.
    """
    if not gpus:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's own threads, which a fork would not take along
        importlib.import_module(TRAINS)
        gc.freeze()  # no collection of a child's writes to the memory that they share


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _warm_up(**_: Any) -> None:
    # billiard counts a pool's children from 0 and gives a replacement the index of the one that was lost
    index = getattr(current_process(), "index", None)  # none in the solo pool, which has no children
    _begin(index)
    activity.began(index or 0)


def _begin(index: int | None) -> None:
    global child, vacated
    child = index
    if index is not None and drained.is_vacated(index):
        vacated = True
        if drained.all:
            log.info("all processes of this worker were drained: it ends")
            os.kill(os.getppid(), signal.SIGTERM)
        return
    gpu = None if index is None else gpu_of(index, gpus)
    if index is not None and gpu is not None:
        os.environ[VISIBLE] = gpu  # before torch is imported: the child never sees the others
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or products differ in their last bits, run to run
        global check
        check = DeviceCheck(gpu, index, failures)
        if not check.usable():
            return  # a worker would say that this process is there to train
        log.info("process %d trains on GPU %s", os.getpid(), gpu)
    this_worker()


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _close_worker(**_: Any) -> None:
    if not this_worker.cache_info().currsize:
        return
    with contextlib.suppress(DBAPIError):  # the database may be gone first; the heartbeat runs out by itself
        this_worker().close()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _drain(**_: Any) -> None:
    log.info("leaving: the cohort in training goes back to the queue")
    draining.set()


@worker_ready.connect  # type: ignore[untyped-decorator]
def _drain_on_every_signal(**_: Any) -> None:
    """Make every signal drain: Celery's other ways to end kill the training before its last state is kept."""
    warm = signal.getsignal(signal.SIGTERM)

    def leave(number: int, frame: FrameType | None) -> None:
        if callable(warm):
            if draining.is_set() or number == signal.SIGQUIT:
                signal.alarm(DRAIN_SECONDS)  # its default ends the process, and the kernel takes the children along
            warm(number, frame)

    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(one, leave)
