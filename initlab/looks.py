"""Adaptive seeds in sentences: the looks that were taken, and what a preview expects."""

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from initlab.happenings import looked


def looks(data: Mapping[str, Any]) -> list[Text]:
    """Return a line for each look of an experiment; a server before adaptive seeds tells none."""
    return [Text(f"after {look['seeds']:,} seeds: {looked(look)}") for look in data.get("looks", ())]


def outlook(found: Mapping[str, Any]) -> list[Text]:
    """Return a line on the runs that a preview expects; none where all seeds are trained in any case."""
    adaptive = found.get("adaptive")
    if not adaptive:
        return []
    expected = "; ".join(
        f"{one['runs']:,} if arms differ by {one['effect']:g} sd" for one in adaptive["expected"] if one["effect"]
    )
    least, most = adaptive["runs_least"], found["runs_total"]
    return [Text(f"seeds are added where a comparison is open: {least:,} to {most:,} runs; about {expected}")]
