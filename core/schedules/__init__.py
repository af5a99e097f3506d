"""Learning-rate schedules: pure functions of t, the 0-based index of the update (or epoch) they are in force during."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from core.registry import Entry, Registry

Curve = Callable[[int], float]
"""t -> learning rate."""
State = tuple[float, ...]
"""What a reactive schedule remembers: plain numbers, to be checkpointed as they are."""
Metric = Literal["valid_loss", "valid_accuracy", "train_accuracy", "valid_r2", "train_r2"]
"""What a reactive schedule can answer to: what is measured after every epoch."""


@dataclass(frozen=True)
class Reactive:
    """A schedule that answers to a metric. Its state is a value: whoever trains keeps it and passes it in.

    `metric` is reported after every epoch; then `react(state, t, value)` is the state from there on, t being the index
    of the update that comes next. `rate(state, t)` is the learning rate during update t.
    """

    metric: Metric
    start: State
    rate: Callable[[State, int], float]
    react: Callable[[State, int, float], State]


class Span(NamedTuple):
    """What a schedule may know of the run it belongs to."""

    length: int
    """Length of the run in the schedule's own unit: the default of a length that is left out."""
    steps_per_unit: int
    """Updates in one of its units: 1, or the updates of an epoch."""
    steps_per_epoch: int


Schedule = Callable[[float, Span], Curve | Reactive]
"""(base rate B, span) -> curve over t in the schedule's own unit."""

Unit = Literal["step", "epoch"]

schedules = Registry("schedule", __name__, common={"unit": (Unit, "step")})
ScheduleEntry = schedules.field()


def bind(entry: Entry, base: float, steps: int, steps_per_epoch: int) -> Curve | Reactive:
    """The learning rate of every update of a run of `steps` updates, as a function of the update's index from 0.

    A schedule whose unit is the epoch holds its value during the epoch.
    """
    per_unit = steps_per_epoch if getattr(entry, "unit") == "epoch" else 1  # noqa: B009 a common parameter
    schedule: Schedule = entry.build()
    curve = schedule(base, Span(math.ceil(steps / per_unit), per_unit, steps_per_epoch))
    return lambda step: curve(step // per_unit)


__all__ = ["Curve", "Metric", "Reactive", "Schedule", "ScheduleEntry", "Span", "State", "Unit", "bind", "schedules"]
