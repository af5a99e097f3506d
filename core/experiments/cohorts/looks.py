"""Looks at adaptive seeds: cohorts of further seeds wait until it is known which arms need them.

All cohorts are there from the beginning, so that quotas count them, and a cancel or a pause reaches them; those of
later seeds are held until their look. Once every other cohort has ended, one transaction decides by the stored numbers,
removes the runs that nobody needs, and lets the rest be taken. The worker that ended the last cohort makes it, or the
sweeper. Until then the experiment is running, whatever its cohorts are.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from sqlalchemy import delete, exists, func, select, true, update
from sqlalchemy.orm import Session

from core.analysis import Look, outline, take_look
from core.analysis.statistics.sequential import look_levels
from core.errors import Conflict, InvalidSpec
from core.experiments.cohorts.designs import design_of, results_of
from core.experiments.cohorts.events import record_event
from core.experiments.cohorts.leases import QUIETLY
from core.experiments.cohorts.states import ACTIVE, lock_cohorts, settle
from core.experiments.projects import Amount, give_back
from core.results import Outcome, Results, RunResult
from core.store import Cohort, Experiment, Run, Status, now

_HELD = (Cohort.status == Status.QUEUED, Cohort.look.is_not(None))


def looks_due(session: Session, experiment_id: int | None = None) -> Sequence[int]:
    """Return the experiments, of all or this one, whose next look waits for no cohort any more.

    The levels of their looks are found here, and kept: that takes half a second, which no writer is to wait for.
    """
    on_the_way = exists().where(Cohort.experiment_id == Experiment.id, Cohort.status.in_(ACTIVE), Cohort.look.is_(None))
    mine = true() if experiment_id is None else Experiment.id == experiment_id
    due = (Experiment.next_look.is_not(None), Experiment.status == Status.RUNNING, Experiment.deleted_at.is_(None))
    found = session.scalars(select(Experiment).where(mine, *due, ~on_the_way)).all()
    for one in found:
        with suppress(InvalidSpec, Conflict):  # what this code cannot read, `look` refuses
            design = design_of(one)
            look_levels(tuple(design.looks), design.alpha / len(design.pairs))
    return [one.id for one in found]


def look(session: Session, experiment_id: int) -> bool:
    """Take the experiment's next look, where it waits for no cohort any more; returns whether it did.

    Call it in a transaction of its own: it locks all cohorts, in the order of their ids.
    """
    lock_cohorts(session, experiment_id)
    if not looks_due(session, experiment_id):
        return False
    experiment = session.get_one(Experiment, experiment_id)
    results = _results(session, experiment)
    taken = take_look(results)
    experiment.looks = [*map(dict, results.looks), dict(taken)]
    further = (n for n in results.design.looks if n > taken["seeds"])
    experiment.next_look = next(further, None) if taken["arms"] else None
    record_event(session, experiment_id, "look", **outline(taken))
    _remove_unneeded(session, experiment, taken)
    released = {"look": None, "queued_at": now()}
    mine = (Cohort.experiment_id == experiment_id, *_HELD, Cohort.look == taken["seeds"])
    session.execute(update(Cohort).where(*mine).values(**released).execution_options(**QUIETLY))
    session.flush()
    settle(session, experiment_id)
    return True


def _results(session: Session, of: Experiment) -> Results:
    """Return the first trainings' ends: all that a look is taken by."""
    runs = session.scalars(select(Run).where(Run.experiment_id == of.id, ~Run.repeat).order_by(Run.id)).all()
    return results_of(
        of,
        runs=[
            RunResult(run.id, run.arm, run.seed, run.status, cast(Outcome | None, run.outcome), run.final or {})
            for run in runs
        ],
        series=lambda _metric: [],
    )


def _remove_unneeded(session: Session, experiment: Experiment, taken: Look) -> None:
    """Remove the held runs of arms that are trained no further, and the cohorts that have no other; count them off."""
    held = select(Cohort.id).where(Cohort.experiment_id == experiment.id, *_HELD)
    before = session.scalars(select(func.count()).where(Run.experiment_id == experiment.id)).one()
    unneeded = delete(Run).where(Run.cohort_id.in_(held), Run.arm.not_in(taken["arms"])).execution_options(**QUIETLY)
    gone = len(session.scalars(unneeded.returning(Run.id)).all())
    if not gone:
        return
    empty = Cohort.id.in_(held) & ~exists().where(Run.cohort_id == Cohort.id)
    session.execute(delete(Cohort).where(empty).execution_options(**QUIETLY))
    points = experiment.points * gone // before
    experiment.points -= points
    give_back(session, experiment.owner, experiment.project, Amount(runs=gone, points=points))
