"""The folder of an experiment whose runs are logged here, and whoever sends them."""

import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filelock import Timeout

from initlab.errors import ClientError, Unreachable
from initlab.experiment import pages
from initlab.settings import Settings
from initlab.tracking.journal import Extent, Head, Journal, RunFolder, read_json, write_json
from initlab.tracking.outbox import Outbox
from initlab.tracking.run import Run
from initlab.tracking.sender import Sender
from initlab.transport import Transport

FILE = "experiment.json"
DRAIN_SECONDS = 10.0
OUTCOMES = ("completed", "diverged", "failed")


def journal_folder() -> Path:
    """Return where the runs of servers are kept until they are sent (INITLAB_JOURNAL)."""
    said = Settings().journal
    return Path(said).expanduser() if said else Path.home() / ".local" / "state" / "initlab"


def run_folder(folder: Path, arms: list[Mapping[str, Any]], arm: str, seed: int) -> RunFolder:
    """Return the folder of a run; raises `ClientError` for an arm that there is not."""
    labels = [one["label"] for one in arms]
    if arm not in labels:
        raise ClientError(f"the experiment has no arm {arm!r}; it has {', '.join(labels)}")
    return RunFolder(folder / f"{labels.index(arm)}-{seed}")


def axes(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return for each metric what its steps count, `epoch` or `step`."""
    return {one["name"]: one.get("per", "epoch") for one in spec["metrics"]}


def identity(data: Mapping[str, Any]) -> str:
    """Return a name for an experiment of a server: one that got the same id after the data were lost is another."""
    return f"{data['id']}-{sha256(str(data['created_at']).encode()).hexdigest()[:8]}"


class Tracker:
    """Opens the runs of one experiment of a server, and sends them."""

    def __init__(self, transport: Transport, data: Mapping[str, Any]) -> None:
        address = urlsplit(transport.url)
        place = f"{address.hostname}-{address.port or address.scheme}{address.path.replace('/', '-')}"
        self.folder = journal_folder() / place / identity(data)
        self._asked = transport
        self._transport = transport.impatient()
        self.declared(data)
        self._open: dict[Outbox, Run] = {}
        self._sender = Sender(self._sync)
        known = read_json(self.folder / FILE)
        self._runs: dict[str, int] = known["runs"] if known else {}
        if known:
            self._adopt()

    def declared(self, data: Mapping[str, Any]) -> None:
        """Take what is declared of the experiment now; runs that are open go on with what they knew."""
        self._data = data
        self._arms: list[Mapping[str, Any]] = data["spec"]["arms"]
        self._metrics = tuple(one["name"] for one in data["spec"]["metrics"])

    def open(self, arm: str, seed: int) -> Run:
        """Return the run of an arm and a seed, behind what it has already; raises `ClientError` where it has ended."""
        folder = run_folder(self.folder, self._arms, arm, seed)
        run, found = self._find(arm, seed)
        if found.get("outcome") in OUTCOMES or folder.end() is not None:
            raise ClientError(f"arm {arm!r}, seed {seed} has ended")
        head = folder.head() or Head(arm, seed, self._metrics, self._base(arm, seed, found))
        journal = Journal(folder, head)
        box = Outbox(folder, journal.head, run, self._transport, open_here=True)
        opened = Run(journal, self._config(arm), axes(self._data["spec"]), box, self._ended)
        self._open[box] = opened
        self._sender.add(box)
        return opened

    def _find(self, arm: str, seed: int) -> tuple[int, Mapping[str, Any]]:
        """Return a run's id, and what the server says of it: nothing where it is away and the id is known."""
        key = f"{arm}/{seed}"
        transport = self._transport if key in self._runs else self._asked
        path = f"/experiments/{self._data['id']}/runs"
        try:
            found = transport.call("GET", path, params={"arm": arm, "seed": seed})["items"]
        except Unreachable:
            if key in self._runs:
                return self._runs[key], {}
            raise
        if not found:
            raise ClientError(f"the experiment has no seed {seed}")
        if key not in self._runs:
            self._learn()
        return found[0]["id"], found[0]

    def _learn(self) -> None:
        """Keep the ids of all runs, so that one can be begun while the server is away."""
        found = list(pages(self._asked, f"/experiments/{self._data['id']}/runs"))
        self._runs = {f"{one['arm']}/{one['seed']}": one["id"] for one in found}
        self.folder.mkdir(parents=True, exist_ok=True)
        about = {key: self._data[key] for key in ("id", "created_at", "spec")}
        write_json(self.folder / FILE, {"url": self._asked.url, **about, "runs": self._runs})

    def _base(self, arm: str, seed: int, found: Mapping[str, Any]) -> dict[str, Extent]:
        """Return how far a run is that another machine began."""
        if not found or found.get("status") in ("queued", "waiting"):
            return {}
        params = {"arm": arm, "seed": seed, "max_points": 4}
        answer = self._asked.call("GET", f"/experiments/{self._data['id']}/metrics", params=params)
        return {one["metric"]: Extent(one["total"], one["steps"][-1]) for one in answer["series"] if one["steps"]}

    def _config(self, arm: str) -> Mapping[str, Any]:
        return next(one.get("config") or {} for one in self._arms if one["label"] == arm)

    def _adopt(self) -> None:
        """Send what programs left behind that were killed, or that found the server away."""
        for box in outboxes(self.folder, self._runs, self._transport, []):  # `initlab sync` says what is damaged
            with suppress(Timeout), box.folder.lock().acquire(timeout=0):  # else a live process logs and sends it
                self._sender.add(box)

    def _sync(self) -> None:
        for run in list(self._open.values()):
            run.sync()

    def _ended(self, run: Run) -> None:
        box = next(box for box, one in self._open.items() if one is run)
        self._sender.drain(box, DRAIN_SECONDS)
        del self._open[box]
        box.close()
        if box.finished:
            shutil.rmtree(box.folder.path, ignore_errors=True)
        elif box.refused:
            warnings.warn(f"the server takes no more of {run!r}: {box.refused}", RuntimeWarning, stacklevel=4)
        elif box.waiting or box.end is not None:
            text = f"{box.waiting:,} points of {run!r} wait in {self.folder}: {self._sender.away or 'still sending'}"
            warnings.warn(f"{text}. Send them later with: initlab sync", RuntimeWarning, stacklevel=4)


def outboxes(
    folder: Path, runs: Mapping[str, int], transport: Transport, refused: list[str], *, skip_damaged: bool = False
) -> Iterator[Outbox]:
    """Yield the outbox of every run that was begun in a folder; `refused` is told of those that cannot be read."""
    for path in sorted(folder.glob("*-*/head.json")):
        one = RunFolder(path.parent)
        try:
            head = one.head()
        except ClientError as error:
            refused.append(str(error))
            continue
        if head is not None and f"{head.arm}/{head.seed}" in runs:
            number = runs[f"{head.arm}/{head.seed}"]
            yield Outbox(one, head, number, transport, open_here=False, skip_damaged=skip_damaged)
