"""Decay by the inverse square root of time, after a warm-up."""

import math

from core.registry import Count, Positive
from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._lengths import StepsFromZero
from core.schedules._peers import peers


@schedules.register(
    formula="B·d^-0.5·min(t^-0.5, t·w^-1.5), 0 at t = 0;  w = 0: B·d^-0.5·max(t, 1)^-0.5",
    source="Vaswani et al. 2017, arXiv:1706.03762; paddle.optimizer.lr.NoamDecay",
    aliases=peers("NoamDecay", "noam_decay"),
)
def noam(*, d_model: Count, warmup_steps: StepsFromZero) -> Schedule:
    """Up to B / sqrt(d·w) at t = w = `warmup_steps`, then down as 1 / sqrt(t); d = `d_model`.

    B is a factor: the paper has B = 1, so give the optimizer that `lr`. The paper counts updates from 1, this and
    Paddle from 0: the first update has the rate 0.
    """

    def bind(base: float, span: Span) -> Curve:
        warmup = span.units(warmup_steps)

        def rate(t: float) -> float:
            if t < warmup:
                return base / math.sqrt(d_model * warmup) * t / warmup
            return base / math.sqrt(d_model * max(t, 1))

        return rate

    return bind


@schedules.register(
    formula="t < w: B·t / w;  t >= w: B·sqrt(s / (t + s - w)), s = timescale",
    source="Zhai et al. 2022, arXiv:2106.04560; transformers.get_inverse_sqrt_schedule",
    aliases=["inverse_square_root", "inverse_sqrt_with_warmup", "rsqrt", "get_inverse_sqrt_schedule"],
)
def inverse_sqrt(*, warmup_steps: StepsFromZero, timescale: Positive | None = None) -> Schedule:
    """Straight up to B at t = w = `warmup_steps`, then down to half of B where t - w is three times the timescale.

    A `timescale` that is left out is w, or 10,000 without a warm-up.
    """

    def bind(base: float, span: Span) -> Curve:
        warmup = span.units(warmup_steps)
        scale = timescale or warmup or 10_000

        def rate(t: float) -> float:
            return base * t / warmup if t < warmup else base * math.sqrt(scale / (t + scale - warmup))

        return rate

    return bind
