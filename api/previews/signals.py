"""`POST /previews/signal`: the request, the bounds of its work, and the answer."""

import math
from collections import Counter
from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.previews._bounds import ASKED, MOST_LOADED, check_seconds
from core.datasets import SECONDS_OF_NUMBER, DataError, DatasetEntry, DatasetInfo, DatasetPaths, datasets
from core.errors import InvalidSpec, Problem, path_of
from core.finite import finite_or_none
from core.initializers import Initializer, InitializerEntry, initializers
from core.models import ModelEntry
from core.registry import Entry, join_path
from core.spec import Size, size
from core.training import calibration_examples, signal, signal_seconds

MOST_PARAMETERS = 50_000_000
"""Of the network."""
MOST_HELD = 20_000_000
"""Numbers of one batch's activations."""


class SignalPreview(BaseModel):
    """A network that is not trained. Its inputs are training examples of `dataset` (digits where nothing is said) or,
    with `inputs`, the shape of an example, and `outputs` instead, standard normal noise.

    `initializers` compares several; `seeds` is how many times each is drawn.
    """

    model_config = ASKED

    model: ModelEntry = "mlp"
    dataset: DatasetEntry | None = None
    inputs: Annotated[list[Annotated[int, Field(ge=1, le=100_000)]], Field(min_length=1, max_length=3)] | None = None
    outputs: Annotated[int, Field(ge=1, le=100_000)] | None = None
    initializer: InitializerEntry | None = None
    initializers: Annotated[list[InitializerEntry], Field(min_length=1, max_length=16)] | None = None
    seeds: Annotated[int, Field(ge=1, le=20)] = 3
    batch: Annotated[int, Field(ge=2, le=4096)] = 128


def signal_of(body: SignalPreview, paths: DatasetPaths, most_seconds: float) -> dict[str, Any]:
    """Return the answer.

    Raises `InvalidSpec` for what does not fit together, takes too much memory, or more than `most_seconds`.
    """
    dataset, info = _data(body, paths)
    entries, path = _initializers(body)
    network = _size(body.model, info)
    for i, entry in enumerate(entries):
        _check_initializer(entry, network, path if body.initializers is None else f"{path}[{i}]")
    _check_memory(body, network)
    numbers = 0 if dataset is None else info.train * math.prod(info.inputs)
    seconds = SECONDS_OF_NUMBER * numbers
    seconds += sum(signal_seconds(entry.build(), network, body.seeds, body.batch) for entry in entries)
    advice = "ask for a smaller batch, fewer seeds or initializers, or a smaller model"
    check_seconds(seconds, most_seconds, "seeds", advice)
    examples = None
    if dataset is not None:
        if numbers > MOST_LOADED:
            message = (
                f"has {numbers:,} numbers to load; {MOST_LOADED:,} is the most of a preview: give inputs and outputs"
            )
            raise InvalidSpec([Problem("dataset", message)])
        try:
            examples = calibration_examples(dataset.build().load(paths).x_train)
        except DataError as error:
            raise InvalidSpec([Problem("dataset", error.detail)]) from None
    found = []
    for entry, label in zip(entries, _labels(entries), strict=True):
        try:
            passed = signal(body.model, entry, info, range(body.seeds), body.batch, examples)
        except ValueError as error:  # as batch norm says of a batch that is too small for it
            raise InvalidSpec([Problem("model", str(error))]) from None
        layers = [_finite(layer) for layer in passed["layers"]]
        found.append({"label": label, "initializer": entry.model_dump(), "layers": layers})
    return {
        "model": body.model.model_dump(),
        "dataset": dataset and dataset.model_dump(),
        "data": "standard normal noise" if dataset is None else dataset.name,
        "seeds": body.seeds,
        "batch": body.batch if dataset is None else min(body.batch, info.train),
        "initializers": found,
    }


def _data(body: SignalPreview, paths: DatasetPaths) -> tuple[Entry | None, DatasetInfo]:
    if body.inputs is None and body.outputs is None:
        dataset: Entry = body.dataset or datasets.parse("digits")
        try:
            return dataset, dataset.build().info(paths)
        except DataError as error:
            raise InvalidSpec([Problem("dataset", error.detail)]) from None
    if body.dataset is not None:
        raise InvalidSpec([Problem("inputs", "belongs to no data set: give dataset, or inputs and outputs")])
    if body.inputs is None or body.outputs is None:
        missing = "inputs" if body.inputs is None else "outputs"
        raise InvalidSpec([Problem(missing, "is missing: inputs and outputs go together")])
    return None, DatasetInfo(tuple(body.inputs), body.outputs, body.batch, 0)


def _initializers(body: SignalPreview) -> tuple[list[Entry], str]:
    if body.initializer is not None and body.initializers is not None:
        raise InvalidSpec([Problem("initializers", "give initializer or initializers, not both")])
    if body.initializers is not None:
        return body.initializers, "initializers"
    return [body.initializer or initializers.parse("torch_default")], "initializer"


def _size(model: Entry, info: DatasetInfo) -> Size:
    try:
        return size(model, info.inputs, info.outputs)
    except (RuntimeError, ValueError, OverflowError) as error:
        raise InvalidSpec([Problem(join_path("model", path_of(error)), f"does not fit the data: {error}")]) from None


def _check_initializer(entry: Entry, network: Size, path: str) -> None:
    initializer: Initializer = entry.build()
    found = initializer.check({**network.layers, **network.norms})
    problems = [problem._replace(path=join_path(path, problem.path)) for problem in found]
    for name, layer in network.layers.items():
        try:
            initializer.weight(layer), initializer.bias(layer)
        except ValueError as error:
            problems.append(Problem(path, f"cannot start layer {name!r}: {error}"))
    if problems:
        raise InvalidSpec(problems[:1])


def _check_memory(body: SignalPreview, network: Size) -> None:
    if network.parameters > MOST_PARAMETERS:
        message = f"has {network.parameters:,} weights to draw; {MOST_PARAMETERS:,} is the most of a preview"
        raise InvalidSpec([Problem("model", message)])
    if body.batch * network.activations > MOST_HELD:
        held = (
            f"makes {body.batch * network.activations:,} activations; {MOST_HELD:,} is the most: ask for a smaller one"
        )
        raise InvalidSpec([Problem("batch", held)])


def _labels(entries: list[Entry]) -> list[str]:
    """Return a label of each: its name, with its parameters where that comes several times."""
    often = Counter(entry.name for entry in entries)
    return [entry.name if often[entry.name] == 1 else _label_with_parameters(entry) for entry in entries]


def _label_with_parameters(entry: Entry) -> str:
    given = {key: value for key, value in entry.parameters().items() if value is not None}
    return f"{entry.name}({', '.join(f'{key}={value}' for key, value in given.items())})"


def _finite(layer: dict[str, Any]) -> dict[str, Any]:
    """Return the layer with None for numbers that are not finite."""
    return {
        key: {name: finite_or_none(number) for name, number in value.items()} if isinstance(value, dict) else value
        for key, value in layer.items()
    }
