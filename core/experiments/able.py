"""Which cohorts a worker may take: by the devices it has, and by the queues it answers to."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, or_

from core.store import Cohort

CLASSES = ("cpu", "gpu")
"""Queues of cohorts that name none: those of their device."""
_CLASSES_OF = {"auto": CLASSES, "cpu": ("cpu",), "cuda": ("gpu",)}


def queues_of(device: str, queue: str | None) -> tuple[str, ...]:
    """Where to ring for a cohort: any worker of these may take it."""
    return _CLASSES_OF[device] if queue is None else (queue,)


def may_be_taken() -> ColumnElement[bool]:
    """Whether `Cohort` is queued and waits for a worker alone: not for the user, nor for other cohorts."""
    return and_(Cohort.status == "queued", ~Cohort.paused, Cohort.rung.is_(None))


class Able(NamedTuple):
    """What a worker can do and is for."""

    devices: Sequence[str] = ("auto", "cpu")
    queues: Sequence[str] = ("cpu",)

    def suits(self) -> ColumnElement[bool]:
        """Whether this worker may take `Cohort`."""
        by_class = [device for device, classes in _CLASSES_OF.items() if not set(classes).isdisjoint(self.queues)]
        asked = or_(Cohort.queue.in_(self.queues), and_(Cohort.queue.is_(None), Cohort.device.in_(by_class)))
        return Cohort.device.in_(self.devices) & asked
