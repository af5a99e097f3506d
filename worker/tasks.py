"""The one task, and what each worker process sets up for it.

This module is imported before the worker forks. A fork after torch has computed anything hangs the child
(pytorch#17199), so torch, and all of `core` that needs it, is imported in the child.
"""

import contextlib
import importlib
import logging
import multiprocessing
import os
from functools import cache
from typing import Any, Protocol

from celery.signals import worker_process_init, worker_process_shutdown, worker_shutting_down
from sqlalchemy.exc import DBAPIError

from core.queue import DOORBELL, app
from core.settings import settings

log = logging.getLogger(__name__)

draining = multiprocessing.Event()
"""Made before the fork, so that the parent's signal reaches the training process."""

processes = 1
"""Training processes of this worker: they share the machine's cores. Set before the fork."""


@app.task(name=DOORBELL)  # type: ignore[untyped-decorator]
def doorbell() -> None:
    """Claim and train until nothing is queued. A second bell finds nothing and costs one query."""
    this_worker()()


class Worker(Protocol):
    """What this module may know of `core.experiments.work.Worker` before the fork."""

    def __call__(self) -> int: ...
    def close(self) -> None: ...


@cache
def this_worker() -> Worker:
    """This process's worker, with its own database connections: made once, after any fork."""
    threads = settings().torch_threads or max(1, (os.cpu_count() or 1) // processes)
    module = importlib.import_module("core.experiments.work")
    worker: Worker = module.Worker(settings(), draining, threads)
    return worker


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _warm_up(**_: Any) -> None:
    this_worker()


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _sign_off(**_: Any) -> None:
    with contextlib.suppress(DBAPIError):  # the database may be gone first; the sign of life runs out by itself
        this_worker().close()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _drain(**_: Any) -> None:
    log.info("leaving: the cohort in training goes back to the queue")
    draining.set()
