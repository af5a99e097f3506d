"""`python -m worker.supervisor`: the whole service in one command, with no other server needed.

Listens, waits for the database and migrates it, starts the API and a worker as child processes, starts either again
with growing pauses when it dies, replaces both at SIGHUP, and takes both along when it ends. The listening socket is
the supervisor's: while an API starts again, connections wait instead of being refused. A data directory belongs to one
service at a time.
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
from types import FrameType

import filelock
from sqlalchemy.exc import DBAPIError

from core.errors import InitlabError
from core.exposure import Unprotected, is_protected, refuse_without_keys
from core.logs import set_up
from core.parent_watch import leave_with_parent, leaving_at_once
from core.settings import settings
from core.store import once_it_answers, upgrade
from core.store.network_disk import refuse_network_disk
from worker.children import Child, StoppingProcess
from worker.drained import DRAINED, OUTDATED
from worker.processes import DEFAULT
from worker.rolling import RollingRestart

log = logging.getLogger("worker.supervisor")

USAGE = 2
"""The exit code of a process that cannot run as it was asked to: starting it again would not help."""

BACKLOG = 2048
"""Connections that wait while no API accepts them; the kernel may allow fewer."""


def main() -> int:
    """Run until SIGTERM or SIGINT; return 0, or 2 with the reason on stderr."""
    arguments = argparse.ArgumentParser(prog="initlab serve", description="The API and a worker in one command.")
    arguments.add_argument("--data-dir", help="database, queue and data sets (default: INITLAB_DATA_DIR or ./var)")
    arguments.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    arguments.add_argument("--port", type=int, default=8000, help="0 takes a free one (default: %(default)s)")
    arguments.add_argument("--concurrency", type=int, help=f"training processes (default: {DEFAULT})")
    arguments.add_argument("--first-key", action="store_true", help="make a key where there is none, and show it once")
    arguments.add_argument("--json", action="store_true", help="print a line of JSON when it is ready")
    arguments.add_argument("--parent-pipe", type=int, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    leave_with_parent(given.parent_pipe)
    if given.data_dir:
        os.environ["INITLAB_DATA_DIR"] = given.data_dir  # the children read it too
    set_up("supervisor", settings())
    folder = settings().data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with filelock.FileLock(folder / "service.lock", blocking=False), _bound(given.host, given.port) as bound:
            refuse_network_disk(settings())
            with leaving_at_once():
                once_it_answers(settings().database, upgrade, log.warning)
            if given.first_key and not is_protected(settings()):
                _make_first_key()
            for address in (given.host, bound.getsockname()[0]):
                refuse_without_keys(address, settings())  # before a worker measures the machine
            return _Supervisor(given.host, bound, given.concurrency, as_json=given.json).run()
    except filelock.Timeout:
        log.error("another initlab service is using %s: stop it, or give another --data-dir", folder)
    except Unprotected as error:
        log.error("the service cannot start: %s", error)
    except (InitlabError, DBAPIError) as error:
        log.error("the database cannot be used: %s", error)
    except OSError as error:
        log.error("the service cannot start: %s", error)
    return USAGE


def _make_first_key() -> None:
    """Make an admin's key, and show it on stderr: standard output says when the service is ready, and nothing else."""
    command = [sys.executable, "-m", "api.keys", "create", "--id", "admin", "--scope", "admin"]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:
        raise Unprotected(f"no first key could be made: {ran.stderr.strip()[-2000:]}")
    sys.stderr.write(f"the first API key, of `admin`, which is not shown again: {ran.stdout.strip()}\n")
    sys.stderr.flush()


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address, not listened on yet: a port in use is known before anything starts."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # one socket, so one address of a name that has several
    family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # or the port stays taken for a minute after use
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise OSError(f"{host}:{port}: {error.strerror}") from error
    return bound


