"""Linear warm-up in front of any other schedule."""

from dataclasses import replace
from typing import Any

from core.registry import NonNegative
from core.schedules import Curve, Reactive, Schedule, ScheduleEntry, Span, State, schedules
from core.schedules._bounds import Start
from core.schedules._lengths import StepsFromZero
from core.schedules._peers import peers


def _constant(rate: Any) -> Any:
    return {"name": "constant", "lr": rate} if type(rate) in (int, float) else rate


@schedules.register(
    formula="t < w: start_lr + (end_lr - start_lr)·t / w;  t >= w: after(t - w)",
    source="Goyal et al. 2017, arXiv:1706.02677",
    aliases=[
        "warmup",
        *peers(
            *("LinearWarmup", "linear_lr_warmup"),  # Paddle
            renames={"learning_rate": "after"},
            converts={"learning_rate": _constant},
        ),
    ],
)
def linear_warmup(
    *,
    warmup_steps: StepsFromZero,
    start_lr: Start = 0.0,
    end_lr: NonNegative | None = None,
    after: ScheduleEntry = "constant",
) -> Schedule:
    """A ramp from `start_lr` towards `end_lr` (B where it is left out) over w = `warmup_steps` units, then `after`.

    The ramp never emits `end_lr`: at t = w the rate is `after(0)`. `after` starts from B at its own t = 0 and keeps its
    own unit, but a warm-up in epochs holds every rate during the epoch, unless it moves `per` update. A length that
    `after` leaves out is what the run has left, and of that a share is taken. w = 0 is `after` alone. Where `after`
    answers to a metric, what is reported before t = w is not passed on.
    """

    def bind(base: float, span: Span) -> Curve | Reactive:
        end = base if end_lr is None else end_lr

        warmup = span.units(warmup_steps)

        def ramp(t: float) -> float:
            return start_lr + (end - start_lr) * t / warmup

        rest = span.part(after, base, start=warmup)
        if isinstance(rest, Reactive):
            return _delayed(rest, ramp, warmup)
        return lambda t: ramp(t) if t < warmup else rest(t)

    return bind


def _delayed(rest: Reactive, ramp: Curve, start: float) -> Reactive:
    def rate(state: State, t: float) -> float:
        return ramp(t) if t < start else rest.rate(state, t)

    def react(state: State, t: float, value: float) -> State:
        return state if t < start else rest.react(state, t, value)

    return replace(rest, rate=rate, react=react)
