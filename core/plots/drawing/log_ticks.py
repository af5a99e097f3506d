"""Numbers at a logarithmic axis: powers of ten, or where it has few of them, what lies between."""

import math

from matplotlib.ticker import MaxNLocator

FEWEST = 3
"""An axis with fewer numbers does not tell how far apart two points are."""
MOST_EVEN = 5
"""Most numbers that differ in their last digits only, and are long."""
_WITHIN = ((1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
"""Factors of a power of ten, from the coarsest steps to the finest."""


def log_ticks(low: float, high: float, most: int) -> tuple[list[float], bool]:
    """Return the numbers between two positive ends, `FEWEST` to about `most`, and whether their steps are equal.

    Powers of ten where there are enough of them, all or every second, third, ...; else 1, 2 and 5 times a power, or
    where that is too many 1 and 3 times; and within a part of a decade what a linear axis would have.
    """
    bottom, top = math.floor(math.log10(low)), math.ceil(math.log10(high))
    powers = range(bottom, top + 1)
    stride = max(1, math.ceil((len(powers) - 2) / most))
    found = [_inside([(1.0, power) for power in powers if power % stride == 0], low, high)]
    found += [_inside([(factor, power) for power in powers for factor in factors], low, high) for factors in _WITHIN]
    enough = [one for one in found if len(one) >= FEWEST]
    if not enough:
        return [
            float(v)
            for v in MaxNLocator(min(most, MOST_EVEN), min_n_ticks=1).tick_values(low, high)
            if low <= v <= high
        ], True
    if enough[0] is found[1] and len(found[2]) <= most:
        return found[2], False
    return enough[0], False


def symlog_ticks(low: float, high: float, within: float, most: int) -> list[float]:
    """Return the numbers of an axis that is linear up to ±`within` and logarithmic beyond: 0 and powers of ten.

    None is nearer to the one before it than a part of `most` of the axis: where one side is short, it has few.
    """
    far = max(abs(low), abs(high))
    gap = (_symlog(high, within) - _symlog(low, within)) / most
    chosen, at = [0.0], 0.0
    for power in range(round(math.log10(within)), math.floor(math.log10(far) + 1e-9) + 1):
        value = float(f"1e{power}")
        if _symlog(value, within) - at >= gap:
            chosen, at = [-value, *chosen, value], _symlog(value, within)
    return [v for v in chosen if low <= v <= high]


def _symlog(value: float, within: float) -> float:
    """Return where a value lies, in decades, as matplotlib places it: the linear part is 10/9 of a decade high."""
    size = abs(value) / within
    return math.copysign(10 / 9 + math.log10(size) if size > 1 else 10 / 9 * size, value)


def _inside(parts: list[tuple[float, int]], low: float, high: float) -> list[float]:
    values = [float(f"{factor}e{power}") for factor, power in parts]
    slack = 1 + 1e-9
    return [v for v in values if low / slack <= v <= high * slack]
