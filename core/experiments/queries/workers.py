"""The training processes that give signs of life, and what each of them trains."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.experiments.cohorts.heartbeat import BEAT
from core.experiments.cohorts.process_ids import host_of, process_of
from core.store import Cohort, Experiment, Status, Worker, now

FORGOTTEN = 60.0
"""Seconds after its last sign for which a process is still shown, so that one sees that it went."""


@dataclass(frozen=True, kw_only=True)
class WorkerNow:
    """A training process as it was last seen."""

    host: str
    process: int
    """Its id on that host."""
    devices: list[str]
    queues: list[str]
    machine: str | None
    """The machine in words, where it has been measured."""
    alive: bool
    last_seen: float
    """Seconds since 1970."""
    experiments: list[int]
    """The experiments of which it trains a cohort."""


def workers_now(session: Session, hidden: Collection[str] = ()) -> list[WorkerNow]:
    """Return the processes seen in the last minute, by host and process, without experiments of `hidden` projects."""
    clock = session.scalar(select(now())) or 0.0
    seen = session.execute(
        select(Worker.holder, Worker.devices, Worker.queues, Worker.last_seen, Worker.profile["machine"].as_string())
        .where(Worker.last_seen > clock - FORGOTTEN)
        .order_by(Worker.holder)
    ).all()
    training: dict[str, set[int]] = {}
    held = select(Cohort.holder, Cohort.experiment_id).join(Experiment).where(Cohort.status == Status.RUNNING)
    if hidden:
        held = held.where(Experiment.project.not_in(hidden))
    for holder, experiment_id in session.execute(held):
        training.setdefault(holder or "", set()).add(experiment_id)
    return [
        WorkerNow(
            host=host_of(holder).split(" ")[0],
            process=process_of(holder),
            devices=devices.split(","),
            queues=[queue for queue in queues.split(",") if queue],
            machine=machine,
            alive=last_seen > clock - 3 * BEAT,
            last_seen=last_seen,
            experiments=sorted(training.get(holder, ())),
        )
        for holder, devices, queues, last_seen, machine in seen
    ]
