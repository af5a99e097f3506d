"""Batch norm and a last batch of one example."""

from typing import Any

import pytest

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.spec import check, parse

NORMED = {"name": "mlp", "norm": "batch_norm"}
TRAINED = 1797 - 359
"""Examples of the digits that are trained on."""


def refused(**fields: Any) -> list[tuple[str, str]]:
    try:
        check(parse(fields), DatasetPaths())
    except InvalidSpec as error:
        return [(problem.path, problem.message) for problem in error.problems]
    return []


@pytest.mark.parametrize("batch_size", [1, 479, TRAINED - 1])
def test_batch_norm_of_one_value_is_refused(batch_size: int) -> None:
    ((path, message),) = refused(model=NORMED, batch_size=batch_size)
    assert path == "batch_size"
    assert message == "leaves a last batch of 1 of 1,438 examples, and batch norm cannot train on a single value"
    ((path, _),) = refused(model=NORMED, arms=[{"label": "a"}, {"label": "b", "batch_size": batch_size}])
    assert path == "arms[1].batch_size"


@pytest.mark.parametrize("batch_size", [2, 478, 480, TRAINED, TRAINED + 1])
def test_other_batches_are_fine(batch_size: int) -> None:
    assert TRAINED % 479 == 1
    assert refused(model=NORMED, batch_size=batch_size) == []


@pytest.mark.parametrize(
    "model",
    [
        {"name": "mlp", "norm": "layer_norm"},
        {"name": "cnn", "channels": [8, 8]},  # the second norm still sees 16 pixels
        "resnet",
    ],
    ids=str,
)
def test_models_that_norm_more_than_one_value_are_fine(model: Any) -> None:
    assert refused(model=model, batch_size=1) == []


def test_a_picture_that_shrinks_to_one_pixel_is_refused() -> None:
    """The stem, and three stages that halve: 8 x 8 digits end as one pixel."""
    ((path, _),) = refused(model={"name": "torchvision", "model": "resnet18"}, batch_size=1)
    assert path == "batch_size"
