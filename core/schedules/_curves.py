"""A schedule as a function of the update's index: its curve, or its answer to a metric."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from core.registry import Entry
from core.schedules._lengths import Length, in_units

Curve = Callable[[float], float]
"""t -> learning rate."""
State = tuple[float, ...]
"""The state of a reactive schedule: finite numbers, checkpointed as they are."""


@dataclass(frozen=True)
class Reactive:
    """A schedule that answers to a metric. Its state is a value: whoever trains keeps it and passes it in.

    `metric` is reported after every epoch; then `react(state, t, value)` is the state from there on, t being the index
    of the update that comes next. `rate(state, t)` is the learning rate during update t.
    """

    metric: str
    start: State
    rate: Callable[[State, float], float]
    react: Callable[[State, float, float], State]


class Span(NamedTuple):
    """The length of a run, as its schedule sees it."""

    steps: int
    """Updates of the run."""
    steps_per_unit: int
    """Updates in one of the schedule's own units: 1, or the updates of an epoch."""
    steps_per_epoch: int
    per_update: bool = False
    """True where t moves on with every update, in fractions of the unit."""

    @property
    def tick(self) -> float:
        """Time from one value of t to the next, in the schedule's own unit."""
        return 1 / self.steps_per_unit if self.per_update else 1

    @property
    def length(self) -> float:
        """Length of the run in the schedule's own unit, at least 1: the default of a length that is left out."""
        if self.per_update:
            return max(1, self.steps) / self.steps_per_unit
        return max(1, math.ceil(self.steps / self.steps_per_unit))

    def units(self, length: Length | None) -> float:
        """Return a length in the schedule's own unit: as given, the share of the run, or where left out the run's."""
        if length is None:
            return self.length
        return in_units(length, self.steps, self.steps_per_unit, in_updates=self.per_update)

    def part(self, entry: Entry, base: float, start: float = 0, end: float | None = None) -> "Curve | Reactive":
        """Return the schedule `entry`, begun at t = `start`, as a function of the t of the schedule that holds it.

        It starts from its own `lr`, or from `base`, at a t = 0 of its own and keeps its own unit. What it has for a run
        lasts until t = `end`, the run's end where that is left out.
        """
        first = round(start * self.steps_per_unit)
        steps = self.steps if end is None else round(end * self.steps_per_unit)
        own = _in_updates(entry, own_lr(entry, base), max(0, steps - first), self.steps_per_epoch)
        return _timed(own, lambda t: round(t * self.steps_per_unit) - first)


Schedule = Callable[[float, Span], Curve | Reactive]
"""(base rate B, span) -> curve over t in the schedule's own unit."""


def bind(entry: Entry, base: float, steps: int, steps_per_epoch: int) -> Curve | Reactive:
    """Return the learning rate of every update of a run of `steps` updates, as a function of the update's index from 0.

    A schedule whose unit is the epoch holds its value during the epoch, unless its rate moves `per` update. Asked for a
    rate that is negative or not finite it raises `ValueError` with the update, and so it does for a whole schedule with
    an `lr` of its own.
    """
    if own_lr(entry, base) != base:
        raise ValueError("has an lr of its own, which only a part of another schedule has: give it to the optimizer")
    bound = _in_updates(entry, base, steps, steps_per_epoch)
    if isinstance(bound, Reactive):
        return replace(bound, rate=_checked(bound.rate))
    return _checked(bound)


def rates(bound: Curve | Reactive, steps: Sequence[int]) -> list[float]:
    """Return the rates of some updates while no metric is reported."""
    if isinstance(bound, Reactive):
        return [bound.rate(bound.start, step) for step in steps]
    return [bound(step) for step in steps]


def reported_rates(bound: Reactive, steps: int, steps_per_epoch: int, metrics: Sequence[float]) -> list[float]:
    """Return the rates of all updates where `metrics[e]` is reported after epoch e, and none after the last of them."""
    state, found = bound.start, []
    for step in range(steps):
        epoch, first = divmod(step, steps_per_epoch)
        if first == 0 and 0 < epoch <= len(metrics):
            state = bound.react(state, step, metrics[epoch - 1])
        found.append(bound.rate(state, step))
    return found


def _in_updates(entry: Entry, base: float, steps: int, steps_per_epoch: int) -> Curve | Reactive:
    """Return `entry` as a function of the update's index."""
    per_unit = steps_per_epoch if getattr(entry, "unit") == "epoch" else 1  # noqa: B009 a common parameter
    fine = per_unit > 1 and getattr(entry, "per") == "update"  # noqa: B009
    schedule: Schedule = entry.build()
    span = Span(steps=steps, steps_per_unit=per_unit, steps_per_epoch=steps_per_epoch, per_update=fine)
    return _timed(schedule(base, span), (lambda step: step / per_unit) if fine else (lambda step: step // per_unit))


def own_lr(entry: Entry, base: float) -> float:
    """Return the rate that a part of another schedule starts from."""
    own = getattr(entry, "lr")  # noqa: B009 a common parameter
    return base if own is None else float(own)


def _timed(bound: Curve | Reactive, clock: Callable[[float], float]) -> Curve | Reactive:
    """Return `bound` on another clock: its value at t is that of `bound` at `clock(t)`."""
    if isinstance(bound, Reactive):
        rate, react = bound.rate, bound.react
        return replace(
            bound,
            rate=lambda state, t: rate(state, clock(t)),
            react=lambda state, t, value: react(state, clock(t), value),
        )
    return lambda t: bound(clock(t))


def _checked(rate: Callable[..., float]) -> Callable[..., float]:
    """Return `rate`, whose last argument is an update's index, with a check that each rate is finite and >= 0."""

    def checked(*at: object) -> float:
        try:
            found = float(rate(*at))
        except ArithmeticError:
            found = math.nan
        if not 0 <= found < math.inf:
            raise ValueError(f"has the rate {found} at update {at[-1]}; a rate should be finite and 0 or more")
        return found

    return checked
