"""Numbers as people read them: shares in percent, their differences in percentage points, times with their unit."""

from core.metrics import Measure


def number(measure: Measure, value: float | None) -> str:
    """Return a value of the measure with its unit, "-" where there is none."""
    if value is None:
        return "-"
    return f"{100 * value:.2f} %" if measure.share else f"{value:.4g}{_unit(measure)}"


def difference(measure: Measure, value: float | None, signed: bool = False) -> str:
    """Return a difference of two values of the measure with its unit, "-" where there is none."""
    if value is None:
        return "-"
    sign = "+" if signed else ""
    if measure.share:
        return f"{100 * value:{sign}.2f} percentage points"
    return f"{value:{sign}.4g}{measure.unit}"


def span(measure: Measure, low: float | None, high: float | None, signed: bool = False) -> str:
    """Return an interval, the unit once; empty where there is none."""
    if low is None or high is None:
        return ""
    sign = "+" if signed else ""
    if not measure.share:
        return f"{low:{sign}.4g} to {high:{sign}.4g}{'' if signed else _unit(measure)}"
    return f"{100 * low:{sign}.2f} to {100 * high:{sign}.2f}{'' if signed else ' %'}"


def p_value(p: float | None, words: str = "") -> str:
    """Return a p value in a sentence: "= 0.012", "< 0.001"; `words` stand before an exact one."""
    if p is None:
        return "-"
    return "< 0.001" if p < 0.001 else f"{words or '= '}{p:.3f}"


def _unit(measure: Measure) -> str:
    """Return the unit of a value: the label of a count says it already."""
    return "" if measure.counts else measure.unit
