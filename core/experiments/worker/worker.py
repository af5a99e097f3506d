"""The worker's use case: claim, train, store, until nothing is queued."""

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn, assert_never

import torch
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.datasets import DatasetPaths
from core.energy import EnergyAccount, Meter, intensity
from core.errors import InitlabError, NotFound
from core.experiments.cohorts.attempt_logs import AttemptLogs
from core.experiments.cohorts.checkpoints import CheckpointStore
from core.experiments.cohorts.claims import Claim, anything_queued, claim
from core.experiments.cohorts.eligibility import CLASSES, CpuCapacity, WorkerCapabilities
from core.experiments.cohorts.heartbeat import Heartbeat, is_draining
from core.experiments.cohorts.leases import Fenced
from core.experiments.cohorts.looks import look, looks_due
from core.experiments.cohorts.process_ids import this_process
from core.experiments.cohorts.pruning import decide, waiting_for_a_decision
from core.experiments.cohorts.unreadable import Unreadable, leave_to_others
from core.experiments.worker.data import cohort_data
from core.experiments.worker.drain import Drain, Place
from core.experiments.worker.endings import (
    BrokenDevice,
    Cancelled,
    Completed,
    Ending,
    Failed,
    FencedOff,
    Lost,
    OutOfMemory,
    Released,
    WaitsAtRung,
    ending_of_failure,
    ending_of_hang,
    ending_of_stop,
    text_of,
)
from core.experiments.worker.recorder import Attempt, AttemptRecorder
from core.experiments.worker.watchdog import Flag, Watchdog
from core.experiments.worker.weights_writer import WeightsWriter
from core.failpoints import reached
from core.files import file_store, upload_place
from core.files.identity import known_identity
from core.logs import working_for
from core.plugins import available
from core.settings import Settings
from core.store import Database, StorageFull, after_commit, is_current
from core.training import Checkpoint, DamagedCheckpoint, Resume, Stopped, TrainOptions, train_lanes
from core.training.faults import is_spoiled
from core.training.memory import release
from core.training.planning.machine import free_memory, remembered
from core.training.planning.profile import Device

log = logging.getLogger(__name__)

Due = Callable[[Session, int | None], Sequence[int]]
"""Returns the experiments, of all or this one, whose cohorts are all there to be compared."""
Mark = Callable[[], object]
HUNG = 70
"""The exit code of a process whose training does not stop."""
BROKEN = 71
"""The exit code of a process that can no longer use its GPU: only a new process has a new context."""


