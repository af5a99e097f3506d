"""Conditions on the cohorts that a worker may take: its devices, queues and plug-ins, and the cores that are free."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, true
from sqlalchemy.orm import aliased

from core.experiments.cohorts.process_ids import host_of
from core.plugins import Pin
from core.store import Cohort, Status

CLASSES = ("cpu", "gpu")
"""Queues of cohorts that name none: those of their device."""
EXTERNAL = "external"
"""The device of cohorts that are trained elsewhere: no worker has it."""
_CLASSES_OF = {"auto": CLASSES, "cpu": ("cpu",), "cuda": ("gpu",), EXTERNAL: ()}


def queues_of(device: str, queue: str | None) -> tuple[str, ...]:
    """Return the queues to notify of a cohort: any worker of these may take it."""
    return _CLASSES_OF[device] if queue is None else (queue,)


def needed(plugins: Mapping[str, Any] | None) -> str | None:
    """Return the plug-ins of a canonical spec as the row of a cohort has them: `<name@sha256>` for each.

    What a worker has is taken out of that text, and nothing may be left: names and hashes have neither `<` nor `>`.
    """
    return "".join(f"<{name}@{pin['sha256']}>" for name, pin in sorted(plugins.items())) if plugins else None


def may_be_taken() -> ColumnElement[bool]:
    """Return the condition that `Cohort` waits for a worker alone: not for the user, others, a look or points."""
    there = and_(Cohort.status == Status.QUEUED, ~Cohort.paused, Cohort.rung.is_(None), Cohort.look.is_(None))
    return and_(there, Cohort.device != EXTERNAL)


@dataclass(frozen=True, kw_only=True)
class WorkerCapabilities:
    """The devices and plug-ins that a worker has, the queues that it serves, and what it cannot read."""

    devices: Sequence[str] = ("auto", "cpu")
    queues: Sequence[str] = ("cpu",)
    plugins: Mapping[str, Pin] = field(default_factory=dict)
    unreadable: frozenset[int] = frozenset()
    """The experiments that its code cannot read."""

    def without(self, experiment_id: int) -> "WorkerCapabilities":
        """Return these capabilities, but that the worker's code cannot read an experiment."""
        return replace(self, unreadable=self.unreadable | {experiment_id})

    def matches(self) -> ColumnElement[bool]:
        """Return the condition that this worker may take `Cohort`."""
        by_class = [device for device, classes in _CLASSES_OF.items() if not set(classes).isdisjoint(self.queues)]
        asked = or_(Cohort.queue.in_(self.queues), and_(Cohort.queue.is_(None), Cohort.device.in_(by_class)))
        readable = Cohort.experiment_id.not_in(self.unreadable) if self.unreadable else true()
        return Cohort.device.in_(self.devices) & asked & self._has_plugins() & readable

    def _has_plugins(self) -> ColumnElement[bool]:
        left: ColumnElement[str] = Cohort.plugins.expression  # type: ignore[assignment]
        for name, pin in self.plugins.items():
            left = func.replace(left, f"<{name}@{pin.sha256}>", "")
        return or_(Cohort.plugins.is_(None), left == "") if self.plugins else Cohort.plugins.is_(None)


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
