"""Decay along a hyperbolic tangent."""

import math

from core.registry import Real
from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._bounds import Floor
from core.schedules._lengths import Steps


@schedules.register(
    formula="eta_min + (B - eta_min)·(1 - tanh(lb·(1 - u) + ub·u)) / 2, u = t / T_max;  t >= T_max: eta_min",
    source="Hsueh et al. 2018, arXiv:1806.01593; timm.scheduler.TanhLRScheduler",
    aliases=["hyperbolic_tangent", "tanh_decay"],
)
def tanh(*, T_max: Steps | None = None, lb: Real = -7.0, ub: Real = 3.0, eta_min: Floor = 0.0) -> Schedule:
    """Decays from near B to near `eta_min` at t = `T_max` (the run's length where it is left out), then `eta_min`.

    `lb` and `ub` are the ends of the tangent that is run through: the lower `lb`, the longer B is held.
    """
    if lb >= ub:
        raise ValueError(f"lb should be less than ub, got {lb} and {ub}")

    def bind(base: float, span: Span) -> Curve:
        total = span.units(T_max)

        def rate(t: float) -> float:
            u = t / total
            return eta_min if t >= total else eta_min + (base - eta_min) * (1 - math.tanh(lb * (1 - u) + ub * u)) / 2

        return rate

    return bind
