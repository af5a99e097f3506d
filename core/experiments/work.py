"""The worker's use case: claim, train, store, until nothing is queued."""

import gc
import logging
import traceback
from functools import lru_cache
from pathlib import Path

import torch

from core.datasets import Dataset, Facts, Sources, Splits
from core.errors import InitlabError
from core.experiments.checkpoints import Shelf
from core.experiments.claim import Claim, Fenced, anything_queued, claim
from core.experiments.holders import this_process
from core.experiments.keeper import Flag, Keeper
from core.experiments.presence import Presence
from core.experiments.room import Room
from core.registry import Entry
from core.settings import Settings
from core.store import Database
from core.training import Checkpoint, Stopped, train_lanes
from core.training.machine import free_memory, remembered
from core.training.memory import out_of_memory

log = logging.getLogger(__name__)


class Worker:
    """A training process: made once, after the fork; called for every bell."""

    def __init__(self, settings: Settings, draining: Flag, cores: int) -> None:
        """`cores` are the machine's, shared by all training processes on it."""
        self._settings = settings
        self._draining = draining
        self._cuda = torch.cuda.is_available()
        self._devices = ("auto", "cpu", "cuda") if self._cuda else ("auto", "cpu")
        # Where there are GPUs, few processes share many cores, and most threads only wait for a GPU.
        self._room = None if self._cuda else Room(cores, settings.torch_threads)
        self._database = Database(settings.database, pool_size=3)
        known = remembered(settings.cache)
        profile = known and known.model_copy(update={"memory": free_memory()})
        self._presence = Presence(self._database, ",".join(self._devices), profile)

    def __call__(self) -> int:
        """Train queued cohorts until none is left or the process is to leave; returns how many were taken."""
        taken = 0
        while not self._draining.is_set():
            with self._database.reading() as session:  # SQLite has one writer: it should not be one who finds nothing
                if not anything_queued(session, self._devices):
                    break
            with self._database.transaction() as session:
                held = claim(session, this_process(), self._devices, self._settings.lease_seconds, self._room)
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
        torch.set_num_threads(self._settings.torch_threads or held.threads)
        shelf = Shelf(self._settings.checkpoints, held.cohort_id, held.attempt)
        keeper = Keeper(self._database, held, shelf, self._settings.lease_seconds, self._draining)
        status, error = self._trained(held, shelf, keeper)
        try:
            if status == "too wide":
                _free()
                status = keeper.halve(error or "")
                log.warning("cohort %d, of %d runs, ran out of memory: %s", held.cohort_id, len(held.lanes), status)
            elif status is None:
                keeper.abandon()
            else:
                keeper.close(status, error)
        except Fenced as fenced:
            log.warning("%s was given to another worker before it could end", fenced)

    def _trained(self, held: Claim, shelf: Shelf, keeper: Keeper) -> tuple[str | None, str | None]:
        """Train, and say which status the cohort takes, and why.

        The status is "too wide" where memory ran out, and None where another has the cohort.
        """
        device = "cuda" if self._cuda and held.spec.device != "cpu" else "cpu"
        try:
            data, facts = _load(
                held.lanes[0].treatment.dataset, Sources(self._settings.datasets, self._settings.uploads)
            )
            train_lanes(
                held.lanes,
                data,
                facts,
                keeper,
                device=device,
                stopped=keeper.stopped,
                start=_start(held, shelf, keeper),
                keep=keeper.keep,
                keep_seconds=held.spec.checkpoint_every,
            )
        except Stopped as stop:
            if keeper.reason == "drain":
                keeper.keep_last(stop.checkpoint())
            return {"cancel": "cancelled", "drain": "queued"}.get(keeper.reason or ""), None
        except Fenced:
            return None, None
        except InitlabError as failure:
            return "failed", failure.detail
        except Exception as failure:  # the edge: whatever a training raises ends its cohort, and is told
            if out_of_memory(failure):
                return "too wide", _words(failure)
            log.exception("cohort %d failed", held.cohort_id)
            return "failed", _words(failure)
        return "succeeded", None


def _start(held: Claim, shelf: Shelf, keeper: Keeper) -> Checkpoint | None:
    """Where to go on; None: at the first update."""
    if held.kept is None:
        return None
    found = shelf.read(held.kept)
    if found is None:
        keeper.restart()
    return found


def _free() -> None:
    """Give back what a training held that has ended: others on this machine may need it."""
    gc.collect()
    torch.cuda.empty_cache()  # of a process that never used CUDA it costs nothing


def _words(failure: Exception) -> str:
    last = traceback.extract_tb(failure.__traceback__)[-1]
    return f"{type(failure).__name__}: {str(failure)[:2000]} (in {last.name}, {Path(last.filename).name}:{last.lineno})"


@lru_cache(maxsize=2)
def _load(entry: Entry, sources: Sources) -> tuple[Splits, Facts]:
    """The data set, kept: the cohorts of an experiment share it."""
    dataset: Dataset = entry.build()
    return dataset.load(sources), dataset.facts(sources)
