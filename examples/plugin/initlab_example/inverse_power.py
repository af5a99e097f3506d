"""A schedule: a rate that falls as a power of the time."""

from core.registry import Positive
from core.schedules import Curve, Schedule, Span, schedules


@schedules.register(
    formula="B · (1 + t / knee) ^ -power",
    source="Robbins & Monro 1951, doi:10.1214/aoms/1177729586: powers in (1/2, 1] let SGD converge",
    example={"knee": 5.0},
)
def inverse_power(*, knee: Positive, power: Positive = 0.75) -> Schedule:
    """Falls from B as a power of the time, which is counted in units of `knee`."""

    def bind(base: float, _span: Span) -> Curve:
        return lambda t: base * (1 + t / knee) ** -power

    return bind
