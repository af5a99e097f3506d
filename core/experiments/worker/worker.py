"""The worker's use case: claim, train, store, until nothing is queued."""

import gc
import logging
import os
import traceback
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from sqlalchemy.exc import SQLAlchemyError

from core.datasets import Dataset, DatasetInfo, DatasetPaths, Splits
from core.energy import EnergyAccount, Meter, intensity
from core.errors import InitlabError, NotFound
from core.experiments.cohorts.attempt_logs import AttemptLogs
from core.experiments.cohorts.checkpoints import CheckpointStore
from core.experiments.cohorts.claims import Claim, anything_queued, claim
from core.experiments.cohorts.eligibility import CLASSES, CpuCapacity, WorkerCapabilities
from core.experiments.cohorts.heartbeat import Heartbeat
from core.experiments.cohorts.leases import Fenced
from core.experiments.cohorts.process_ids import this_process
from core.experiments.cohorts.pruning import decide, waiting_for_a_decision
from core.experiments.worker.recorder import AttemptRecorder
from core.experiments.worker.watchdog import Flag, Reason, Watchdog
from core.failpoints import reached
from core.logs import working_for
from core.registry import Entry
from core.settings import Settings
from core.store import Database, StorageFull, after_commit
from core.training import Checkpoint, DamagedCheckpoint, Resume, Stopped, TrainOptions, train_lanes
from core.training.faults import broken_device, out_of_memory
from core.training.planning.machine import free_memory, remembered
from core.training.planning.profile import Device

log = logging.getLogger(__name__)

BROKEN = 71
"""The exit code of a process whose GPU refuses everything after an error: only a new process has a new context."""


