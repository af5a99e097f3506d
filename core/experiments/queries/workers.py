"""The training processes that give signs of life, and what each of them trains."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.experiments.cohorts.heartbeat import BEAT
from core.experiments.cohorts.process_ids import host_of, name_of, process_of
from core.store import Cohort, Experiment, Status, Worker, now

FORGOTTEN = 60.0
"""Seconds after its last sign for which a process is still shown, so that one sees that it went."""


@dataclass(frozen=True, kw_only=True)
class WorkerNow:
    """A training process as it was last seen."""

    name: str
    """Its name for addresses and commands."""
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
    training: tuple[int, int] | None
    """The experiment and the cohort that it trains; None: none, or of a hidden project."""
    version: str
    """Of initlab, as it runs there; empty: it did not say."""
    draining: bool
    """It was asked to leave, and takes nothing any more."""
    plugins: Mapping[str, Any]
    """Those that it has, by name: version and hash."""


def workers_now(session: Session, hidden: Collection[str] = ()) -> list[WorkerNow]:
    """Return the processes seen in the last minute, by host and process, without experiments of `hidden` projects."""
    clock = session.scalar(select(now())) or 0.0
    seen = session.execute(
        select(
            Worker.holder,
            Worker.devices,
            Worker.queues,
            Worker.last_seen,
            Worker.profile["machine"].as_string(),
            Worker.version,
            Worker.draining,
            Worker.plugins,
        )
        .where(Worker.last_seen > clock - FORGOTTEN)
        .order_by(Worker.holder)
    ).all()
    training: dict[str, list[tuple[int, int]]] = {}
    held = (
        select(Cohort.holder, Cohort.experiment_id, Cohort.id).join(Experiment).where(Cohort.status == Status.RUNNING)
    )
    if hidden:
        held = held.where(Experiment.project.not_in(hidden))
    for holder, experiment_id, cohort_id in session.execute(held.order_by(Cohort.id)):
        training.setdefault(holder or "", []).append((experiment_id, cohort_id))
    return [
        WorkerNow(
            name=name_of(holder),
            host=host_of(holder).split(" ")[0],
            process=process_of(holder),
            devices=devices.split(","),
            queues=[queue for queue in queues.split(",") if queue],
            machine=machine,
            alive=last_seen > clock - 3 * BEAT,
            last_seen=last_seen,
            experiments=sorted({experiment for experiment, _ in training.get(holder, ())}),
            training=next(iter(training.get(holder, ())), None),
            version=version,
            draining=draining,
            plugins=plugins or {},
        )
        for holder, devices, queues, last_seen, machine, version, draining, plugins in seen
    ]
