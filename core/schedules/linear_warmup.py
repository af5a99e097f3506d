"""Linear warm-up in front of any other schedule."""

from core.registry import CountFromZero, NonNegative
from core.schedules import Curve, Schedule, ScheduleEntry, Span, bind, schedules


@schedules.register(
    formula="t < w: start_lr + (end_lr - start_lr)·t / w;  t >= w: after(t - w)",
    source="Goyal et al. 2017, arXiv:1706.02677",
)
def linear_warmup(
    *,
    warmup_steps: CountFromZero,
    start_lr: NonNegative = 0.0,
    end_lr: NonNegative | None = None,
    after: ScheduleEntry = "constant",
) -> Schedule:
    """A ramp from `start_lr` towards `end_lr` (B where it is left out) over w = `warmup_steps` units, then `after`.

    The ramp never emits `end_lr`: at t = w the rate is `after(0)`. `after` starts from B at its own t = 0 and keeps its
    own unit, but a warm-up in epochs holds every rate during the epoch. A length that `after` leaves out is what
    the run has left. w = 0 is `after` alone.
    """

    def make(base: float, span: Span) -> Curve:
        left = max(0, span.length - warmup_steps) * span.steps_per_unit
        rest = bind(after, base, left, span.steps_per_epoch)
        end = base if end_lr is None else end_lr

        def rate(t: int) -> float:
            if t < warmup_steps:
                return start_lr + (end - start_lr) * t / warmup_steps
            return rest((t - warmup_steps) * span.steps_per_unit)

        return rate

    return make
