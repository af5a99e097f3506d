"""REX: a decay that starts slowly and ends fast."""

from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._bounds import Floor
from core.schedules._lengths import Steps


@schedules.register(
    formula="min_lr + (B - min_lr)·(1 - u) / (1 - u / 2), u = min(1, t / T)",
    source="Chen, Wolfe & Kyrillidis 2021, arXiv:2107.04197",
)
def rex(*, total_steps: Steps | None = None, min_lr: Floor = 0.0) -> Schedule:
    """Decays from B to `min_lr` at t = T = `total_steps` (the run's length where left out), above the straight line."""

    def bind(base: float, span: Span) -> Curve:
        total = span.units(total_steps)

        def rate(t: float) -> float:
            u = min(t, total) / total
            return min_lr + (base - min_lr) * (1 - u) / (1 - u / 2)

        return rate

    return bind
