"""Names of entries that are drawn beside each other."""

from collections.abc import Sequence
from typing import Any


def names_of(entries: Sequence[dict[str, Any]]) -> list[str]:
    """Return the entries' names, with the parameters in which those of one name differ."""
    found = []
    for one in entries:
        like = [other for other in entries if other.get("name") == one.get("name")]
        differing = [key for key, value in one.items() if any(other.get(key) != value for other in like)]
        shown = ", ".join(f"{key}={one[key]}" for key in differing)
        found.append(f"{one.get('name', '')}({shown})" if shown else str(one.get("name", "")))
    return found
