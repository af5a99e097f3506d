"""An API by itself, on a database that a benchmark made: no worker takes what is queued there."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import psutil

from tests.backends import free_port


@contextmanager
def api(database: str, folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    """Yield the port and the process of an API whose data lie in a folder; its jobs' processes are its children."""
    port = free_port()
    environment = os.environ | {"INITLAB_DATA_DIR": str(folder), "INITLAB_DATABASE_URL": database}
    command = [sys.executable, "-m", "api", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            ready(process, f"http://127.0.0.1:{port}/healthz")
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()


def ready(process: subprocess.Popen[bytes], url: str, seconds: float = 120.0) -> None:
    """Wait until a server answers; leaves with one line where it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 our own
        except (URLError, OSError):
            if process.poll() is not None:
                raise SystemExit(f"what should answer at {url} did not start") from None
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} did not answer in {seconds:.0f} s")


def memory(process: psutil.Process) -> tuple[int, int]:
    """Return the bytes that a process holds for itself, and those that its children do: without mapped libraries."""
    return process.memory_full_info().uss, sum(
        child.memory_full_info().uss for child in process.children(recursive=True)
    )
