"""The learning rates of an arm's run, as far as they are known before it: of few updates, each looked at once."""

import math
from dataclasses import dataclass
from functools import lru_cache

from core.registry import Entry
from core.schedules import Reactive, bind, rates, sampled_updates
from core.spec._treatment import Treatment

EPOCHS = 1_000
"""The most epochs in which a schedule that answers to a metric is looked at; beyond, it may answer."""


@dataclass(frozen=True)
class Length:
    """The updates of a run."""

    steps: int
    steps_per_epoch: int


def lr_of(treatment: Treatment) -> float:
    """Return the learning rate that the optimizer asks for."""
    return float(treatment.optimizer.parameters()["lr"])


@lru_cache(maxsize=256)  # the arms of an experiment mostly share their schedule
def rates_of(schedule: Entry, lr: float, length: Length) -> tuple[float, ...]:
    """Return the rates of the updates that are looked at, while no metric is reported."""
    bound = bind(schedule, lr, length.steps, length.steps_per_epoch)
    return tuple(rates(bound, sampled_updates(length.steps)))


@lru_cache(maxsize=2048)
def metric_read(schedule: Entry, lr: float, length: Length) -> str | None:
    """Return the metric that a schedule answers to; None also where no value of it could move a rate of the run."""
    bound = bind(schedule, lr, length.steps, length.steps_per_epoch)
    if not isinstance(bound, Reactive):
        return None
    if length.steps > EPOCHS * length.steps_per_epoch:
        return bound.metric
    state = bound.start
    for first in range(length.steps_per_epoch, length.steps, length.steps_per_epoch):
        state = bound.react(state, first, math.nan)  # never an improvement
        if bound.rate(state, first) != bound.rate(bound.start, first):
            return bound.metric
    return None
