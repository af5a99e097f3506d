"""The form that all requests for previews share, and the bounds of their work."""

from pydantic import ConfigDict

from core.errors import InvalidSpec, Problem

MOST_COMPARED = 11
"""Of entries beside the one that is previewed."""
MOST_LOADED = 200_000_000
"""Numbers of a data set that is loaded."""
ASKED = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)
"""Of every request: what it does not know is refused."""


def check_seconds(seconds: float, most: float, path: str, advice: str) -> None:
    """Raise `InvalidSpec` where a preview would take more than `most` seconds of one core."""
    if seconds > most:
        message = f"takes some {seconds:,.0f} s; {most:g} s is the most of a preview here (INITLAB_PREVIEW_SECONDS)"
        raise InvalidSpec([Problem(path, f"{message}: {advice}")])
