"""Numbers as people read them: shares in percent, their differences in percentage points, times with their unit."""

from core.metrics import Measure
from core.numerals import plain

_SMALLER = {
    " kWh": ((1.0, " kWh"), (1e-3, " Wh"), (1e-6, " mWh")),
    " g": ((1.0, " g"), (1e-3, " mg"), (1e-6, " µg")),
}


def product(arms: int, seeds: int, runs: int) -> str:
    """Return what a design's runs are of: "2 arms x 5 seeds = 10 runs", "6 runs of 2 arms and 5 seeds"."""
    told = [f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in ((arms, "arm"), (seeds, "seed"), (runs, "run"))]
    if runs == arms * seeds:
        return f"{told[0]} x {told[1]} = {told[2]}"
    return f"{told[2]} of {told[0]} and {told[1]}"


def number(measure: Measure, value: float | None) -> str:
    """Return a value of the measure with its unit, "-" where there is none."""
    if value is None:
        return "-"
    if measure.share:
        return f"{100 * value:.2f} %"
    size, unit = _fitting(measure, value)
    return f"{plain(value / size)}{'' if measure.counts else unit}"


def difference(measure: Measure, value: float | None, signed: bool = False) -> str:
    """Return a difference of two values of the measure with its unit, "-" where there is none."""
    if value is None:
        return "-"
    if measure.share:
        return f"{100 * value:{'+' if signed else ''}z.2f} percentage points"
    size, unit = _fitting(measure, value)
    return f"{plain(value / size, signed)}{unit}"


def spread(measure: Measure, low: float | None, high: float | None) -> str:
    """Return the interval of a difference or a spread, the unit once; "-" where there is none."""
    if low is None or high is None:
        return "-"
    first = f"{100 * low:z.2f}" if measure.share else difference(measure, low)
    return f"{first} to {difference(measure, high)}"


def span(measure: Measure, low: float | None, high: float | None, signed: bool = False) -> str:
    """Return an interval, the unit once; empty where there is none."""
    if low is None or high is None:
        return ""
    if measure.share:
        sign = "+" if signed else ""
        return f"{100 * low:{sign}z.2f} to {100 * high:{sign}z.2f}{'' if signed else ' %'}"
    size, unit = _fitting(measure, max(abs(low), abs(high)))
    shown = unit if size != 1 or not (signed or measure.counts) else ""
    return f"{plain(low / size, signed)} to {plain(high / size, signed)}{shown}"


def p_value(p: float | None, words: str = "") -> str:
    """Return a p value in a sentence: "= 0.012", "< 0.001"; `words` stand before an exact one."""
    if p is None:
        return "-"
    return "< 0.001" if p < 0.001 else f"{words or '= '}{p:.3f}"


def _fitting(measure: Measure, value: float) -> tuple[float, str]:
    """Return the size and the name of the unit in which a value can be read, of those that the measure's unit has."""
    units = _SMALLER.get(measure.unit, ((1.0, measure.unit),))
    return next((one for one in units if abs(value) >= one[0]), units[-1] if value else units[0])
