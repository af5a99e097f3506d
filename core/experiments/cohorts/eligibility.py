"""Conditions on the cohorts that a worker may take: its devices, the queues it serves, and the cores that are free."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.orm import aliased

from core.experiments.cohorts.process_ids import host_of
from core.store import Cohort, Status

CLASSES = ("cpu", "gpu")
"""Queues of cohorts that name none: those of their device."""
_CLASSES_OF = {"auto": CLASSES, "cpu": ("cpu",), "cuda": ("gpu",)}


def queues_of(device: str, queue: str | None) -> tuple[str, ...]:
    """Return the queues to notify of a cohort: any worker of these may take it."""
    return _CLASSES_OF[device] if queue is None else (queue,)


def may_be_taken() -> ColumnElement[bool]:
    """Return the condition that `Cohort` waits for a worker alone: not for the user, other cohorts or a look."""
    return and_(Cohort.status == Status.QUEUED, ~Cohort.paused, Cohort.rung.is_(None), Cohort.look.is_(None))


@dataclass(frozen=True, kw_only=True)
class WorkerCapabilities:
    """The devices that a worker has, and the queues that it serves."""

    devices: Sequence[str] = ("auto", "cpu")
    queues: Sequence[str] = ("cpu",)

    def matches(self) -> ColumnElement[bool]:
        """Return the condition that this worker may take `Cohort`."""
        by_class = [device for device, classes in _CLASSES_OF.items() if not set(classes).isdisjoint(self.queues)]
        asked = or_(Cohort.queue.in_(self.queues), and_(Cohort.queue.is_(None), Cohort.device.in_(by_class)))
        return Cohort.device.in_(self.devices) & asked


@dataclass(frozen=True, kw_only=True)
class CpuCapacity:
    """The cores that the training processes of one machine share."""

    cores: int
    threads: int | None = None
    """Threads of every cohort here, where that was set; None: as planned for each."""

    def for_cohort(self, holder: str) -> ColumnElement[bool]:
        """Return the condition that `Cohort` fits the cores beside what runs on its holder's host, or is alone.

        A cohort wider than the machine is trained too, alone. One that asked for a GPU takes no cores.
        """
        other = aliased(Cohort)
        here = other.holder.startswith(f"{host_of(holder)}/", autoescape=True)
        taken = (
            select(func.coalesce(func.sum(self._threads(other)), 0))
            .where(other.status == Status.RUNNING, other.device != "cuda", here)
            .scalar_subquery()
        )
        return or_(taken == 0, taken + self._threads(Cohort) <= self.cores)

    def _threads(self, cohort: type[Cohort]) -> ColumnElement[int]:
        return cohort.threads.expression if self.threads is None else literal(self.threads)
