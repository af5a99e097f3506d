"""`POST /previews/optimizer`: the request, the bounds of its work, and the answer."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from api.previews._bounds import ASKED, MOST_COMPARED, check_seconds
from core.datasets import DatasetPaths
from core.errors import InvalidSpec, Problem
from core.finite import finite_list
from core.optimizers import OptimizerEntry
from core.registry import NonNegative
from core.training import SECONDS_OF_UPDATE, Trajectory, Valley, descend

Curvature = Annotated[float, Field(gt=0, le=1e12)]
Coordinate = Annotated[float, Field(ge=-1e12, le=1e12)]
Point = Annotated[list[Coordinate], Field(min_length=2, max_length=2)]


class OptimizerPreview(BaseModel):
    """An optimizer to preview: its way down a valley of two weights, at the constant rate that it has.

    The loss is ½·(a·u² + b·v²), where (a, b) is `curvature`, and u and v are the weights' distances from `minimum`,
    turned by `angle` degrees. `noise` is the standard deviation of what a batch adds to each number of a gradient, by
    draws of `seed` that are the same for all. `compare` are others, to draw on the same axes.
    """

    model_config = ASKED

    optimizer: OptimizerEntry
    compare: Annotated[list[OptimizerEntry], Field(max_length=MOST_COMPARED)] = []
    steps: Annotated[int, Field(ge=1, le=10_000)] = 200
    curvature: Annotated[list[Curvature], Field(min_length=2, max_length=2)] = [5.0, 150.0]
    angle: Annotated[float, Field(ge=-360, le=360)] = 0.0
    start: Point = [0.85, 1.05]
    minimum: Point = [1.0, 1.0]
    noise: Annotated[NonNegative, Field(le=1e12)] = 0.0
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


def optimizer_of(body: OptimizerPreview, _paths: DatasetPaths, most_seconds: float) -> dict[str, Any]:
    """Return each optimizer's weights and losses, `x[t]`, `y[t]` and `loss[t]` after t updates.

    Raises `InvalidSpec` where it starts at the minimum, and where it would take more than `most_seconds`.
    """
    every = (body.optimizer, *body.compare)
    seconds = SECONDS_OF_UPDATE * len(every) * body.steps
    check_seconds(seconds, most_seconds, "steps", "ask for fewer, or compare fewer")
    if body.start == body.minimum:
        raise InvalidSpec([Problem("start", "is the minimum, where nothing moves: begin elsewhere")])
    a, b = body.curvature
    valley = Valley((a, b), body.angle, (body.minimum[0], body.minimum[1]))
    found = [
        {
            "optimizer": one.model_dump(),
            **_way(descend(one, valley, body.start, body.steps, body.noise, body.seed), valley),
        }
        for one in every
    ]
    asked = body.model_dump(include={"steps", "curvature", "angle", "start", "minimum", "noise", "seed"})
    return {**asked, **found[0], "compared": found[1:]}


def _way(found: Trajectory, valley: Valley) -> dict[str, Any]:
    overflown = ~np.isfinite(found.loss)
    return {
        **_points(found.weights),
        "loss": finite_list(found.loss),
        "diverged_at": int(overflown.argmax()) if overflown.any() else None,
        "evaluated": None
        if found.evaluated is None
        else {**_points(found.evaluated), "loss": finite_list(valley.loss(found.evaluated))},
    }


def _points(weights: NDArray[np.float64]) -> dict[str, list[float | None]]:
    return {"x": finite_list(weights[:, 0]), "y": finite_list(weights[:, 1])}
