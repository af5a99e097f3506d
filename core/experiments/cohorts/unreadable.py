"""Experiments that this code cannot read, as later code posted them: a worker of that code is waited for."""

import logging
from typing import Any

from sqlalchemy import select

from core.errors import Conflict, InvalidSpec
from core.experiments.cohorts.events import record_event
from core.experiments.cohorts.process_ids import describe
from core.experiments.cohorts.software import software
from core.registry import Absent, entries_in
from core.spec import Spec, parse_stored
from core.store import Database, Event, Experiment

log = logging.getLogger(__name__)


class Unreadable(Exception):
    """A stored spec names what this code does not have."""

    def __init__(self, experiment_id: int, why: str) -> None:
        super().__init__(f"experiment {experiment_id} is of code that this is not: {why}")
        self.experiment_id = experiment_id
        self.why = why


def to_train(experiment: Experiment) -> Spec:
    """Return the spec of an experiment. Raises `Unreadable` where something that it names is not here."""
    try:
        spec = parse_stored(experiment.spec)
    except (InvalidSpec, Conflict) as error:
        raise Unreadable(experiment.id, str(error)) from error
    settings = {id(value): value for arm in spec.expanded for _, value in arm.treatment}  # arms share most of theirs
    absent = {entry.name for entry in entries_in([*settings.values()]) if isinstance(entry, Absent)}
    if absent:
        raise Unreadable(experiment.id, f"{', '.join(sorted(absent))}: not here, or not as it was posted")
    return spec


def leave_to_others(database: Database, what: Unreadable, holder: str) -> None:
    """Write into log and history that this code leaves an experiment to others, once for all its processes."""
    detail: dict[str, Any] = {"software": software(), "why": what.why}
    with database.transaction() as session:
        mine = (Event.experiment_id == what.experiment_id, Event.kind == "unreadable")
        said = session.scalars(select(Event.detail).where(*mine))
        if detail not in [{key: one[key] for key in detail} for one in said]:
            record_event(session, what.experiment_id, "unreadable", worker=describe(holder), **detail)
            log.warning("%s; others are waited for", what)
