"""Exponential decay."""

import math

from core.registry import Positive
from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._bounds import Floor
from core.schedules._lengths import Steps
from core.schedules._peers import BEGUN, peers, torchs


@schedules.register(
    formula="max(B·gamma^u, end_lr), u = t / decay_steps, or t // decay_steps with staircase",
    source="torch.optim.lr_scheduler.ExponentialLR; optax.exponential_decay",
    aliases=[
        *torchs("ExponentialLR", "exponential_lr"),
        *peers(
            *("ExponentialDecay", "exponential_decay"),  # Paddle, Keras, optax
            renames={"decay_rate": "gamma", "transition_steps": "decay_steps", "end_value": "end_lr"},
            refuses={"transition_begin": BEGUN},
        ),
    ],
)
def exponential(
    *, gamma: Positive, decay_steps: Steps = 1, staircase: bool = False, end_lr: Floor | None = None
) -> Schedule:
    """The rate times `gamma` over every `decay_steps`, smoothly or in stairs, never below `end_lr`."""
    floor = end_lr or 0.0

    def bind(base: float, span: Span) -> Curve:
        length = span.units(decay_steps)

        def rate(t: float) -> float:
            u = t // length if staircase else t / length
            return max(float(base * gamma**u), floor)

        return rate

    return bind


@schedules.register(
    formula="B·exp(-gamma·t)",
    source="paddle.optimizer.lr.NaturalExpDecay",
    aliases=["natural_exponential", *peers("NaturalExpDecay", "natural_exp_decay")],
)
def natural_exp(*, gamma: Positive) -> Schedule:
    """The rate divided by e over every 1 / `gamma` units: exponential decay by exp(-`gamma`) a unit."""

    def bind(base: float, _span: Span) -> Curve:
        return lambda t: base * math.exp(-gamma * t)

    return bind
