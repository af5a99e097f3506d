"""Counts of what waits, runs and has ended, for those who run the service."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.experiments.cohorts.eligibility import CLASSES, EXTERNAL
from core.experiments.cohorts.events import counts
from core.experiments.cohorts.heartbeat import workers_by_queue
from core.experiments.cohorts.states import ACTIVE
from core.store import Cohort, Experiment, Run, Status, now


@dataclass(frozen=True, kw_only=True)
class QueueStats:
    """Counts over the whole database; of cohorts and runs only those that have not ended, as the others are many.

    Those that are trained elsewhere are not among them: no worker is waited for.
    """

    counts: Mapping[str, int]
    """The number of times that each rare event happened: `core.experiments.cohorts.events.COUNTS`."""
    experiments: Mapping[str, int]
    """By status."""
    cohorts: Mapping[str, int]
    """Those `queued`, those `running`, and of those that are queued and not to be taken the `paused` ones, and those
    `waiting` at a rung for others, or for a look."""
    runs: Mapping[str, int]
    """Of the cohorts that are `queued` and `running`, the few that have ended in these too: an index has that."""
    waited: float
    """Seconds that the cohort which may be taken and has been queued longest has waited; 0 where none waits."""
    workers: Mapping[str, int]
    """Live training processes by the queue that they answer to."""


def queue_stats(session: Session) -> QueueStats:
    """Return the statistics of the queue. Costs what has not ended, and an index of the experiments."""
    experiments: dict[str, int] = dict.fromkeys(Status, 0)
    by_status = select(Experiment.status, func.count()).group_by(Experiment.status)
    experiments.update(session.execute(by_status).all())
    cohorts: dict[str, int] = dict.fromkeys((*ACTIVE, "paused", "waiting"), 0)
    waited = 0.0
    at_rung = Cohort.rung.is_not(None) | Cohort.look.is_not(None)
    parts = session.execute(
        select(Cohort.status, Cohort.paused, at_rung, func.count(), now() - func.min(Cohort.queued_at))
        .where(Cohort.status.in_(ACTIVE), Cohort.device != EXTERNAL)
        .group_by(Cohort.status, Cohort.paused, at_rung)
    )
    for status, paused, at_a_rung, number, longest in parts:
        if status == Status.RUNNING or not (paused or at_a_rung):
            cohorts[status] += number
            waited = max(waited, longest) if status == Status.QUEUED else waited
        else:
            cohorts["paused" if paused else "waiting"] += number
    runs: dict[str, int] = dict.fromkeys(ACTIVE, 0)
    of_cohorts = select(Cohort.status, func.count()).join(Run, Run.cohort_id == Cohort.id)
    of_cohorts = of_cohorts.where(Cohort.status.in_(ACTIVE), Cohort.device != EXTERNAL).group_by(Cohort.status)
    runs.update(session.execute(of_cohorts).all())
    return QueueStats(
        counts=counts(session),
        experiments=experiments,
        cohorts=cohorts,
        runs=runs,
        waited=waited,
        workers=dict.fromkeys(CLASSES, 0) | workers_by_queue(session),
    )
