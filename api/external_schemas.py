"""The models of what trainers elsewhere send of their runs, and of the answers, which clients rely on."""

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from core.errors import InvalidSpec, Problem
from core.experiments.requests.external import Column

MOST_STEP = 2**53
WORDS = frozenset(("NaN", "Infinity", "-Infinity"))


class PointsOfMetric(BaseModel):
    """Points of one metric that follow on each other."""

    model_config = ConfigDict(extra="forbid", strict=True)

    first: Annotated[int, Field(ge=0, lt=MOST_STEP)]
    """The place of the first among all points of the metric, from 0: places have no gaps."""
    values: Annotated[
        list[Any],
        Field(
            json_schema_extra={
                "items": {"anyOf": [{"type": "number"}, {"type": "null"}, {"enum": sorted(WORDS)}]},
            }
        ),
    ]
    """Numbers; null, `"NaN"`, `"Infinity"` or `"-Infinity"` where there is none."""
    steps: list[Annotated[int, Field(ge=0, lt=MOST_STEP)]] | None = None
    """The updates, or epochs, from 0, at which they were measured; none: the places themselves."""

    def column(self, path: str) -> Column:
        """Return the points as numbers. Raises `InvalidSpec` with the path of what is none."""
        steps = None if self.steps is None else np.array(self.steps, dtype=np.int64)
        if steps is not None and len(steps) != len(self.values):
            message = f"has {len(steps)} steps of {len(self.values)} values"
            raise InvalidSpec([Problem(f"{path}.steps", message)])
        return Column(first=self.first, values=_numbers(self.values, f"{path}.values"), steps=steps)


Points = dict[str, PointsOfMetric]


class PointsIn(BaseModel):
    """Points of one run, by metric."""

    model_config = ConfigDict(extra="forbid", strict=True)

    points: Points


class FinishIn(BaseModel):
    """The end of one run, and its last points."""

    model_config = ConfigDict(extra="forbid", strict=True)

    outcome: Literal["completed", "diverged", "failed"]
    error: Annotated[str, Field(max_length=10_000)] | None = None
    """The reason, of one that failed."""
    points: Points = {}


class ReceivedOut(BaseModel):
    """The points that were `stored` now, and those that were `known` before. `stop`: the run was cancelled."""

    stored: int
    known: int
    stop: bool


class HeardOut(BaseModel):
    """The state of a run. `stop`: it was cancelled. `next`: the place of the next point of each metric with any."""

    status: str
    outcome: str | None
    stop: bool
    next: dict[str, int]


def columns_of(points: Points) -> dict[str, Column]:
    """Return points by metric as numbers. Raises `InvalidSpec` for what is no number."""
    return {name: one.column(f"points.{name}") for name, one in points.items()}


def _numbers(values: list[Any], path: str) -> NDArray[np.float64]:
    """Return values as floats, NaN for None. Raises `InvalidSpec` with the path of the first that is neither."""
    kinds = set(map(type, values))
    if not kinds <= {float, int, str, type(None)} or (str in kinds and not WORDS.issuperset(_texts(values))):
        for i, value in enumerate(values):
            if type(value) not in (float, int, type(None)) and not (type(value) is str and value in WORDS):
                message = f"is no number: {value!r:.80}; what is not finite is null, {', '.join(map(repr, WORDS))}"
                raise InvalidSpec([Problem(f"{path}[{i}]", message)])
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError:
        raise InvalidSpec([Problem(path, "has an integer that no float holds")]) from None


def _texts(values: list[Any]) -> set[str]:
    return {value for value in values if type(value) is str}
