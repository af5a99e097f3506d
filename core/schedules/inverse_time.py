"""Decay by the inverse of time."""

from core.registry import Count, NonNegative
from core.schedules import Curve, Schedule, Span, schedules


@schedules.register(
    formula="B / (1 + gamma·u), u = t / decay_steps, or t // decay_steps with staircase",
    source="Robbins & Monro 1951, doi:10.1214/aoms/1177729586; keras.optimizers.schedules.InverseTimeDecay",
    aliases=["inverse_time_decay"],
)
def inverse_time(*, gamma: NonNegative, decay_steps: Count = 1, staircase: bool = False) -> Schedule:
    """Half of B after `decay_steps` / `gamma` units, a third after twice as many; `gamma` may be above 1."""

    def bind(base: float, _span: Span) -> Curve:
        return lambda t: base / (1 + gamma * (t // decay_steps if staircase else t / decay_steps))

    return bind
