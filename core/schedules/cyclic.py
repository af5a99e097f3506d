"""Cyclical rates."""

from collections.abc import Callable
from typing import Literal

from core.registry import Positive
from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._bounds import Ceiling
from core.schedules._lengths import Steps
from core.schedules._peers import MOMENTUM, peers

_HEIGHTS: dict[str, Callable[[float, float, float], float]] = {
    "triangular": lambda _cycle, _t, _gamma: 1.0,
    "triangular2": lambda cycle, _t, _gamma: 0.5**cycle,
    "exp_range": lambda _cycle, t, gamma: float(gamma**t),
}


@schedules.register(
    formula="B + (max_lr - B)·tri·k, c, r = divmod(t, up + down), tri = r / up if r <= up else (up + down - r) / down, "
    "k = 1 | 2^-c | gamma^t by mode",
    source="Smith 2017, arXiv:1506.01186; torch.optim.lr_scheduler.CyclicLR",
    aliases=[
        "clr",
        *peers(
            *("CyclicLR", "cyclic_lr"),  # torch, Paddle
            renames={"max_learning_rate": "max_lr", "exp_gamma": "gamma"},
            refuses={
                "scale_fn": "choose a mode, or give a lambda",
                "scale_mode": "choose a mode, or give a lambda",
                **dict.fromkeys(("cycle_momentum", "base_momentum", "max_momentum"), MOMENTUM),
            },
        ),
    ],
)
def cyclic(
    *,
    max_lr: Ceiling,
    step_size_up: Steps = 2000,
    step_size_down: Steps | None = None,
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
    gamma: Positive = 1.0,
) -> Schedule:
    """Rises from B to `max_lr` in up = `step_size_up` units and falls back in down = `step_size_down` (up), repeatedly.

    `triangular2` halves the height at every cycle, `exp_range` multiplies it by `gamma` at every unit.
    """

    def bind(base: float, span: Span) -> Curve:
        up, down = span.units(step_size_up), span.units(step_size_down or step_size_up)

        def rate(t: float) -> float:
            cycle, r = divmod(t, up + down)
            part = r / up if r <= up else (up + down - r) / down
            return base + (max_lr - base) * part * _HEIGHTS[mode](cycle, t, gamma)

        return rate

    return bind
