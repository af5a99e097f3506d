"""No schedule."""

from core.schedules import Curve, Schedule, Span, schedules


@schedules.register(formula="B", source="Robbins & Monro 1951, doi:10.1214/aoms/1177729586, is the usual contrast")
def constant() -> Schedule:
    """The optimizer's rate throughout."""

    def bind(base: float, _span: Span) -> Curve:
        return lambda _t: base

    return bind
