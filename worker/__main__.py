"""`python -m worker`: one Celery worker."""

import argparse
import json
import logging
import os
import sys
import warnings
from typing import Any

from celery.platforms import SecurityWarning
from celery.signals import setup_logging
from celery.utils.log import get_multiprocessing_logger
from sqlalchemy.exc import DBAPIError

from core.errors import InitlabError
from core.gpus import VISIBLE, visible
from core.hardware import hand_on_name, is_measured
from core.logs import set_up
from core.parent_watch import leave_with_parent, leaving_at_once
from core.queue import WAKE_UP, celery_app, queue_name
from core.settings import settings
from core.store import Database, is_current, once_it_answers, require_current
from core.store.network_disk import refuse_network_disk
from worker import tasks
from worker.device_check import FailureCounts
from worker.drained import DRAINED, OUTDATED, DrainedPlaces
from worker.files_check import check_files
from worker.leaving import Activity, Leave, leave_in_time, seconds_of
from worker.measure import measure_machine
from worker.processes import DEFAULT, DEFAULT_QUEUES, default_processes, default_queues, queue_names
from worker.start_report import start_report

USAGE = 2

log = logging.getLogger("worker")


@setup_logging.connect  # type: ignore[untyped-decorator]
def _keep_logging(**_: Any) -> None:
    """Receive the pool's errors too. Celery leaves logging alone where this signal has a receiver."""
    pool = get_multiprocessing_logger()
    pool.setLevel(logging.ERROR)
    pool.propagate = True


def main() -> int:
    """Run until SIGTERM; return Celery's exit code, or 2 with the reason on stderr when it may not run.

    Where it ends because all that trained here were drained: `OUTDATED` after an upgrade of the database, else
    `DRAINED` under a supervisor.
    """
    given = _arguments()
    set_up("worker", settings(), others=logging.WARNING)
    leave_with_parent(given.parent_pipe)
    try:
        settings().data_dir.mkdir(parents=True, exist_ok=True)
        refuse_network_disk(settings())
        with leaving_at_once():
            once_it_answers(settings().database, require_current, log.warning)
            check_files(settings(), log.warning)
    except (InitlabError, DBAPIError, OSError) as error:
        log.error("the worker cannot start: %s", error)
        return USAGE
    pool = "prefork" if sys.platform == "linux" else "solo"  # elsewhere a child would outlive a killed parent
    if given.queues == ["cpu"]:
        os.environ[VISIBLE] = ""  # the GPUs are somebody else's, also as a reason for few processes
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # a GPU's number is that of nvidia-smi
    tasks.gpus = visible()
    tasks.queues = given.queues or default_queues(tasks.gpus)
    tasks.processes = 1 if pool == "solo" else given.concurrency or default_processes(tasks.gpus)
    tasks.failures = FailureCounts(tasks.processes)
    tasks.drained = DrainedPlaces(tasks.processes)
    tasks.activity = Activity(tasks.processes)
    report = start_report(tasks.gpus, tasks.processes, tasks.queues)
    for line in report.found:
        log.info("%s", line)
    for line in report.warnings:
        log.warning("%s", line)
    if tasks.gpus:
        os.environ[VISIBLE] = ",".join(tasks.gpus)  # what measures the machine sees what trains on it
    hand_on_name()
    if not is_measured(settings().cache):  # asking the process that measures would cost an import of torch
        measure_machine()
    # Threads that spin while they wait take twice as long beside another busy process (bench/records/waiting.json).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if given.json:
        told = {"pid": os.getpid(), "queues": tasks.queues, "gpus": tasks.gpus, "processes": tasks.processes}
        print(json.dumps(told), flush=True)  # noqa: T201 for the program that started it
    leave_in_time(Leave(idle=given.idle_exit, until=given.until), tasks.activity)
    if pool == "solo":
        tasks.this_worker()  # no child will be forked: this process trains
        tasks.activity.began(0)
    else:
        tasks.preload()
    code = _consume(pool)
    return _code_of_drained(code, given.parent_pipe is not None) if tasks.drained.all else code


def _code_of_drained(code: int, supervised: bool) -> int:
    if _is_outdated():
        return OUTDATED
    return DRAINED if supervised else code


def _is_outdated() -> bool:
    """Return whether the database was upgraded meanwhile, which has training processes end."""
    try:
        with Database(settings().database, pool_size=1).reading() as session:
            return not is_current(session)
    except DBAPIError:  # it is away: the next start waits for it, and looks then
        return False


def _arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(prog="initlab worker", description="Train queued experiments.")
    arguments.add_argument("--concurrency", type=int, help=f"training processes (default: {DEFAULT})")
    arguments.add_argument(
        "--queues", type=queue_names, default=[], help=f"what to train, with commas (default: {DEFAULT_QUEUES})"
    )
    arguments.add_argument("--idle-exit", type=seconds_of, help="end when nothing was trained for so long: 5m")
    arguments.add_argument("--until", type=seconds_of, help="end so long after the start, in order: 3h50m")
    arguments.add_argument("--json", action="store_true", help="print a line of JSON before it takes work")
    arguments.add_argument("--parent-pipe", type=int, help=argparse.SUPPRESS)
    return arguments.parse_args()


def _consume(pool: str) -> int:
    """Run wake-up tasks until a signal; return Celery's exit code."""
    warnings.simplefilter("ignore", SecurityWarning)  # it is about root and pickles; this queue reads JSON only
    command = ["--quiet", "worker", "--pool", pool, "--concurrency", str(tasks.processes), "--loglevel", "WARNING"]
    command += ["--queues", ",".join(queue_name(queue) for queue in tasks.queues)]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    app = celery_app(settings())
    app.set_current()
    app.task(tasks.wake_up, name=WAKE_UP)
    return int(app.worker_main(command) or 0)


if __name__ == "__main__":
    sys.exit(main())
