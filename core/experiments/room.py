"""Whether a machine has the cores for another cohort."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, func, literal, or_, select
from sqlalchemy.orm import aliased

from core.experiments.holders import host_of
from core.store import Cohort


class Room(NamedTuple):
    """What the training processes of one machine share."""

    cores: int
    threads: int | None = None
    """Of every cohort here, where that was set; none: as planned for each."""

    def for_cohort(self, holder: str) -> ColumnElement[bool]:
        """Whether `Cohort`'s threads fit the cores beside what runs on the holder's host, or nothing runs there.

        A cohort wider than the machine is trained too, alone. One that asked for a GPU takes no cores.
        """
        other = aliased(Cohort)
        here = other.holder.startswith(f"{host_of(holder)}/", autoescape=True)
        taken = (
            select(func.coalesce(func.sum(self._threads(other)), 0))
            .where(other.status == "running", other.device != "cuda", here)
            .scalar_subquery()
        )
        return or_(taken == 0, taken + self._threads(Cohort) <= self.cores)

    def _threads(self, cohort: type[Cohort]) -> ColumnElement[int]:
        return cohort.threads.expression if self.threads is None else literal(self.threads)
