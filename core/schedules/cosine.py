"""Cosine annealing."""

import math
from typing import Literal

from core.registry import Count, NonNegative
from core.schedules import Curve, Schedule, Span, schedules


@schedules.register(
    formula="eta_min + (B - eta_min)·(1 + cos(pi·t / T_max)) / 2",
    source="Loshchilov & Hutter 2017, arXiv:1608.03983",
    aliases=["cosine_annealing"],
)
def cosine(
    *, T_max: Count | None = None, eta_min: NonNegative = 0.0, beyond: Literal["hold", "periodic"] = "hold"
) -> Schedule:
    """From B down to `eta_min` at t = `T_max` (the run's length where it is left out).

    Past `T_max` it holds `eta_min`, as Keras, optax and timm do, or climbs back (`beyond="periodic"`), as torch and
    Paddle do.
    """

    def bind(base: float, span: Span) -> Curve:
        period = T_max or max(1, span.length)

        def rate(t: int) -> float:
            u = min(t, period) if beyond == "hold" else t % (2 * period)
            return eta_min + (base - eta_min) * (1 + math.cos(math.pi * u / period)) / 2

        return rate

    return bind
