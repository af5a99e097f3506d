"""Limits on the part of the service that one user takes: checked in the transaction that stores an experiment."""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import InitlabError, InvalidSpec, Problem
from core.experiments.cohorts.states import ACTIVE
from core.experiments.projects import Quotas, note_unfinished
from core.store import Cohort, Experiment, Run


class Limits(NamedTuple):
    """The limits of one owner; None: as much as there is."""

    unfinished_runs: int | None = None
    """Queued and running ones at any time."""
    priority: int | None = None
    """The highest that it may ask for."""
    quotas: Quotas = Quotas()
    """As much as it may have stored."""


class TooManyRuns(InitlabError):
    """The owner has as many unfinished runs as it may; fewer as they end."""

    status = 429
    title = "Too many unfinished runs"
    retry_after = 30  # nobody knows when runs end: often enough for a program that waits, and no load


def check_priority(priority: int, limits: Limits) -> None:
    """Raise `InvalidSpec` for a priority above the owner's."""
    if limits.priority is not None and priority > limits.priority:
        raise InvalidSpec([Problem("priority", f"is {priority}: this API key may ask for {limits.priority}")])


def check_runs(runs: int, limits: Limits) -> None:
    """Raise `InvalidSpec` for an experiment of more runs than its owner may have unfinished."""
    most = limits.unfinished_runs
    if most is not None and runs > most:
        text = f"the experiment has {runs:,} runs, and {most:,} may be unfinished at a time: post it in parts"
        raise InvalidSpec([Problem("", text)])


def admit(session: Session, owner: str | None, limits: Limits, runs: int, bound: int | None) -> None:
    """Let `runs` more of this owner in, or raise `TooManyRuns`.

    With these, no more than `bound` have not ended, as `core.experiments.projects.take` returns it for its caller's
    transaction, which is the only one of this owner. All are counted where that is not known, or above the limit.
    """
    most = limits.unfinished_runs
    if most is None or (bound is not None and bound <= most):
        return
    there = unfinished_runs(session, owner)
    if there + runs > most:
        raise TooManyRuns(
            f"{there:,} runs of {'this API key' if owner else 'this service'} have not ended, and the experiment would "
            f"add {runs:,}: {most:,} are allowed. Wait until some have ended, or cancel what is not needed"
        )
    note_unfinished(session, owner, there + runs)


def unfinished_runs(session: Session, owner: str | None) -> int:
    """Return how many runs of an owner are queued or running. Costs what has not ended, not all there ever was."""
    # The expression keeps the planners from the index of owners: one may have posted for years.
    mine = func.coalesce(Experiment.owner, "") == (owner or "")
    joined = select(func.count()).select_from(Cohort).join(Run, Run.cohort_id == Cohort.id)
    of_owner = joined.join(Experiment, Experiment.id == Cohort.experiment_id).where(mine)
    active = (one.status.in_(ACTIVE) for one in (Cohort, Experiment, Run))
    number: int = session.scalars(of_owner.where(*active)).one()
    return number
