"""The worker's use case: claim, train, store, until nothing is queued."""

import logging
import traceback
from functools import lru_cache
from pathlib import Path

import torch

from core.datasets import Dataset, Facts, Sources, Splits
from core.errors import InitlabError
from core.experiments.checkpoints import Shelf
from core.experiments.claim import Claim, Fenced, claim, restart
from core.experiments.holders import this_process
from core.experiments.keeper import Flag, Keeper
from core.experiments.presence import Presence
from core.registry import Entry
from core.settings import Settings
from core.store import Database
from core.training import Checkpoint, Stopped, train_lanes
from core.training.machine import free_memory, remembered

log = logging.getLogger(__name__)


class Worker:
    """A training process: made once, after the fork; called for every bell."""

    def __init__(self, settings: Settings, draining: Flag, threads: int) -> None:
        torch.set_num_threads(threads)
        self._settings = settings
        self._draining = draining
        self._cuda = torch.cuda.is_available()
        self._devices = ("auto", "cpu", "cuda") if self._cuda else ("auto", "cpu")
        self._database = Database(settings.database, pool_size=3)
        known = remembered(settings.cache)
        profile = known and known.model_copy(update={"memory": free_memory()})
        self._presence = Presence(self._database, ",".join(self._devices), profile)

    def __call__(self) -> int:
        """Train queued cohorts until none is left or the process is to leave; returns how many were taken."""
        taken = 0
        while not self._draining.is_set():
            with self._database.transaction() as session:
                held = claim(session, this_process(), self._devices, self._settings.lease_seconds)
            if held is None:
                break
            taken += 1
            self._train(held)
        return taken

    def close(self) -> None:
        """Sign off; the process ends."""
        self._presence.close()
        self._database.dispose()

    def _train(self, held: Claim) -> None:
        log.info("cohort %d, attempt %d: %d runs", held.cohort_id, held.attempt, len(held.lanes))
        shelf = Shelf(self._settings.checkpoints, held.cohort_id, held.attempt)
        keeper = Keeper(self._database, held, shelf, self._settings.lease_seconds, self._draining)
        status: str | None = "succeeded"
        error = None
        try:
            data, facts = _load(
                held.lanes[0].treatment.dataset, Sources(self._settings.datasets, self._settings.uploads)
            )
            device = "cuda" if self._cuda and held.spec.device != "cpu" else "cpu"
            train_lanes(
                held.lanes,
                data,
                facts,
                keeper,
                device=device,
                stopped=keeper.stopped,
                start=self._start(held, shelf),
                keep=keeper.keep,
                keep_seconds=held.spec.checkpoint_every,
            )
        except Stopped as stop:
            if keeper.reason == "drain":
                keeper.keep_last(stop.checkpoint())
            status = {"cancel": "cancelled", "drain": "queued"}.get(keeper.reason or "")
        except InitlabError as failure:
            status, error = "failed", failure.detail
        except Exception as failure:  # the edge: whatever a training raises ends its cohort, and is told
            log.exception("cohort %d failed", held.cohort_id)
            status, error = "failed", _words(failure)
        if status is None:
            keeper.abandon()
            return
        try:
            keeper.close(status, error)
        except Fenced as fenced:
            log.warning("%s was given to another worker before it could end", fenced)

    def _start(self, held: Claim, shelf: Shelf) -> Checkpoint | None:
        """Where to go on; None: at the first update."""
        if held.kept is None:
            return None
        found = shelf.read(held.kept)
        if found is None:
            with self._database.transaction() as session:
                restart(session, held)
        return found


def _words(failure: Exception) -> str:
    last = traceback.extract_tb(failure.__traceback__)[-1]
    return f"{type(failure).__name__}: {str(failure)[:2000]} (in {last.name}, {Path(last.filename).name}:{last.lineno})"


@lru_cache(maxsize=2)
def _load(entry: Entry, sources: Sources) -> tuple[Splits, Facts]:
    """The data set, kept: the cohorts of an experiment share it."""
    dataset: Dataset = entry.build()
    return dataset.load(sources), dataset.facts(sources)
