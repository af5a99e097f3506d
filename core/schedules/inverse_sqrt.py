"""Decay by the inverse square root of time, after a warm-up."""

import math

from core.registry import Count, CountFromZero, Positive
from core.schedules import Curve, Schedule, Span, schedules


@schedules.register(
    formula="B·d^-0.5·min(t^-0.5, t·w^-1.5), 0 at t = 0;  w = 0: B·d^-0.5·max(t, 1)^-0.5",
    source="Vaswani et al. 2017, arXiv:1706.03762; paddle.optimizer.lr.NoamDecay",
    aliases=["noam_decay"],
)
def noam(*, d_model: Count, warmup_steps: CountFromZero) -> Schedule:
    """Up to B / sqrt(d·w) at t = w = `warmup_steps`, then down as 1 / sqrt(t); d = `d_model`.

    B is a factor: the paper has B = 1, so give the optimizer that `lr`. The paper counts updates from 1, this and
    Paddle from 0: the first update has the rate 0.
    """

    def bind(base: float, _span: Span) -> Curve:
        def rate(t: int) -> float:
            if t < warmup_steps:
                return base / math.sqrt(d_model * warmup_steps) * t / warmup_steps
            return base / math.sqrt(d_model * max(t, 1))

        return rate

    return bind


@schedules.register(
    formula="t < w: B·t / w;  t >= w: B·sqrt(s / (t + s - w)), s = timescale",
    source="Zhai et al. 2022, arXiv:2106.04560; transformers.get_inverse_sqrt_schedule",
    aliases=["inverse_square_root", "inverse_sqrt_with_warmup", "rsqrt"],
)
def inverse_sqrt(*, warmup_steps: CountFromZero, timescale: Positive | None = None) -> Schedule:
    """Straight up to B at t = w = `warmup_steps`, then down to half of B where t - w is three times the timescale.

    A `timescale` that is left out is w, or 10,000 without a warm-up.
    """
    scale = timescale or warmup_steps or 10_000

    def bind(base: float, _span: Span) -> Curve:
        def rate(t: int) -> float:
            return base * t / warmup_steps if t < warmup_steps else base * math.sqrt(scale / (t + scale - warmup_steps))

        return rate

    return bind
