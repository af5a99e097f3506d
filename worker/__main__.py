"""`python -m worker`: one Celery worker."""

import argparse
import logging
import os
import sys
import warnings

from celery.platforms import SecurityWarning

from core.lifeline import leave_with_parent
from core.queue import app
from core.settings import settings
from worker import tasks


def main() -> int:
    """Runs until SIGTERM; returns Celery's exit code."""
    arguments = argparse.ArgumentParser(prog="initlab worker", description="Train queued experiments.")
    arguments.add_argument("--concurrency", type=int, default=1, help="training processes (one per GPU; default 1)")
    arguments.add_argument("--parent-pipe", type=int, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s worker %(levelname)s %(name)s: %(message)s")
    leave_with_parent(given.parent_pipe)
    settings().data_dir.mkdir(parents=True, exist_ok=True)
    tasks.processes = given.concurrency
    # Threads that spin while they wait take twice as long beside another busy process (bench/records/waiting.json).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    pool = "prefork" if sys.platform == "linux" else "solo"  # elsewhere a child would outlive a killed parent
    if pool == "solo":
        tasks.this_worker()  # no child will be forked: this process trains
    warnings.simplefilter("ignore", SecurityWarning)  # it is about root and pickles; this queue reads JSON only
    command = ["--quiet", "worker", "--pool", pool, "--concurrency", str(given.concurrency), "--loglevel", "WARNING"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return int(app.worker_main(command) or 0)


if __name__ == "__main__":
    sys.exit(main())
