"""The experiments that train on a user's data set."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Text, cast, or_, select
from sqlalchemy.orm import Session

from core.experiments.cohorts.states import TERMINAL
from core.experiments.cohorts.used_datasets import names
from core.store import Cohort, Experiment

MOST = 50
"""Experiments that are told, the newest first."""


class Use(NamedTuple):
    """An experiment that trains on a data set."""

    id: int
    name: str
    status: str
    paused: bool = False
    cancelling: bool = False


def using(session: Session, name: str, hidden: Collection[str] = (), most: int = MOST) -> list[Use]:
    """Return the newest experiments that name a data set, without those of `hidden` projects."""
    wanted = (
        select(Experiment.id, Experiment.name, Experiment.status, Experiment.spec)
        .where(Experiment.deleted_at.is_(None), cast(Experiment.spec, Text).contains(f'"{name}@', autoescape=True))
        .order_by(Experiment.id.desc())
        .execution_options(yield_per=most)
    )
    if hidden:
        wanted = wanted.where(Experiment.project.not_in(hidden))
    found: list[Use] = []
    for row in session.execute(wanted):
        if name in names(row.spec):
            found.append(Use(row.id, row.name, row.status))
        if len(found) == most:
            break
    return _asked(session, found)


def _asked(session: Session, found: list[Use]) -> list[Use]:
    """Return the experiments with what has been asked of those that go on."""
    going_on = [use.id for use in found if use.status not in TERMINAL]
    cohorts = session.execute(
        select(Cohort.experiment_id, Cohort.paused, Cohort.cancel_requested)
        .where(Cohort.experiment_id.in_(going_on), or_(Cohort.paused, Cohort.cancel_requested))
        .distinct()
    ).all()
    paused = {one.experiment_id for one in cohorts if one.paused}
    cancelling = {one.experiment_id for one in cohorts if one.cancel_requested}
    return [use._replace(paused=use.id in paused, cancelling=use.id in cancelling) for use in found]
