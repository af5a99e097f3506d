"""The experiments that train on a user's data set."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from core.experiments.cohorts.used_datasets import names
from core.store import Experiment

MOST = 50
"""Experiments that are told, the newest first."""


class Use(NamedTuple):
    """An experiment that trains on a data set."""

    id: int
    name: str
    status: str


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
    return found
