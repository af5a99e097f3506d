"""`POST /previews/layer`: the request, the bounds of its work, and the answer."""

import math
from typing import Annotated, Any

import torch
from pydantic import BaseModel, Field
from torch.nn.functional import interpolate

from api.previews._bounds import ASKED, MOST_COMPARED, check_seconds
from core.datasets import DatasetPaths, datasets
from core.errors import InvalidSpec, Problem
from core.finite import finite_nested
from core.models import EffectSize, LayerField, NamedLayer, curve, effect, effect_size
from core.models.layers import Shape
from core.streams import generator

MOST_NUMBERS = 200_000
"""Of all inputs, and of all outputs of one layer."""
MOST_WEIGHTS = 4_000_000
"""Of one layer."""
USUAL: tuple[Shape, ...] = ((1, 8, 8), (64,))
"""Shapes of inputs that are tried where none is asked for: a digit, and its pixels in a row."""


class LayerPreview(BaseModel):
    """A layer to preview, written as in the list of a `sequential` model: "relu", {"maxpool": 2}.

    Its inputs are `batch` handwritten digits, a channel of an example each, scaled to `inputs`, (channels, height,
    width); for rows of numbers, (numbers,), standard normal numbers, and for 64 a digit's pixels. Without `inputs` it
    is a picture of 8 x 8 where all layers take that, else a row of 64. `outputs` is how many numbers the data set asks
    for, `seed` that of weights and of dropout's masks. `compare` are other layers for the same inputs.
    """

    model_config = ASKED

    layer: LayerField
    compare: Annotated[list[LayerField], Field(max_length=MOST_COMPARED)] = []
    inputs: list[Annotated[int, Field(ge=1, le=100_000)]] | None = None
    outputs: Annotated[int, Field(ge=1, le=10_000)] = 10
    batch: Annotated[int, Field(ge=1, le=64)] = 4
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


def layer_of(body: LayerPreview, _paths: DatasetPaths, most_seconds: float) -> dict[str, Any]:
    """Return what each layer makes of the same examples, as torch starts it and in training.

    Raises `InvalidSpec` for inputs that a layer cannot take, for what is too large, and where it would take more than
    `most_seconds`.
    """
    every: list[NamedLayer] = [body.layer, *body.compare]
    shape, sizes = _sized(body, every)
    _check_sizes(body, shape, sizes)
    seconds = sum(size.seconds for size in sizes.values())
    check_seconds(seconds, most_seconds, "inputs", "take smaller ones, or fewer channels")
    x = _examples(shape, body.batch, body.seed)
    found = [_effect(body, one, x, path) for one, path in zip(every, sizes, strict=True)]
    asked = {"inputs": list(shape), "batch": body.batch, "seed": body.seed, "before": finite_nested(x.numpy())}
    return {**asked, **found[0], "compared": found[1:]}


def _sized(body: LayerPreview, every: list[NamedLayer]) -> tuple[Shape, dict[str, EffectSize]]:
    """Return the shape of the inputs, and the size of what each layer makes of them by its path in the request.

    Raises `InvalidSpec` for a layer that takes no such inputs.
    """
    if body.inputs is not None:
        if len(body.inputs) not in (1, 3):
            raise InvalidSpec([Problem("inputs", "should be [numbers], or [channels, height, width]")])
        return tuple(body.inputs), _sizes(body, every, tuple(body.inputs))
    refused: list[Problem] = []
    for shape in USUAL:
        try:
            return shape, _sizes(body, every, shape)
        except InvalidSpec as error:
            refused += error.problems
    raise InvalidSpec([refused[0]._replace(message=f"{refused[0].message}; say which inputs to show with `inputs`")])


def _sizes(body: LayerPreview, every: list[NamedLayer], shape: Shape) -> dict[str, EffectSize]:
    sizes: dict[str, EffectSize] = {}
    for i, one in enumerate(every):
        path = f"compare[{i - 1}]" if i else "layer"
        try:
            sizes[path] = effect_size(one.layer, shape, body.outputs, body.batch)
        except ValueError as error:
            raise InvalidSpec([Problem(path, str(error))]) from None
    return sizes


def _check_sizes(body: LayerPreview, shape: Shape, sizes: dict[str, EffectSize]) -> None:
    """Raise `InvalidSpec` for inputs, outputs or weights that are too many."""
    if body.batch * math.prod(shape) > MOST_NUMBERS:
        raise InvalidSpec([Problem("inputs", f"has more than {MOST_NUMBERS:,} numbers in all: ask for smaller ones")])
    for path, size in sizes.items():
        for what, count, most in (
            ("numbers as outputs", body.batch * math.prod(size.shape), MOST_NUMBERS),
            ("weights", size.parameters, MOST_WEIGHTS),
        ):
            if count > most:
                raise InvalidSpec([Problem(path, f"has {count:,} {what}; {most:,} is the most of a preview")])


def _examples(shape: Shape, batch: int, seed: int) -> torch.Tensor:
    """Return inputs (batch, *shape)."""
    if len(shape) == 1 and shape != USUAL[1]:
        return torch.randn(batch, *shape, generator=generator(seed, "layer"))
    digits: torch.Tensor = datasets.parse("digits").build().load(DatasetPaths()).x_train
    chosen = digits[torch.arange(batch * (shape[0] if len(shape) == 3 else 1)) % len(digits)]
    if len(shape) == 1:
        return chosen.flatten(1)
    _, *sides = shape
    scaled = chosen if sides == [8, 8] else interpolate(chosen, size=sides, mode="bilinear", align_corners=False)
    return scaled.view(batch, *shape)


def _effect(body: LayerPreview, one: NamedLayer, x: torch.Tensor, path: str) -> dict[str, Any]:
    try:
        done = effect(one.layer, x, body.outputs, body.seed)
    except ValueError as error:  # as batch norm says of a batch that is too small for it
        raise InvalidSpec([Problem(path, str(error))]) from None
    found = curve(one.layer, body.seed)
    drawn = None if found is None else {name: finite_nested(values.numpy()) for name, values in found._asdict().items()}
    return {
        "layer": one.spelled(),
        "label": str(one),
        "shape": list(done.outputs.shape[1:]),
        "parameters": done.parameters,
        "curve": drawn,
        "after": finite_nested(done.outputs.numpy()),
    }
