"""Limits on the part of the service that one user takes: checked in the transaction that stores an experiment."""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import InitlabError, InvalidSpec, Problem
from core.experiments.cohorts.states import ACTIVE
from core.experiments.projects import Quotas
from core.store import Cohort, Experiment, Run, serialise


class Limits(NamedTuple):
    """The limits of one owner; None: as much as there is."""

    unfinished_runs: int | None = None
    """Queued and running ones at any time."""
    priority: int | None = None
    """The highest that it may ask for."""
    quotas: Quotas = Quotas()
    """As much as it may have stored."""


_UNFINISHED = (
    select(func.count()).select_from(Cohort).join(Run, Run.cohort_id == Cohort.id).where(Cohort.status.in_(ACTIVE))
)
"""Counts the runs of all cohorts that have not ended."""


class TooManyRuns(InitlabError):
    """The owner has as many unfinished runs as it may; fewer as they end."""

    status = 429
    title = "Too many unfinished runs"
    retry_after = 30  # nobody knows when runs end: often enough for a program that waits, and no load


def check_priority(priority: int, limits: Limits) -> None:
    """Raise `InvalidSpec` for a priority above the owner's."""
    if limits.priority is not None and priority > limits.priority:
        raise InvalidSpec([Problem("priority", f"is {priority}: this API key may ask for {limits.priority}")])


def admit(session: Session, owner: str | None, limits: Limits, runs: int) -> None:
    """Let `runs` more of this owner in, or raise `TooManyRuns`; `InvalidSpec` where they alone are too many.

    From here to its commit one transaction of an owner is on its way at a time: what it adds, the next one counts.
    """
    most = limits.unfinished_runs
    if most is None:
        return
    if runs > most:
        text = f"the experiment has {runs:,} runs, and {most:,} may be unfinished at a time: post it in parts"
        raise InvalidSpec([Problem("", text)])
    serialise(session, f"admit {owner or ''}")
    # All that waits is no less than what waits of this owner, and two indexes know it: most of the time that is enough.
    if session.scalars(_UNFINISHED).one() + runs <= most:
        return
    there = unfinished_runs(session, owner)
    if there + runs > most:
        raise TooManyRuns(
            f"{there:,} runs of {'this API key' if owner else 'this service'} have not ended, and the experiment would "
            f"add {runs:,}: {most:,} are allowed. Wait until some have ended, or cancel what is not needed"
        )


def unfinished_runs(session: Session, owner: str | None) -> int:
    """Return how many runs of an owner are queued or running. Costs what has not ended, not all there ever was."""
    # The expression keeps the planners from the index of owners: one may have posted for years.
    mine = func.coalesce(Experiment.owner, "") == (owner or "")
    of_owner = _UNFINISHED.join(Experiment, Experiment.id == Cohort.experiment_id).where(mine)
    number: int = session.scalars(of_owner.where(Experiment.status.in_(ACTIVE), Run.status.in_(ACTIVE))).one()
    return number