class Worker:
    """A training process: made once, after the fork; called for every bell."""

    def __init__(self, settings: Settings, draining: Flag, cores: int, queues: Sequence[str] = ()) -> None:
        """`cores` are the machine's, shared by all training processes on it; `queues` what this one answers to.

        Without queues it answers to those of the devices that it has.
        """
        self._settings = settings
        self._draining = draining
        self._cuda = torch.cuda.is_available() and tuple(queues) != ("cpu",)
        devices = ("auto", "cpu", "cuda") if self._cuda else ("auto", "cpu")
        self._able = WorkerCapabilities(devices, tuple(queues) or (CLASSES if self._cuda else ("cpu",)))
        # Where there are GPUs, few processes share many cores, and most threads only wait for a GPU.
        self._room = None if self._cuda else CpuCapacity(cores, settings.torch_threads)
        self._database = Database(settings.database, pool_size=3)
        self._carbon = intensity(settings.carbon_intensity)
        self._journals = AttemptLogs(settings.logs_folder)
        known = remembered(settings.cache)
        profile = known and known.model_copy(update={"memory": free_memory()})
        self._presence = Heartbeat(self._database, self._able, profile)

    def __call__(self) -> int:
        """Train queued cohorts until none is left or the process is to leave; returns how many were taken."""
        taken = 0
        while not self._draining.is_set():
            with self._database.reading() as session:  # SQLite has one writer: it should not be one who finds nothing
                if not anything_queued(session, self._able):
                    break
            with self._database.transaction() as session:
                held = claim(session, this_process(), self._able, self._settings.lease_seconds, self._room)
            if held is None:
                break
            reached("claim.committed")
            taken += 1
            self._train(held)
        return taken

    def close(self) -> None:
        """Sign off; the process ends."""
        self._presence.close()
        self._database.dispose()

    def _train(self, held: Claim) -> None:
        about = working_for(experiment=held.experiment_id, cohort=held.cohort_id, attempt=held.attempt)
        with about, self._journals.of(held.cohort_id, held.attempt):
            log.info("training", extra={"runs": len(held.lanes)})
            torch.set_num_threads(self._settings.torch_threads or held.threads)
            store = CheckpointStore(self._settings.checkpoints, held.cohort_id, held.attempt)
            settings = self._settings
            watchdog = Watchdog(settings.hang_seconds)
            account = EnergyAccount(held.cost, held.training, self._meter(held), self._carbon)
            recorder = AttemptRecorder(
                self._database, held, store, settings.lease_seconds, self._draining, watchdog, account
            )
            end = self._trained(held, store, recorder)
            try:
                if end.status == "too wide":
                    _free()
                    status = recorder.split_cohort(end.error or "")
                    log.warning("out of memory; now %s", status, extra={"runs": len(held.lanes)})
                elif end.status == "fenced":
                    recorder.abandon()
                    recorder.increment("fenced_writes")
                elif end.status == "broken device":
                    log.error("the device is in no state to go on, and this process with it: %s", end.error)
                    recorder.mark_lost(end.error or "")
                else:
                    recorder.close(end.status, end.error, end.why)
            except Fenced as fenced:
                log.warning("%s was given to another worker before it could end", fenced)
                recorder.increment("fenced_writes")
            if held.spec.pruning is not None:
                self._decide(held)
        if end.status == "broken device":
            os._exit(BROKEN)

    def _decide(self, held: Claim) -> None:
        """Where this cohort was the last to come to its rung, or to end, the others need not wait for a sweep."""
        try:
            with self._database.reading() as session:  # mostly there is nothing, and others are not to wait for that
                if not waiting_for_a_decision(session, held.experiment_id):
                    return
            with self._database.transaction() as session:
                if decide(session, held.experiment_id):
                    reached("decide.before_commit")
                    after_commit(session, lambda: reached("decide.committed"))
        except NotFound:
            log.info("the experiment was deleted meanwhile")
        except (SQLAlchemyError, StorageFull) as error:
            log.warning("it cannot be decided yet who goes on; a sweep will try again: %s", error)

    def _device(self, held: Claim) -> Device:
        return "cuda" if self._cuda and held.spec.device != "cpu" else "cpu"

    def _meter(self, held: Claim) -> Meter:
        on_gpu = self._device(held) == "cuda"
        return Meter.of(str(torch.cuda.get_device_properties(0).uuid) if on_gpu else None)

    def _trained(self, held: Claim, store: CheckpointStore, recorder: AttemptRecorder) -> "_End":
        """Train, and say what becomes of the cohort, and why."""
        try:
            data, info = _load(
                held.lanes[0].treatment.dataset, DatasetPaths(self._settings.datasets, self._settings.uploads)
            )
            paused = train_lanes(
                held.lanes,
                data,
                info,
                recorder,
                TrainOptions.of(held.spec, self._device(held)),
                Resume(start=_start(store, recorder), until=held.rung, pruned_at=held.pruned_at),
                stopped=recorder.stopped,
                keep=recorder.keep,
            )
            if paused is not None:
                recorder.keep_last(paused)
                return _End("waiting")
        except Stopped as stop:
            if recorder.reason in ("drain", "pause", "silent"):
                recorder.keep_last(stop.checkpoint())
            return STOPPED[recorder.reason or "fenced"]
        except Fenced:
            return STOPPED["fenced"]
        except InitlabError as failure:
            return _End("failed", failure.detail)
        except Exception as failure:  # the edge: whatever a training raises ends its cohort, and is told
            if out_of_memory(failure):
                return _End("too wide", _words(failure))
            if broken_device(failure):
                return _End("broken device", _words(failure))
            log.exception("the training failed")
            return _End("failed", _words(failure))
        return _End("succeeded")


class _End(NamedTuple):
    """What becomes of a cohort: a status of the database, or "waiting", "too wide", "fenced", "broken device"."""

    status: str
    error: str | None = None
    why: str | None = None


STOPPED: dict[Reason, _End] = {
    "cancel": _End("cancelled"),
    "pause": _End("queued", why="paused"),
    "drain": _End("queued", why="its worker left"),
    "silent": _End("queued", why="its worker could not reach the database"),
    "fenced": _End("fenced"),
}


def _start(store: CheckpointStore, recorder: AttemptRecorder) -> Checkpoint | None:
    """Where to go on: the newest checkpoint that is whole; None: at the first update."""
    while recorder.resume_from is not None:
        try:
            return store.read(recorder.resume_from)
        except DamagedCheckpoint as damage:
            recorder.fall_back(damage.detail)
    return None


def _free() -> None:
    """Give back what a training held that has ended: others on this machine may need it."""
    gc.collect()
    torch.cuda.empty_cache()  # of a process that never used CUDA it costs nothing


def _words(failure: Exception) -> str:
    last = traceback.extract_tb(failure.__traceback__)[-1]
    return f"{type(failure).__name__}: {str(failure)[:2000]} (in {last.name}, {Path(last.filename).name}:{last.lineno})"


@lru_cache(maxsize=2)
def _load(entry: Entry, sources: DatasetPaths) -> tuple[Splits, DatasetInfo]:
    """The data set, kept: the cohorts of an experiment share it."""
    dataset: Dataset = entry.build()
    return dataset.load(sources), dataset.info(sources)
