"""Schedules made of others: one after the other, or multiplied."""

from bisect import bisect_right
from typing import Annotated

from pydantic import AfterValidator, Field

from core.registry import Entry
from core.schedules import Curve, Reactive, Schedule, ScheduleEntry, Span, schedules
from core.schedules._curves import own_lr
from core.schedules._lengths import Milestones
from core.schedules._peers import peers, torchs


def _curve(part: Curve | Reactive) -> Curve:
    if isinstance(part, Reactive):
        raise ValueError("answers to a metric, and such a schedule cannot be a part; linear_warmup takes it as `after`")
    return part


def _deaf(entry: Entry) -> Entry:
    """Refuse a part that answers to a metric, however deep."""
    _curve(entry.build()(1.0, Span(steps=1, steps_per_unit=1, steps_per_epoch=1)))
    return entry


Parts = Annotated[list[Annotated[ScheduleEntry, AfterValidator(_deaf)]], Field(min_length=1, max_length=32)]


@schedules.register(
    formula="parts[i](t - milestones[i-1]), i = number of milestones <= t",
    source="torch.optim.lr_scheduler.SequentialLR; optax.join_schedules",
    aliases=[
        "join",
        *torchs("SequentialLR", "sequential_lr", renames={"schedulers": "parts"}),
        *peers("join_schedules", renames={"schedules": "parts", "boundaries": "milestones"}),
    ],
)
def sequential(*, parts: Parts, milestones: Milestones) -> Schedule:
    """One part after the other, from B at its own t = 0; a milestone is the first t of the part that follows it.

    A part keeps its own unit, and its own `lr` is its B. A length that it leaves out is the distance of its milestones;
    of the last part, what the run has left. Of those, too, a share is taken. A milestone at 0 skips the first part.
    """
    if len(parts) != len(milestones) + 1:
        raise ValueError(f"{len(milestones)} milestones need {len(milestones) + 1} parts, got {len(parts)}")

    def bind(base: float, span: Span) -> Curve:
        at = [span.units(one) for one in milestones]
        pieces = zip(parts, [0, *at], [*at, None], strict=True)
        curves = [_curve(span.part(part, base, start, end)) for part, start, end in pieces]
        return lambda t: curves[bisect_right(at, t)](t)

    return bind


@schedules.register(
    formula="B·prod_k(parts[k](t) / B_k), B_k the part's own lr, else B",
    source="torch.optim.lr_scheduler.ChainedScheduler",
    aliases=["product", *peers("ChainedScheduler", "chained_scheduler", renames={"schedulers": "parts"})],
)
def chained(*, parts: Parts) -> Schedule:
    """B times what every part multiplies it with at t: meant for parts that are factors of B.

    A part keeps its own unit, and a length that it leaves out is the run's. The rates of a part with an `lr` of its own
    are divided by that.
    """

    def bind(base: float, span: Span) -> Curve:
        curves = [(_curve(span.part(part, base)), own_lr(part, base)) for part in parts]

        def rate(t: float) -> float:
            product = base
            for curve, own in curves:
                product *= curve(t) / own if own else 0.0
            return product

        return rate

    return bind
