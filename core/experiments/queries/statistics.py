"""How much waits, runs and has ended, in one look: what is shown to those who run the service."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.experiments.cohorts.eligibility import CLASSES
from core.experiments.cohorts.events import counts
from core.experiments.cohorts.heartbeat import workers_by_queue
from core.experiments.cohorts.states import ACTIVE, TERMINAL
from core.store import Cohort, Experiment, Run, now


@dataclass(frozen=True)
class QueueStats:
    """Of the whole database. Of cohorts and runs only those that have not ended: the others are never few."""

    counts: Mapping[str, int]
    """How often rare things happened: `core.experiments.cohorts.events.COUNTS`."""
    experiments: Mapping[str, int]
    """By status."""
    cohorts: Mapping[str, int]
    """Those `queued`, those `running`, and of those that are queued and not to be taken the `paused` ones, and those
    `waiting` at a rung for others."""
    runs: Mapping[str, int]
    """Of the cohorts that are `queued` and `running`, the few that have ended in these too: an index has that."""
    waited: float
    """Seconds that the cohort which may be taken and has been queued longest has waited; 0 where none waits."""
    workers: Mapping[str, int]
    """Live training processes by the queue that they answer to."""


def queue_stats(session: Session) -> QueueStats:
    """Costs what has not ended, and an index of the experiments: not what was ever trained."""
    experiments = dict.fromkeys((*ACTIVE, *TERMINAL), 0)
    by_status = select(Experiment.status, func.count()).group_by(Experiment.status)
    for status, number in session.execute(by_status):
        experiments[status] = number
    cohorts = dict.fromkeys((*ACTIVE, "paused", "waiting"), 0)
    waited = 0.0
    at_rung = Cohort.rung.is_not(None)
    parts = session.execute(
        select(Cohort.status, Cohort.paused, at_rung, func.count(), now() - func.min(Cohort.queued_at))
        .where(Cohort.status.in_(ACTIVE))
        .group_by(Cohort.status, Cohort.paused, at_rung)
    )
    for status, paused, at_a_rung, number, longest in parts:
        state = status if status == "running" else "paused" if paused else "waiting" if at_a_rung else "queued"
        cohorts[state] += number
        waited = max(waited, longest) if state == "queued" else waited
    runs = dict.fromkeys(ACTIVE, 0)
    of_cohorts = select(Cohort.status, func.count()).join(Run, Run.cohort_id == Cohort.id)
    of_cohorts = of_cohorts.where(Cohort.status.in_(ACTIVE)).group_by(Cohort.status)
    for status, number in session.execute(of_cohorts):
        runs[status] = number
    workers = dict.fromkeys(CLASSES, 0) | workers_by_queue(session)
    return QueueStats(counts(session), experiments, cohorts, runs, waited, workers)
