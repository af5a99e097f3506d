"""`python -m worker.supervisor`: the whole service in one command, with no other server needed.

Migrates, starts the API and a worker as child processes, starts either again with growing pauses when it dies, and
takes both along when it ends. A data directory belongs to one service at a time.
"""

import argparse
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from types import FrameType

import filelock
from sqlalchemy.exc import DBAPIError

from core.errors import InitlabError
from core.logs import set_up
from core.settings import settings
from core.store import Database, upgrade
from worker.processes import DEFAULT

log = logging.getLogger("worker.supervisor")

USAGE = 2
"""The exit code of a process that cannot run as it was asked to: starting it again would not help."""


@dataclass
class Child:
    """One supervised process."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.1
    due: float = field(default_factory=time.monotonic)

    def start(self, pipe: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *self.command, "--parent-pipe", str(pipe)], pass_fds=[pipe]
        )
        self.started = time.monotonic()

    def ended(self) -> int | None:
        """The exit code of a process that ended since the last look; plans its next start."""
        code = None if self.process is None else self.process.poll()
        if code is None:
            return None
        self.process = None
        lived = time.monotonic() - self.started
        self.pause = 0.1 if lived > 30 else min(5.0, self.pause * 2)
        self.due = time.monotonic() + self.pause
        return code


def main() -> int:
    """Runs until SIGTERM or SIGINT; returns 0, or 2 with the reason on stderr."""
    arguments = argparse.ArgumentParser(prog="initlab serve", description="The API and a worker in one command.")
    arguments.add_argument("--data-dir", help="database, queue and data sets (default: INITLAB_DATA_DIR or ./var)")
    arguments.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    arguments.add_argument("--port", type=int, default=8000, help="0 takes a free one (default: %(default)s)")
    arguments.add_argument("--concurrency", type=int, help=f"training processes (default: {DEFAULT})")
    given = arguments.parse_args()
    if given.data_dir:
        os.environ["INITLAB_DATA_DIR"] = given.data_dir  # the children read it too
    set_up("supervisor", settings())
    folder = settings().data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with filelock.FileLock(folder / "service.lock", blocking=False):
            upgrade(Database(settings().database).engine)
            port = given.port or _free_port(given.host)
            return _supervise(given.host, port, given.concurrency)
    except filelock.Timeout:
        log.error("another initlab service is using %s: stop it, or give another --data-dir", folder)
    except (InitlabError, DBAPIError) as error:
        log.error("the database cannot be used: %s", error)
    except OSError as error:
        log.error("the service cannot start: %s", error)
    return USAGE


def _supervise(host: str, port: int, concurrency: int | None) -> int:
    leaving = threading.Event()

    def leave(_signal: int, _frame: FrameType | None) -> None:
        leaving.set()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    pipe, _kept_open = os.pipe()  # children watch it: it closes when this process is gone
    children = [
        Child("api", ["api", "--host", host, "--port", str(port)]),
        Child("worker", ["worker", *(["--concurrency", str(concurrency)] if concurrency else [])]),
    ]
    threading.Thread(target=_announce, args=(_url(host, port), leaving), daemon=True).start()
    code = 0
    while not leaving.is_set():
        for child in children:
            ended = child.ended()
            if ended == USAGE:
                code = USAGE
                leaving.set()
            elif ended is not None:
                log.warning("the %s ended with code %d; it is started again", child.name, ended)
            if child.process is None and child.due <= time.monotonic() and not leaving.is_set():
                child.start(pipe)
        leaving.wait(0.05)
    _stop(children)
    return code


def _stop(children: list[Child]) -> None:
    processes = [child.process for child in children if child.process is not None]
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + 5
    for process in processes:
        try:
            process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _announce(url: str, leaving: threading.Event) -> None:
    """Say so, once, when the service is ready for work."""
    while not leaving.wait(0.05):
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:  # noqa: S310 our own address
                if json.load(answer)["status"] == "ready":  # a worker that measures the machine first is not
                    print(f"initlab is ready at {url}", flush=True)  # noqa: T201 the one line a starter waits for
                    return
        except (urllib.error.URLError, OSError):
            continue


def _url(host: str, port: int) -> str:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{reachable}:{port}"


def _free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