class Worker:
    """A training process: made once, after the fork; called for every wake-up task."""

    def __init__(
        self,
        settings: Settings,
        draining: Flag,
        cores: int,
        queues: Sequence[str] = (),
        attempted: Callable[[bool], None] | None = None,
        place: Place | None = None,
    ) -> None:
        """`cores` are the machine's, shared by all training processes on it; `queues` are those that this one serves.

        Without queues it serves those of the devices that it has. `attempted` is told after every attempt whether the
        device broke. `place` ends the process when somebody has asked it to leave; None: it stays, and trains nothing.
        """
        self._settings = settings
        self._attempted = attempted or (lambda _broken: None)
        self._draining = draining
        self._drain = Drain(place)
        self._broken = False
        """True as soon as only another process can use the GPU."""
        self._cuda = torch.cuda.is_available() and tuple(queues) != ("cpu",)
        devices = ("auto", "cpu", "cuda") if self._cuda else ("auto", "cpu")
        served = tuple(queues) or (CLASSES if self._cuda else ("cpu",))
        self._capabilities = WorkerCapabilities(devices=devices, queues=served, plugins=available())
        # Where there are GPUs, few processes share many cores, and most threads only wait for a GPU.
        self._capacity = None if self._cuda else CpuCapacity(cores=cores, threads=settings.torch_threads)
        self._database = Database(settings.database, pool_size=3)
        self._carbon = intensity(settings.carbon_intensity)
        self._logs = AttemptLogs(settings.logs_folder)
        known = remembered(settings.cache)
        profile = known and known.model_copy(update={"memory": free_memory()})
        files = known_identity(file_store(settings))
        self._heartbeat = Heartbeat(self._database, self._capabilities, profile, self._advance_drain, files)

    def __call__(self) -> int:
        """Train queued cohorts until none is left or the process is to leave; returns how many were taken."""
        with self._drain.working():
            return self._work()

    def _advance_drain(self) -> None:
        self._drain.advance(self._heartbeat.close)

    def _work(self) -> int:
        taken = 0
        while not self._draining.is_set() and not self._drain.is_set():
            with self._database.reading() as session:  # SQLite has one writer: it should not be one who finds nothing
                leaves = not is_current(session) or is_draining(session, this_process())
                if leaves or not anything_queued(session, self._capabilities):
                    break
            try:
                with self._database.transaction() as session:
                    lease, threads = self._settings.lease_seconds, self._settings.torch_threads
                    held = claim(session, this_process(), self._capabilities, lease, self._capacity, threads)
            except Unreadable as what:
                self._capabilities = self._capabilities.without(what.experiment_id)
                leave_to_others(self._database, what, this_process())
                continue
            if held is None:
                break
            reached("claim.committed")
            taken += 1
            self._train(held)
        return taken

    def close(self) -> None:
        """Sign off; the process ends."""
        self._heartbeat.close()
        self._database.dispose()

    def _train(self, held: Claim) -> None:
        about = working_for(experiment=held.experiment_id, cohort=held.cohort_id, attempt=held.attempt)
        try:
            with about, self._logs.of(held.cohort_id, held.attempt):
                self._attempt(held)
        finally:
            if self._broken:
                log.error("only another process can use the device: this one ends")
                os._exit(BROKEN)

    def _attempt(self, held: Claim) -> None:
        log.info("training", extra={"runs": len(held.lanes)})
        torch.set_num_threads(self._settings.torch_threads or held.threads)
        store = CheckpointStore(file_store(self._settings).below("checkpoints"), held.cohort_id, held.attempt)
        account = EnergyAccount(before=held.cost, runs=held.training, intensity=self._carbon)
        recorder = AttemptRecorder(
            Attempt(
                database=self._database,
                held=held,
                store=store,
                lease_seconds=self._settings.lease_seconds,
                draining=self._draining,
                asked_to_leave=self._drain,
                on_hang=leave_hung,
                watchdog=Watchdog(self._settings.hang_seconds),
                account=account,
            )
        )
        ending = self._released(self._trained(held, store, recorder, account))
        self._attempted(self._broken and not is_spoiled())
        try:
            _close(recorder, ending, held)
        except Fenced as fenced:
            log.warning("%s was given to another worker before it could end", fenced)
            recorder.increment("fenced_writes")
        if held.spec.pruning is not None:
            marks = (lambda: reached("decide.before_commit"), lambda: reached("decide.committed"))
            self._compare(held, waiting_for_a_decision, decide, marks)
        if held.spec.adaptive is not None:
            marks = (lambda: reached("look.before_commit"), lambda: reached("look.committed"))
            self._compare(held, looks_due, look, marks)

    def _compare(
        self, held: Claim, due: Due, compare: Callable[[Session, int], bool], marks: tuple[Mark, Mark]
    ) -> None:
        """Compare the arms where this cohort was the last that is waited for, rather than wait for a sweep."""
        try:
            with self._database.reading() as session:  # mostly there is nothing, and others are not to wait for that
                if not due(session, held.experiment_id):
                    return
            with self._database.transaction() as session:
                if compare(session, held.experiment_id):
                    marks[0]()
                    after_commit(session, marks[1])
        except NotFound:
            log.info("the experiment was deleted meanwhile")
        except (SQLAlchemyError, StorageFull) as error:
            log.warning("it cannot be decided yet who goes on; a sweep will try again: %s", error)

    def _device(self, held: Claim) -> Device:
        return "cuda" if self._cuda and held.spec.device != "cpu" else "cpu"

    def _meter(self, held: Claim) -> Meter:
        on_gpu = self._device(held) == "cuda"
        reached("meter")
        return Meter.of(str(torch.cuda.get_device_properties(0).uuid) if on_gpu else None)

    def _trained(
        self, held: Claim, store: CheckpointStore, recorder: AttemptRecorder, account: EnergyAccount
    ) -> Ending:
        """Return how the attempt ends. All that touches the device is in here, and no error of it comes out."""
        try:
            account.measure(self._meter(held))
            return self._train_to_the_end(held, store, recorder)
        except Exception as failure:  # the edge: whatever a training raises ends its cohort, and is recorded
            ending = ending_of_failure(failure)
            if isinstance(ending, Failed) and not isinstance(failure, InitlabError):
                log.exception("the training failed")
            return ending

    def _train_to_the_end(self, held: Claim, store: CheckpointStore, recorder: AttemptRecorder) -> Ending:
        """Train, and keep the last checkpoint where others go on; raises what the training raises."""
        paths = DatasetPaths(self._settings.datasets, upload_place(self._settings))
        data, info = cohort_data(held.spec, held.lanes[0].treatment.dataset, paths)
        try:
            at_rung = train_lanes(
                held.lanes,
                data,
                info,
                recorder,
                TrainOptions.of(held.spec, self._device(held), held.layout),
                Resume(start=_start(store, recorder), until=held.rung, pruned_at=held.pruned_at),
                stopped=recorder.stopped,
                weights=WeightsWriter(file_store(self._settings).below("weights"), held, info, recorder.keep),
                keep=recorder.save,
            )
        except Stopped as stop:
            ending = ending_of_stop(recorder.reason)
            if isinstance(ending, Released):
                recorder.save_last(stop.checkpoint())
            return ending
        if at_rung is None:
            return Completed()
        recorder.save_last(at_rung)
        return WaitsAtRung()

    def _released(self, ending: Ending) -> Ending:
        """Give memory back, and return how the attempt ends: a GPU may refuse even that."""
        self._broken = isinstance(ending, BrokenDevice) or is_spoiled()
        wanted = self._cuda or isinstance(ending, OutOfMemory)
        if self._broken or self._draining.is_set() or not wanted:
            return ending
        try:
            release()
        except Exception as failure:  # the edge, as above
            log.exception("the device does not answer any more")
            self._broken = True
            return BrokenDevice(text_of(failure)) if isinstance(ending, OutOfMemory) else ending
        return ending


