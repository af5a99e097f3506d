"""Cosine annealing with warm restarts."""

from typing import Annotated

from pydantic import PlainValidator

from core.registry import Count
from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._bounds import Floor, Shrink
from core.schedules._lengths import LONGEST, Steps
from core.schedules._peers import OF_THE_LR, peers, torchs
from core.schedules.cosine import half_wave


def _whole(growth: object) -> int:
    if type(growth) is int and 1 <= growth <= LONGEST:
        return growth
    raise ValueError(
        "should be a whole number of 1 or more: cycles keep their length or grow. For others list them as the parts of "
        "sequential, cosine schedules each with its T_max, or with none, where its milestones say it"
    )


Growth = Annotated[int, PlainValidator(_whole, json_schema_input_type=Count)]


@schedules.register(
    formula="eta_min + (B·m_mul^i - eta_min)·(1 + cos(pi·r / T_i)) / 2, T_i = T_0·T_mult^i, r = t - (T_0 + ... + "
    "T_(i-1)) in cycle i",
    source="Loshchilov & Hutter 2017, arXiv:1608.03983 (SGDR)",
    aliases=[
        "sgdr",
        *torchs("CosineAnnealingWarmRestarts", "cosine_annealing_warm_restarts"),
        *peers(
            *("CosineDecayRestarts", "cosine_decay_restarts"),  # Keras
            defaults={"T_mult": 2},
            renames={"first_decay_steps": "T_0", "t_mul": "T_mult"},
            converts={"t_mul": lambda t: int(t) if isinstance(t, float) and t.is_integer() else t},
            refuses={"alpha": OF_THE_LR},
        ),
    ],
)
def cosine_restarts(*, T_0: Steps, T_mult: Growth = 1, eta_min: Floor = 0.0, m_mul: Shrink = 1.0) -> Schedule:
    """Half cosines from the peak towards `eta_min`: the first of `T_0` units, each `T_mult` times as long as the last.

    The peak, B at first, is multiplied by `m_mul` at every restart. It stands exactly at the restart; `eta_min` itself
    is never reached.
    """

    def bind(base: float, span: Span) -> Curve:
        first = span.units(T_0)

        def rate(t: float) -> float:
            i, r, period = _cycle(t, first, T_mult)
            return float(eta_min + (base * m_mul**i - eta_min) * half_wave(r / period))

        return rate

    return bind


def _cycle(t: float, first: float, growth: int) -> tuple[int, float, float]:
    """Return (index of t's cycle, t within it, its length) by integer arithmetic, since a logarithm rounds."""
    if growth == 1:
        return int(t // first), t % first, first
    i, period = 0, first
    while t >= period:
        i, t, period = i + 1, t - period, period * growth
    return i, t, period
