"""Polynomial and linear decay to an end."""

from core.registry import Alias, Positive
from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._bounds import Floor
from core.schedules._lengths import Steps, StepsFromZero, at_least_the_warm_up
from core.schedules._peers import BEGUN, peers, torchs


@schedules.register(
    formula="(B - end_lr)·(1 - min(t, D) / D)^power + end_lr;  cycle: (1 - t / (D·k))^power, k = max(1, ceil(t / D))",
    source="paddle.optimizer.lr.PolynomialDecay; keras.optimizers.schedules.PolynomialDecay",
    aliases=[
        Alias("poly", defaults={"end_lr": 0.0}),
        *torchs(
            *("PolynomialLR", "polynomial_lr"),
            defaults={"end_lr": 0.0, "decay_steps": 5},
            renames={"total_iters": "decay_steps"},
        ),
        *peers("PolynomialDecay", "polynomial_decay", renames={"end_learning_rate": "end_lr"}),  # Paddle, Keras
        *peers(
            *("polynomial_schedule", "linear_schedule"),  # optax
            defaults={"end_lr": 0.0},
            renames={"transition_steps": "decay_steps", "end_value": "end_lr"},
            refuses={"transition_begin": BEGUN},
        ),
    ],
)
def polynomial(
    *, decay_steps: Steps | None = None, end_lr: Floor = 1e-4, power: Positive = 1.0, cycle: bool = False
) -> Schedule:
    """Decays from B to `end_lr` over D = `decay_steps` (the run's length where it is left out), then `end_lr`.

    The default end is Keras' and Paddle's; under torch's name, and under that of segmentation, `poly`, the end is 0.
    With `cycle` it reaches `end_lr` at every multiple of D and rises again, after the k-th to about 1 / (k + 1) of B:
    never back to B.
    """

    def bind(base: float, span: Span) -> Curve:
        length = span.units(decay_steps)

        def rate(t: float) -> float:
            u = t / (length * max(1, -(-t // length))) if cycle else min(t, length) / length
            return float((base - end_lr) * (1 - u) ** power + end_lr)

        return rate

    return bind


@schedules.register(
    formula="t < w: B·t / w;  t >= w: end_lr + (B - end_lr)·max(0, (T - t) / (T - w))",
    source="Li, Yumer & Ramanan 2020, arXiv:1905.04753; transformers.get_linear_schedule_with_warmup",
    aliases=["linear", "linear_with_warmup", "budgeted_linear", "get_linear_schedule_with_warmup"],
)
def linear_decay(*, total_steps: Steps | None = None, warmup_steps: StepsFromZero = 0, end_lr: Floor = 0.0) -> Schedule:
    """Falls linearly from B to `end_lr` at t = T = `total_steps` (the run's length where left out), then `end_lr`.

    A ramp from 0 to B over w = `warmup_steps` comes first where it is asked for; T counts it.
    """
    at_least_the_warm_up(total_steps, warmup_steps)

    def bind(base: float, span: Span) -> Curve:
        total, warmup = span.units(total_steps), span.units(warmup_steps)

        def rate(t: float) -> float:
            if t < warmup:
                return base * t / warmup
            return end_lr if t >= total else end_lr + (base - end_lr) * (total - t) / (total - warmup)

        return rate

    return bind
