"""`POST /previews/initializer`: the request, the bounds of its work, and the answer."""

import math
from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.previews._bounds import ASKED, MOST_COMPARED, check_seconds
from core.datasets import DatasetPaths
from core.errors import InvalidSpec, Problem
from core.initializers import InitializerEntry, Layer, Role, preview, preview_seconds

MOST_VALUES = 4_000_000
"""Of one drawn weight."""


class InitializerPreview(BaseModel):
    """An initializer to preview for a weight of `shape`, in torch's layout: (out, in / groups, *kernel), and
    (in, out / groups, *kernel) where it is `transposed`.

    The rest tells of the layer what some initializers ask for: its name in the model, which also picks the stream that
    the weight is drawn from; whether it reads the data (`input`), gives the outputs (`output`), or both (`only`);
    whether it ends a residual branch, and how many branches the model has. `compare` are others, to draw below it.
    """

    model_config = ASKED

    initializer: InitializerEntry
    compare: Annotated[list[InitializerEntry], Field(max_length=MOST_COMPARED)] = []
    shape: Annotated[list[Annotated[int, Field(ge=1, le=1_000_000)]], Field(min_length=2, max_length=5)] = [256, 784]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    bins: Annotated[int, Field(ge=1, le=1_000)] = 50
    name: Annotated[str, Field(max_length=200)] = "layer"
    role: Role = "hidden"
    groups: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    ends_branch: bool = False
    branches: Annotated[int, Field(ge=0, le=100_000)] = 0
    transposed: bool = False


def initializer_of(body: InitializerPreview, _paths: DatasetPaths, most_seconds: float) -> dict[str, Any]:
    """Draw one weight by each initializer, and compare its values with the theory.

    Raises `InvalidSpec` for a shape that cannot be, and where it would take more than `most_seconds`.
    """
    if math.prod(body.shape) > MOST_VALUES:
        raise InvalidSpec([Problem("shape", f"has more than {MOST_VALUES:,} values")])
    if body.shape[0] % body.groups:
        raise InvalidSpec([Problem("groups", f"should divide the {body.shape[0]} outputs")])
    layer = Layer(
        shape=tuple(body.shape),
        name=body.name,
        groups=body.groups,
        role=body.role,
        ends_branch=body.ends_branch,
        branches=body.branches,
        transposed=body.transposed,
    )
    every = (body.initializer, *body.compare)
    try:
        seconds = sum(preview_seconds(one, layer) for one in every)
        check_seconds(seconds, most_seconds, "shape", "take a smaller one, or fewer corrections or examples")
        found = [{"initializer": one.model_dump()} | preview(one, layer, body.seed, body.bins) for one in every]
    except ValueError as error:
        raise InvalidSpec([Problem("shape", str(error))]) from None
    return {"shape": body.shape, **found[0], "compared": found[1:]}
