"""The last batch of an epoch: dropped, or of one example that batch norm cannot train on."""

from typing import Any

import pytest

from core.datasets import DatasetInfo, DatasetPaths
from core.errors import InvalidSpec
from core.spec import check, parse
from core.spec._batches import batches_refused

NORMED = {"name": "mlp", "norm": "batch_norm"}
TRAINED = 1797 - 359
"""Examples of the digits that are trained on."""


def refused(**fields: Any) -> list[tuple[str, str]]:
    try:
        check(parse(fields), DatasetPaths())
    except InvalidSpec as error:
        return [(problem.path, problem.message) for problem in error.problems]
    return []


ONE_LEFT = "leaves a last batch of 1 of 1,438 examples, and batch norm cannot train on a single value"


@pytest.mark.parametrize(
    ("batch_size", "message"),
    [
        (1, "makes batches of 1 example, and batch norm cannot train on a single value: take one such as 2"),
        (479, f'{ONE_LEFT}: leave it out by "drop_last": true, or take a batch size such as 478'),
        (TRAINED - 1, f'{ONE_LEFT}: leave it out by "drop_last": true, or take a batch size such as 1,436'),
    ],
)
def test_batch_norm_of_one_value_is_refused_with_the_ways_out(batch_size: int, message: str) -> None:
    assert refused(model=NORMED, batch_size=batch_size) == [("batch_size", message)]
    ((path, _),) = refused(model=NORMED, arms=[{"label": "a"}, {"label": "b", "batch_size": batch_size}])
    assert path == "arms[1].batch_size"
    fits = int(message.rpartition(" ")[2].replace(",", ""))
    assert refused(model=NORMED, batch_size=fits) == []
    assert bool(refused(model=NORMED, batch_size=batch_size, drop_last=True)) == (batch_size == 1)


@pytest.mark.parametrize(("batch_size", "updates"), [(100, 14), (TRAINED, 1), (TRAINED // 2, 2)])
def test_a_last_batch_that_is_dropped_is_no_update(batch_size: int, updates: int) -> None:
    (info,) = check(parse({"batch_size": batch_size, "drop_last": True, "epochs": 3}), DatasetPaths())
    assert (info.steps_per_epoch, info.steps) == (updates, 3 * updates)


def test_an_epoch_without_a_batch_is_refused() -> None:
    ((path, message),) = refused(arms=[{}, {"label": "b", "batch_size": TRAINED + 1, "drop_last": True}])
    assert path == "arms[1].drop_last"
    assert message.startswith("leaves no batch at all: 1,438 examples do not fill one of 1,439")


def test_one_example_trains_no_batch_norm_of_any_size() -> None:
    one = DatasetInfo(inputs=(4,), outputs=3, train=1, valid=1)
    refusal = batches_refused(parse({"model": NORMED}).expanded[0].treatment, one)
    assert refusal is not None
    assert refusal.path == "model"


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