class _Supervisor:
    """The loop over the child processes, and the signals that steer it."""

    def __init__(self, host: str, listening: socket.socket, concurrency: int | None, *, as_json: bool) -> None:
        # Plain flags: the lock of an event that the main thread waits for is not for a signal handler.
        self._leaving = False
        self._roll_asked = False
        # nohup's ignored SIGHUP says that the service is to outlive its terminal
        self._had_terminal = _has_terminal() and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN
        self._listening = listening
        self._url = _url(host, listening.getsockname()[1])
        self._as_json = as_json
        pipe, _kept_open = os.pipe()  # children watch it: it closes when this process is gone
        parent_watch = ["--parent-pipe", str(pipe)]
        # The host only tells what may be asked of the API; port and all are the socket's.
        api = ["api", "--host", host, "--fd", str(listening.fileno()), *parent_watch]
        worker = ["worker", *(["--concurrency", str(concurrency)] if concurrency else []), *parent_watch]
        self._api = Child("api", api, (listening.fileno(), pipe))
        self._worker = Child("worker", worker, (pipe,))
        self._roll: RollingRestart | None = None
        self._api_leaves = settings().drain_seconds + 4  # the drain, the last answers, and the threads

    def run(self) -> int:
        """Supervise until the end; returns the exit code."""
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, self._leave)
        signal.signal(signal.SIGHUP, self._hang_up)
        self._listening.listen(BACKLOG)
        over = threading.Event()
        threading.Thread(target=_announce, args=(self._url, over, self._as_json), daemon=True).start()
        code = 0
        while not self._leaving:
            code = self._look(self._api) or self._look(self._worker)
            self._advance()
            time.sleep(0.05)
        over.set()
        self._stop()
        return code

    def _leave(self, _signal: int, _frame: FrameType | None) -> None:
        self._leaving = True

    def _hang_up(self, _signal: int, _frame: FrameType | None) -> None:
        """Ask for a rolling restart, unless SIGHUP says that the terminal was closed."""
        if self._had_terminal and not _has_terminal():
            self._leaving = True
        else:
            self._roll_asked = True

    def _look(self, child: Child) -> int:
        ended = child.ended()
        if ended == USAGE:
            self._leaving = True
            return USAGE
        if ended in (DRAINED, OUTDATED) and child is self._worker:
            child.release()
            why = "was drained" if ended == DRAINED else "ended, as newer code has upgraded the database"
            log.info("the worker %s; SIGHUP, or another start of the service, brings a new one", why)
        elif ended is not None:
            log.warning("the %s ended with code %d; it is started again", child.name, ended)
        if child.process is None and child.due <= time.monotonic() and not self._leaving:
            child.start()
        return 0

    def _advance(self) -> None:
        if self._roll is None and self._roll_asked:
            self._roll_asked = False
            self._roll = RollingRestart(self._api, self._worker, self._api_leaves)
        if self._roll is not None and not self._roll.advance():
            self._roll = None

    def _stop(self) -> None:
        self._listening.close()
        stopping = self._roll.stop(self._api_leaves) if self._roll else []
        stopping += [StoppingProcess(one.process, self._api_leaves) for one in (self._api, self._worker) if one.process]
        while not all(one.gone() for one in stopping):
            time.sleep(0.01)


def _has_terminal() -> bool:
    """Return True while a terminal controls this process; the kernel takes it away before the hang-up signal."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _announce(url: str, over: threading.Event, as_json: bool) -> None:
    """Print one line when the service is ready for work."""
    about = {"url": url, "pid": os.getpid(), "data_dir": str(settings().data_dir.absolute())}
    line = json.dumps(about) if as_json else f"initlab is ready at {url}"
    while not over.wait(0.05):
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:  # noqa: S310 our own address
                if json.load(answer)["status"] == "ready":  # a worker that measures the machine first is not
                    print(line, flush=True)  # noqa: T201 the one line a starter waits for
                    return
        except (urllib.error.URLError, OSError):
            continue


def _url(host: str, port: int) -> str:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{reachable}:{port}"


if __name__ == "__main__":
    sys.exit(main())
