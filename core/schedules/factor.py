"""The base rate times a factor for a while."""

from core.registry import NonNegative
from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._lengths import StepsFromZero
from core.schedules._peers import torchs


@schedules.register(
    formula="B·(f0 + (f1 - f0)·min(t, T) / T)",
    source="torch.optim.lr_scheduler.LinearLR; paddle.optimizer.lr.LinearLR",
    aliases=torchs("LinearLR", "linear_lr", renames={"total_iters": "total_steps"}),
)
def linear_factor(
    *, start_factor: NonNegative = 1 / 3, end_factor: NonNegative = 1.0, total_steps: StepsFromZero = 5
) -> Schedule:
    """B times a factor that moves from f0 = `start_factor` to f1 = `end_factor` over T = `total_steps` units.

    T = 0 is the end factor at once, where torch would stay at the start factor for ever.
    """

    def bind(base: float, span: Span) -> Curve:
        total = span.units(total_steps)

        def rate(t: float) -> float:
            u = min(t, total) / total if total else 1.0
            return base * (start_factor + (end_factor - start_factor) * u)

        return rate

    return bind


@schedules.register(
    formula="B·factor while t < T, then B",
    source="torch.optim.lr_scheduler.ConstantLR",
    aliases=torchs("ConstantLR", "constant_lr", renames={"total_iters": "total_steps"}),
)
def constant_factor(*, factor: NonNegative = 1 / 3, total_steps: StepsFromZero = 5) -> Schedule:
    """B times `factor` for T = `total_steps` units, then B."""

    def bind(base: float, span: Span) -> Curve:
        total = span.units(total_steps)
        return lambda t: base * factor if t < total else base

    return bind
