"""Numbers as people write them."""

from math import isfinite, isnan

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def plain(value: float, signed: bool = False, digits: int = 4) -> str:
    """Return a number of so many digits as people write it: 12,345 and 4.6·10⁻⁷, not 1.234e+04 and 4.6e-07."""
    sign = "+" if signed else ""
    if isnan(value):
        return "no number"
    if not isfinite(value):
        return f"{'-' if value < 0 else sign}∞"
    if value and not 1e-4 <= abs(value) < 1e9:
        mantissa, exponent = f"{value:{sign}.{digits - 1}e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        scale = power(int(exponent))
        return f"{mantissa[:-1]}{scale}" if mantissa.lstrip("+-") == "1" else f"{mantissa}·{scale}"
    return f"{value:{sign},.0f}" if abs(value) >= 10.0**digits else f"{value:{sign}.{digits}g}"


def power(exponent: int) -> str:
    """Return a power of ten: 10⁻⁷."""
    return f"10{str(exponent).translate(_RAISED)}"
