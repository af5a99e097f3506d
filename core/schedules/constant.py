"""A rate that does not change, and one that is ramped up to."""

from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._bounds import Start
from core.schedules._lengths import StepsFromZero
from core.schedules._peers import OF_THE_OPTIMIZER, WARMED, peers


@schedules.register(
    formula="B",
    source="Robbins & Monro 1951, doi:10.1214/aoms/1177729586, is the usual contrast",
    aliases=["get_constant_schedule", *peers("constant_schedule", refuses={"value": OF_THE_OPTIMIZER})],  # optax
)
def constant() -> Schedule:
    """The optimizer's rate throughout."""

    def bind(base: float, _span: Span) -> Curve:
        return lambda _t: base

    return bind


@schedules.register(
    formula="t < w: start_lr + (B - start_lr)·t / w;  t >= w: B",
    source="Goyal et al. 2017, arXiv:1706.02677; transformers.get_constant_schedule_with_warmup",
    aliases=[
        *("constant_with_warmup", "warmup_constant", "get_constant_schedule_with_warmup"),
        *peers("warmup_constant_schedule", **WARMED),  # optax
    ],
)
def constant_warmup(*, warmup_steps: StepsFromZero, start_lr: Start = 0.0) -> Schedule:
    """A ramp from `start_lr` to B over w = `warmup_steps` units, then B; w = 0 is B from the first update."""

    def bind(base: float, span: Span) -> Curve:
        warmup = span.units(warmup_steps)
        return lambda t: start_lr + (base - start_lr) * t / warmup if t < warmup else base

    return bind
