"""A mean and its interval in one notation: numbers that are written otherwise do not compare."""

import math

from core.numerals import power

Ends = tuple[float | None, float | None]


def estimate(mean: float, ends: Ends, *, unit: int = 1, decimals: int | None = None, signed: bool = False) -> str:
    """Return "0.31 (0.29 to 0.33)", or without ends the mean alone: all times `unit`, and with so many decimals.

    Without `decimals` the largest has three digits, the interval two at least, and all have one power of ten, or none.
    """
    low, high = ends
    values = [unit * v for v in ([mean] if low is None or high is None else [mean, low, high])]
    exponent = 0
    if decimals is None:
        largest, spread = max(map(abs, values)), max(values) - min(values)
        exponent = 0 if not largest or 1e-3 <= largest < 1e6 else _place(largest)
        needed = [2 - _place(largest) if largest else 0, 1 - _place(spread) if spread > 1e-9 * largest else 0]
        decimals = max(0, *(one + exponent for one in needed))
    sign, behind = "+" if signed else "", f"·{power(exponent)}" if exponent else ""
    first, *others = [f"{value / 10.0**exponent:{sign}z,.{decimals}f}{behind}".replace("-", "−") for value in values]
    return f"{first} ({' to '.join(others)})" if others else first


def _place(value: float) -> int:
    return math.floor(math.log10(value))
