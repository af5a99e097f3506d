"""Ways out of what is Python, or another language, and no expression here."""

import re

_HINTS: tuple[tuple[str, str], ...] = (
    (r"\blambda\s*([A-Za-z_]*)[^:]{0,40}:", "leave `lambda {0}:` out, the expression alone is the function"),
    (r"\b(return)\b|\b(def)\b", "leave `{0}` out, the expression alone is the function"),
    (r"^\s*([A-Za-z_]+)\s*=(?!=)", "leave `{0} =` out"),
    (r"\b(math|np|numpy|torch|jnp|tf)\.", "leave `{0}.` out, exp, cos and others are known without"),
    (r"\b(and)\b", "use `a if c else b`: for `x and y` write `y if x else 0`, or compare as in `a <= t < b`"),
    (r"\b(or)\b", "use `a if c else b`: for `x or y` write `1 if x else y`"),
    (r"\b(not)\b|(!)(?!=)", "use `a if c else b`: for `not x` write `0 if x else 1`"),
    (r"(&&?)", "use `a if c else b`: for `x & y` write `y if x else 0`"),
    (r"(\|\|?)", "use `a if c else b`: for `x | y` write `1 if x else y`"),
    (r"(\?)[^:]*:", "use `a if c else b` for `c ? a : b`"),
    (r"(\^)", "a power is written **"),
    (r"\b(True|False)\b", "write 1 for True and 0 for False"),
    (r"(\d_\d)", "write numbers without _"),
    (r"(\d,\d{3})\b|(\d)%$", "write numbers without separators and signs of per cent"),
    (r"([\"'])", "leave quotation marks out"),
    (r"(\[)", "there are no lists: nest `a if c else b`, or take the schedule piecewise"),
)


def way_out(source: str) -> str:
    """Return how to say it here, as far as that can be told; empty where it cannot."""
    for pattern, hint in _HINTS:
        found = re.search(pattern, source)
        if found is not None:
            said = next((group for group in found.groups() if group is not None), "")
            return hint.format(said[:20] if said.isascii() else "")
    return ""
