"""Decay by the inverse of time."""

from core.registry import NonNegative
from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._lengths import Steps
from core.schedules._peers import peers


@schedules.register(
    formula="B / (1 + gamma·u), u = t / decay_steps, or t // decay_steps with staircase",
    source="Robbins & Monro 1951, doi:10.1214/aoms/1177729586; keras.optimizers.schedules.InverseTimeDecay",
    aliases=peers("InverseTimeDecay", "inverse_time_decay", renames={"decay_rate": "gamma"}),
)
def inverse_time(*, gamma: NonNegative, decay_steps: Steps = 1, staircase: bool = False) -> Schedule:
    """Half of B after `decay_steps` / `gamma` units, a third after twice as many; `gamma` may be above 1."""

    def bind(base: float, span: Span) -> Curve:
        length = span.units(decay_steps)
        return lambda t: base / (1 + gamma * (t // length if staircase else t / length))

    return bind
