"""The order of a report's arms."""

from collections.abc import Mapping
from typing import Any


def ranked(report: Mapping[str, Any]) -> list[tuple[int | None, dict[str, Any]]]:
    """Return the arms from the best, each with its place: one for all that cannot be told apart, None for no result."""
    groups: list[list[str]] = report["verdict"]["groups"]
    place = {label: i for i, group in enumerate(groups, start=1) for label in group}
    order = {label: i for i, label in enumerate(place)}
    arms = sorted(report["arms"], key=lambda arm: order.get(arm["label"], len(order)))
    return [(place.get(arm["label"]), arm) for arm in arms]
