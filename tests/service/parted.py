"""A deployment in parts: an API and workers, each with a data directory and a cache of its own, as on several hosts."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx

from tests.measured import give_profile
from tests.service.running import Running

Process = subprocess.Popen[str]


class Parted(Running):
    """An API, to which workers are added one by one. `environment` is what all of them share."""

    def __init__(self, shared: dict[str, str], folder: Path) -> None:
        self.folder = folder
        self.workers: dict[str, Process] = {}
        super().__init__(shared | self.own("api"), folder / "log")

    def own(self, host: str) -> dict[str, str]:
        """The variables of a host: the folders that nobody else sees."""
        here = self.folder / host
        give_profile(here / "cache")
        return {"INITLAB_DATA_DIR": str(here / "data"), "INITLAB_CACHE_DIR": str(here / "cache")}

    def start(self, port: int = 0) -> None:
        subprocess.run([sys.executable, "-m", "core.store", "upgrade"], env=self._clean(), check=True)
        self.process = self._launch("api", {}, "--port", str(port), "--json")
        self.http = httpx.Client(base_url=json.loads(_line(self.process))["url"], timeout=120)

    def stop(self, with_signal: int = signal.SIGTERM) -> None:
        self.http.close()
        for process in (*self.workers.values(), self.process):
            if process.poll() is None:
                process.send_signal(with_signal)
        for process in (*self.workers.values(), self.process):
            process.communicate(timeout=60)

    def worker(self, host: str, *arguments: str, **more: str) -> Process:
        """Start a worker on a host of its own."""
        made = self._launch("worker", self.own(host) | more, "--concurrency", "1", "--json", *arguments)
        self.workers[host] = made
        return made

    def works(self, host: str, *arguments: str, **more: str) -> Any:
        """Start a worker, and return what it says when it is about to take work."""
        return json.loads(_line(self.worker(host, *arguments, **more)))

    def _launch(self, module: str, more: dict[str, str], *arguments: str) -> Process:
        with self.log.open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=self._clean() | more,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def _clean(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("INITLAB_", "AWS_"))}
        return clean | {"INITLAB_TORCH_THREADS": "1"} | self.environment


def _line(process: Process) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "it ended without a word: see the log"
    return line


@contextmanager
def parted(shared: dict[str, str], folder: Path) -> Iterator[Parted]:
    """A deployment that is gone, with all its processes, when the block ends."""
    made = Parted(shared, folder)
    try:
        yield made
    finally:
        made.stop()
