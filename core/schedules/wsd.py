"""Warm-up, stable, decay."""

import math
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._lengths import StepsFromZero
from core.schedules.cosine import half_wave

_SHAPES: dict[str, Callable[[float], float]] = {
    "linear": lambda u: 1 - u,
    "cosine": half_wave,
    "1-sqrt": lambda u: 1 - math.sqrt(u),
}


@schedules.register(
    formula="t < w: B·t / w;  t < w + S: B;  then B·(m + (1 - m)·f(u)), u = min(1, (t - w - S) / D), "
    "f = 1 - u | (1 + cos(pi·u)) / 2 | 1 - sqrt(u)",
    source="Hu et al. 2024, arXiv:2404.06395; 1-sqrt: Hägele et al. 2024, arXiv:2405.18392",
    aliases=["warmup_stable_decay", "trapezoidal"],
)
def wsd(
    *,
    warmup_steps: StepsFromZero,
    stable_steps: StepsFromZero | None = None,
    decay_steps: StepsFromZero | None = None,
    min_ratio: Annotated[float, Field(ge=0, le=1)] = 0.0,
    decay_type: Literal["linear", "cosine", "1-sqrt"] = "1-sqrt",
) -> Schedule:
    """A ramp from 0 to B over w = `warmup_steps`, B for S = `stable_steps`, then down to m = `min_ratio` of B over D.

    Of S and D = `decay_steps` one may be left out: it is what the run has left.
    """
    if stable_steps is None and decay_steps is None:
        raise ValueError("give stable_steps or decay_steps: only one of them can be what the run has left")

    def bind(base: float, span: Span) -> Curve:
        warmup, stable, decay = (span.units(n or 0) for n in (warmup_steps, stable_steps, decay_steps))
        left = max(0, span.length - warmup - stable - decay)
        stable = left if stable_steps is None else stable
        decay = left if decay_steps is None else decay
        decays_from = warmup + stable

        def rate(t: float) -> float:
            if t < warmup:
                return base * t / warmup
            if t < decays_from:
                return base
            u = (t - decays_from) / decay if t < decays_from + decay else 1.0
            return base * (min_ratio + (1 - min_ratio) * _SHAPES[decay_type](u))

        return rate

    return bind
