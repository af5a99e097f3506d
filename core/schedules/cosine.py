"""Cosine annealing, with and without a warm-up."""

import math
from typing import Literal

from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._bounds import Floor, Start
from core.schedules._lengths import Steps, StepsFromZero, at_least_the_warm_up
from core.schedules._peers import OF_THE_LR, WARMED, peers, torchs

SOURCE = "Loshchilov & Hutter 2017, arXiv:1608.03983"
_WARMED = "a warm-up is a schedule of its own: linear_warmup, or cosine_warmup whose total_steps count it"
Beyond = Literal["hold", "periodic"]


def half_wave(u: float) -> float:
    """Return the half cosine: 1 at u = 0, 0 at u = 1, and back to 1 at u = 2."""
    return (1 + math.cos(math.pi * u)) / 2


def _within(t: float, period: float, beyond: Beyond) -> float:
    return (min(t, period) if beyond == "hold" else t % (2 * period)) / period


@schedules.register(
    formula="eta_min + (B - eta_min)·(1 + cos(pi·t / T_max)) / 2",
    source=SOURCE,
    aliases=[
        "cosine_annealing",
        *torchs("CosineAnnealingLR", "cosine_annealing_lr", defaults={"beyond": "periodic"}),
        *peers("CosineAnnealingDecay", "cosine_annealing_decay", defaults={"beyond": "periodic"}),  # Paddle
        *peers(
            *("CosineDecay", "cosine_decay", "cosine_decay_schedule"),  # Keras, optax
            renames={"decay_steps": "T_max"},
            refuses={"alpha": OF_THE_LR, "warmup_steps": _WARMED, "warmup_target": _WARMED},
        ),
    ],
)
def cosine(*, T_max: Steps | None = None, eta_min: Floor = 0.0, beyond: Beyond = "hold") -> Schedule:
    """Decays from B to `eta_min` at t = `T_max` (the run's length where it is left out).

    Past `T_max` it holds `eta_min`, as Keras, optax and timm do, or climbs back (`beyond="periodic"`), as torch and
    Paddle do.
    """

    def bind(base: float, span: Span) -> Curve:
        period = span.units(T_max)
        return lambda t: eta_min + (base - eta_min) * half_wave(_within(t, period, beyond))

    return bind


@schedules.register(
    formula="t < w: start_lr + (B - start_lr)·t / w;  t >= w: eta_min + (B - eta_min)·(1 + cos(pi·u)) / 2, "
    "u = (t - w) / max(1, T - w)",
    source=f"{SOURCE}; transformers.get_cosine_schedule_with_warmup; optax.warmup_cosine_decay_schedule",
    aliases=[
        *("warmup_cosine", "warmup_cosine_decay", "cosine_with_warmup"),
        *peers("get_cosine_schedule_with_warmup", defaults={"beyond": "periodic"}),  # transformers
        *peers(  # optax
            "warmup_cosine_decay_schedule",
            renames={**WARMED["renames"], "decay_steps": "total_steps", "end_value": "eta_min"},
            refuses=WARMED["refuses"],
        ),
    ],
)
def cosine_warmup(
    *,
    warmup_steps: StepsFromZero,
    total_steps: Steps | None = None,
    eta_min: Floor = 0.0,
    start_lr: Start = 0.0,
    beyond: Beyond = "hold",
) -> Schedule:
    """A ramp from `start_lr` to B over w = `warmup_steps`, then a half cosine to `eta_min` at t = T = `total_steps`.

    T counts the warm-up, as in optax and unlike Keras, and is the run's length where it is left out. Past T it holds
    `eta_min`, or climbs back (`beyond="periodic"`), as transformers does.
    """
    at_least_the_warm_up(total_steps, warmup_steps)

    def bind(base: float, span: Span) -> Curve:
        warmup = span.units(warmup_steps)
        period = max(span.tick, span.units(total_steps) - warmup)

        def rate(t: float) -> float:
            if t < warmup:
                return start_lr + (base - start_lr) * t / warmup
            return eta_min + (base - eta_min) * half_wave(_within(t - warmup, period, beyond))

        return rate

    return bind
