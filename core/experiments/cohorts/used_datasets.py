"""The places of a canonical spec that name users' data sets."""

from collections.abc import Iterator
from typing import Any


def places(spec: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Yield where the ids of users' data sets stand in a canonical spec: (object, key) of each.

    There are none in that of an experiment that is trained elsewhere.
    """
    if "dataset" not in spec:
        return
    grid = spec.get("grid", {})
    arms = (arm["dataset"] for arm in spec.get("arms", ()) if "dataset" in arm)
    for entry in (spec["dataset"], *arms, *grid.get("dataset", ())):
        if entry["name"] == "uploaded":
            yield entry, "id"
    ids = grid.get("dataset.id", [])
    yield from ((ids, i) for i in range(len(ids)))


def name_of(pinned: str) -> str:
    """Return the name of a data set without the content that it is pinned to."""
    return pinned.partition("@")[0]


def names(spec: dict[str, Any]) -> set[str]:
    """Return the names of the users' data sets that a canonical spec trains on."""
    return {name_of(holder[key]) for holder, key in places(spec)}