def leave_hung(recorder: AttemptRecorder, why: str) -> NoReturn:
    """End the claim and the process from the recorder's thread: a batch that does not return cannot be stopped."""
    log.error("the training hangs (%s): this process ends", why)
    ending = ending_of_hang(recorder.reason, why)
    if not isinstance(ending, FencedOff):
        with suppress(Fenced, SQLAlchemyError, StorageFull):
            recorder.close(ending)
    recorder.increment("hangs")
    os._exit(HUNG)


def _close(recorder: AttemptRecorder, ending: Ending, held: Claim) -> None:
    """Write an ending, or nothing where another has the cohort. Raises `Fenced`."""
    match ending:
        case FencedOff():
            recorder.abandon()
            recorder.increment("fenced_writes")
        case OutOfMemory():
            status = recorder.close(ending)
            log.warning("out of memory; now %s", status, extra={"runs": len(held.lanes)})
        case BrokenDevice(error):
            log.error("the device is in no state to go on, and this process with it: %s", error)
            recorder.close(ending)
        case Completed() | Failed() | Cancelled() | Released() | WaitsAtRung() | Lost():
            recorder.close(ending)
        case _:
            assert_never(ending)


def _start(store: CheckpointStore, recorder: AttemptRecorder) -> Checkpoint | None:
    """Return the newest checkpoint that is whole; None where training begins with the first update."""
    while recorder.resume_from is not None:
        try:
            return store.read(recorder.resume_from)
        except DamagedCheckpoint as damage:
            recorder.fall_back(damage.detail)
    return None
