"""A running service: real processes, real HTTP, ended with the test."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx2 as httpx
import psutil
from sqlalchemy import select

from core.failpoints import POINTS
from core.settings import Settings
from core.store import Cohort, Database

T = TypeVar("T")


def until(poll: Callable[[], T], seconds: float = 60) -> T:
    """What `poll` gives once it is true; fails when it is not true in time."""
    deadline = time.monotonic() + seconds
    while not (found := poll()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.05)  # a look costs the service some milliseconds, of two cores
    return found


class Asking:
    """What is asked of a service by its clients."""

    http: httpx.Client

    def post(self, spec: dict[str, Any], **headers: str) -> int:
        """Post an experiment; returns its id."""
        answer = self.http.post("/experiments", json=spec, headers=headers)
        assert answer.status_code == 202, answer.text
        return int(answer.json()["id"])

    def get(self, path: str, **query: Any) -> Any:
        """A JSON answer."""
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ended(self, experiment: int, seconds: float = 60) -> Any:
        """The experiment once it has ended."""

        def poll() -> Any:
            found = self.get(f"/experiments/{experiment}")
            return found if found["status"] in ("succeeded", "failed", "cancelled") else None

        try:
            return until(poll, seconds)
        except AssertionError as late:
            late.add_note(f"experiment {experiment}: {self.get(f'/experiments/{experiment}')['progress']}")
            late.add_note(f"its history ends with {self.history(experiment)[-20:]}")
            raise

    def training(self, experiment: int) -> Any:
        """The experiment once updates have been stored."""
        return until(lambda: self.get(f"/experiments/{experiment}")["progress"]["steps_done"])

    def losses(self, experiment: int) -> list[Any]:
        """Every run's train_loss series."""
        series: list[Any] = self.get(f"/experiments/{experiment}/metrics", metric="train_loss")["series"]
        return series

    def history(self, experiment: int) -> list[Any]:
        """What happened to an experiment."""
        items: list[Any] = self.get(f"/experiments/{experiment}/history", limit=1000)["items"]
        return items

    def results(self, experiment: int) -> dict[str, Any]:
        """All series and final numbers of an experiment, without what differs between two of one spec."""
        series = self.get(f"/experiments/{experiment}/metrics")["series"]
        runs = self.get(f"/experiments/{experiment}/runs")["items"]
        return {
            "series": [{key: one[key] for key in ("arm", "seed", "metric", "steps", "values")} for one in series],
            "runs": [{key: run[key] for key in ("arm", "seed", "outcome", "steps_done", "final")} for run in runs],
            "classes": self.get(f"/experiments/{experiment}/plots/classification.json")["panels"],
        }

    def counters(self) -> dict[str, int]:
        """What the service says of itself to Prometheus."""
        lines = self.http.get("/metrics").text.splitlines()
        return {
            line.split()[0].removeprefix("initlab_").removesuffix("_total"): int(float(line.split()[1]))
            for line in lines
            if line.split(" ")[0].endswith("_total") and "{" not in line
        }


class Running(Asking):
    """The one-command service on some backend, and hands to hurt it with."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.failpoints = Path(environment["INITLAB_DATA_DIR"] + "-failpoints")
        self.failpoints.mkdir(exist_ok=True)
        self.environment = environment | {"INITLAB_FAILPOINTS": str(self.failpoints)}
        self.log = log
        self._unbroken: dict[str, dict[str, Any]] = {}
        self.start()

    def start(self, port: int = 0) -> None:
        """Start it and wait until it is ready for work."""
        kept = ("INITLAB_CACHE_DIR",)  # with a profile of this machine, which need not be measured then
        clean = {k: v for k, v in os.environ.items() if not k.startswith("INITLAB_") or k in kept}
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "worker.supervisor", "--port", str(port), "--concurrency", "2"],
                env=clean | {"INITLAB_TORCH_THREADS": "1"} | self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if "ready at" not in line:
            self.process.communicate(timeout=15)
            raise AssertionError(f"the service did not start: {self.log.read_text()}")
        self.http = httpx.Client(base_url=line.split()[-1], timeout=30)
        assert self.get("/readyz")["status"] == "ready"

    def stop(self, with_signal: int = signal.SIGTERM) -> None:
        """End it and wait for the end."""
        self.http.close()
        self.process.send_signal(with_signal)
        self.process.wait(timeout=60)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def processes(self, module: str) -> list[psutil.Process]:
        """The service's processes of a module, parents before children; of the API without those that do its jobs."""
        found = psutil.Process(self.process.pid).children(recursive=module != "api")
        return [p for p in found if p.is_running() and _runs(p, module)]

    def trainers(self, experiment: int, most_lost: int = 9) -> list[int]:
        """The processes that train the experiment's cohorts at this moment, by pid.

        Only of cohorts that were lost at most so often since their last progress.
        """
        current = Settings(
            data_dir=Path(self.environment["INITLAB_DATA_DIR"]),
            database_url=self.environment.get("INITLAB_DATABASE_URL", ""),
        )
        database = Database(current.database, pool_size=1)
        try:
            with database.reading() as session:
                mine = (Cohort.experiment_id == experiment, Cohort.status == "running", Cohort.lost <= most_lost)
                holders = session.scalars(select(Cohort.holder).where(*mine).order_by(Cohort.id)).all()
        finally:
            database.dispose()
        return [int(holder.split("/")[-2]) for holder in holders if holder]

    def order(self, point: str, what: str) -> None:
        """Have whichever process reaches a failpoint first do something there, once (`core.failpoints`)."""
        assert point in POINTS
        aside = self.failpoints / ".order"
        aside.write_text(what)
        aside.rename(self.failpoints / point)

    def is_ordered(self, point: str) -> bool:
        """Whether an order still waits to be carried out."""
        return (self.failpoints / point).exists()

    def assert_unharmed(self, experiment: int, wanted: dict[str, Any]) -> None:
        """It succeeded, and all its series and final numbers are, bit for bit, those of one that nobody harmed."""
        found = self.ended(experiment)
        assert (found["status"], found["errors"]) == ("succeeded", []), self.history(experiment)
        key = json.dumps(wanted, sort_keys=True)
        if key not in self._unbroken:
            whole = self.post(wanted)
            self.ended(whole)
            assert "lost" not in {event["kind"] for event in self.history(whole)}
            self._unbroken[key] = self.results(whole)
        assert self.results(experiment) == self._unbroken[key]


def _runs(process: psutil.Process, module: str) -> bool:
    try:
        return module in process.cmdline()
    except psutil.NoSuchProcess:
        return False


@contextmanager
def running(environment: dict[str, str], log: Path) -> Iterator[Running]:
    """A service that is gone, with all its processes, when the block ends."""
    service = Running(environment, log)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()


def spec(*, arms: int = 2, seeds: int = 2, epochs: int = 2, **more: Any) -> dict[str, Any]:
    """A small experiment on digits: 15 updates an epoch."""
    initializers = ["he_normal", "glorot_uniform", "normal_rule", "uniform_rule", "zeros"]
    return {
        "name": "test",
        "model": {"name": "mlp", "hidden": [16], "dropout": 0.1},
        "arms": [{"initializer": name} for name in initializers[:arms]],
        "seeds": seeds,
        "epochs": epochs,
        "batch_size": 100,
    } | more


def assert_exact(series: list[Any], runs: int, steps: int) -> None:
    """Every run has every update once, in order."""
    assert len(series) == runs
    for one in series:
        assert one["steps"] == list(range(steps)), one["run_id"]
        assert len(one["values"]) == steps
