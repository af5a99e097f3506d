"""Arms that lie over several data sets: each set is a block, and only arms of one set are compared."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.design._arm import DesignArm

FIELDS = ("dataset", "dataset.id", "dataset.name")
"""The fields of a grid whose levels are data sets."""
SPLIT = ("valid_fraction", "test_fraction", "split_seed")
"""The parameters of a data set that make no other of it."""


class DatasetGrid(NamedTuple):
    """The arms of a grid over data sets: `arms` (treatments, sets) are their places in the design."""

    field: str
    sets: list[str]
    treatments: list[str]
    arms: NDArray[np.int64]
    baseline: int | None
    """The treatment of the design's baseline."""


def dataset_grid(
    grid: Mapping[str, Sequence[Any]], arms: Sequence[DesignArm], baseline: str | None
) -> DatasetGrid | None:
    """Return how a grid's arms lie over data sets; None where it has no field of several, or but one treatment.

    So it is of experiments of another kind, whose arms are not those of their grid.
    """
    field = next((name for name in FIELDS if len(grid.get(name, ())) > 1), None)
    if field is None or len({repr(_content(level)) for level in grid[field]}) < len(grid[field]):
        return None
    others = [name for name in grid if name != field and len(grid[name]) > 1]
    sets = list(dict.fromkeys(arm.settings[field] for arm in arms))
    named = [", ".join(_words(name, arm.settings[name], len(others)) for name in others) for arm in arms]
    treatments = list(dict.fromkeys(named))
    if len(treatments) < 2 or len(sets) < 2 or len(sets) * len(treatments) != len(arms):
        return None
    places = np.zeros((len(treatments), len(sets)), np.int64)
    for i, (arm, treatment) in enumerate(zip(arms, named, strict=True)):
        places[treatments.index(treatment), sets.index(arm.settings[field])] = i
    first = next((i for i, arm in enumerate(arms) if arm.label == baseline), None)
    return DatasetGrid(field, sets, treatments, places, None if first is None else treatments.index(named[first]))


def _content(level: Any) -> Any:
    return {k: v for k, v in level.items() if k not in SPLIT} if isinstance(level, Mapping) else level


def _words(name: str, value: str, of: int) -> str:
    return value if of == 1 and value[:1].isalpha() else f"{name}={value}"
