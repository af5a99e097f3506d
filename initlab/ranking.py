"""The order of a report's arms."""

from collections.abc import Mapping
from typing import Any


def ranked(report: Mapping[str, Any]) -> list[tuple[str | None, dict[str, Any]]]:
    """Return the arms in the verdict's order, each with its places: "2", "1-3" where several are open; None: no result.

    No place contradicts a win: an arm that beats another has a better one.
    """
    order = {label: i for i, label in enumerate(report["verdict"].get("order", ()))}
    arms = sorted(report["arms"], key=lambda arm: order.get(arm["label"], len(order)))
    return [(_places(arm.get("rank_low"), arm.get("rank_high")), arm) for arm in arms]


def _places(low: int | None, high: int | None) -> str | None:
    if low is None or high is None:
        return None
    return str(low) if low == high else f"{low}-{high}"
