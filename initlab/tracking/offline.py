"""Experiments in a folder, for machines that reach no server: `initlab sync FOLDER` sends them from one that does."""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn, Unpack

from filelock import FileLock

from initlab.errors import ClientError, Unreachable
from initlab.experiment import Experiment
from initlab.external_parts import Arms, Metrics
from initlab.external_spec import ExternalOptions, Seeds, external_spec
from initlab.tracking.journal import Head, Journal, read_json, write_json
from initlab.tracking.run import Run
from initlab.tracking.sender import Sender
from initlab.tracking.tracker import FILE, axes, run_folder
from initlab.transport import Transport, encode


class NoServer(Transport):
    """Raises `Unreachable` at every call: what is asked for is known once the folder was sent."""

    def __init__(self, folder: Path) -> None:
        super().__init__("http://offline", "", 0.0)
        self._folder = folder

    def request(self, method: str, path: str, **_: Any) -> NoReturn:
        raise Unreachable(f"{method} {path} needs a server. Send what is here to one: initlab sync {self._folder}")

    @contextmanager
    def stream(self, path: str, *_: Any, **__: Any) -> Iterator[NoReturn]:
        yield self.request("GET", path)


class OfflineClient:
    """A folder in place of a server. Programs at the same time may share it, also over a network's file system."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).absolute()

    def external(
        self,
        arms: Arms,
        seeds: Seeds,
        metrics: Metrics,
        *,
        key: str | None = None,
        **options: Unpack[ExternalOptions],
    ) -> "OfflineExperiment":
        """Return the experiment of this folder with this spec and this `key`, made where there is none yet."""
        spec = external_spec(arms, seeds, metrics, options)
        encoded = encode({"spec": spec, "key": key})
        name = re.sub(r"[^\w-]+", "-", options.get("name") or "external").strip("-")[:40]
        return OfflineExperiment(self.folder / f"{name}-{sha256(encoded).hexdigest()[:8]}", spec)

    def __repr__(self) -> str:
        return f"OfflineClient({str(self.folder)!r})"


class OfflineExperiment(Experiment):
    """An experiment in a folder: its runs are logged as those of a server are, and a report comes after the sync."""

    def __init__(self, folder: Path, spec: Mapping[str, Any]) -> None:
        self.folder = folder
        known = read_json(folder / FILE) or _described(folder, spec)
        described = {"id": known["id"], "name": spec.get("name", ""), "tags": spec.get("tags", []), "status": "running"}
        super().__init__(NoServer(folder.parent), described | {"notes": spec.get("notes", ""), "spec": known["spec"]})
        self._open: list[Run] = []
        self._sender = Sender(self._sync)

    def run(self, arm: str, seed: int) -> Run:
        """Open a run, behind what it has already; raises `ClientError` where it has ended."""
        if seed not in first_seeds(self.data["spec"]["seeds"]):
            raise ClientError(f"the experiment has no seed {seed}")
        spec = self.data["spec"]
        folder = run_folder(self.folder, spec["arms"], arm, seed)
        if folder.end() is not None:
            raise ClientError(f"arm {arm!r}, seed {seed} has ended")
        journal = Journal(folder, Head(arm, seed, tuple(one["name"] for one in spec["metrics"]), {}))
        config = next(one.get("config") or {} for one in spec["arms"] if one["label"] == arm)
        opened = Run(journal, config, axes(spec), None, self._open.remove)
        self._open.append(opened)
        self._sender.start()
        return opened

    def wanted(self) -> Iterator[Run]:
        """Yield every run that has not ended, opened, seed by seed; of adaptive seeds those of the first look."""
        for seed in first_seeds(self.data["spec"]["seeds"]):
            for arm in self.data["spec"]["arms"]:
                if run_folder(self.folder, self.data["spec"]["arms"], arm["label"], seed).end() is None:
                    with self.run(arm["label"], seed) as run:
                        yield run

    def _sync(self) -> None:
        for run in list(self._open):
            run.sync()

    def __repr__(self) -> str:
        return f"<OfflineExperiment {self.name!r} in {self.folder}>"


def first_seeds(seeds: Any) -> Sequence[int]:
    """Return the seeds that are trained before anything is known."""
    if isinstance(seeds, Mapping):
        return range(int(seeds["from"]))
    return range(seeds) if isinstance(seeds, int) else list(seeds)


def _described(folder: Path, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the experiment's file says, written now where no program has done so."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        known = read_json(folder / FILE)
        if known is None:
            known = {"url": None, "id": None, "key": uuid.uuid4().hex, "spec": dict(spec), "runs": {}}
            write_json(folder / FILE, known)
    return known
