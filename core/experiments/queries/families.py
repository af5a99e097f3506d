"""Tells which cohorts have the runs that one had before it was split."""

from collections.abc import Sequence

from core.store import Event


def family(cohort: int, later: Sequence[Event]) -> list[int]:
    """Return the cohorts that have the runs which one had before these events."""
    found = [cohort]
    for event in later:
        if event.kind == "halved" and event.cohort_id in found:
            found += event.detail.get("into", {}).values()
    return found
