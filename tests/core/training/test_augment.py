"""Crops and flips against a loop over pictures, and as part of training."""

from typing import Any

import pytest
import torch
from scipy.stats import chisquare

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.spec import Augment, check, parse
from core.streams import keys, words
from core.training import MemoryRecorder, train_lanes
from core.training.augment import augment
from core.training.lanes.batches import BatchSource
from core.training.lanes.clock import Moment
from tests.core.training.trials import PICTURES, TABLE, assert_near, made, referred, trained

CNN = {"name": "cnn", "channels": [3], "dense": [6], "activation": "elu"}


def numbered(seeds: int, batch: int, channels: int, height: int, width: int) -> torch.Tensor:
    """Pictures of which every number is its own; none is 0."""
    count = seeds * batch * channels * height * width
    return torch.arange(1.0, count + 1).view(seeds, batch, channels, height, width)


def one_by_one(x: torch.Tensor, how: Augment, random: torch.Tensor, step: int) -> torch.Tensor:
    """The bits of a picture's word are, from the lowest: 16 for down, 16 for right, one for the flip."""
    seeds, batch, _, height, width = x.shape
    found = torch.zeros_like(x)
    for s in range(seeds):
        for b in range(batch):
            word = int(words(random, step, batch)[s, b]) % 2**64
            down, right = (((word >> shift) % 2**16 * (2 * how.crop + 1) // 2**16) - how.crop for shift in (0, 16))
            flipped = how.flip and (word >> 32) % 2
            for i in range(height):
                for j in range(width):
                    row, column = i + down, (width - 1 - j if flipped else j) + right
                    if 0 <= row < height and 0 <= column < width:
                        found[s, b, :, i, j] = x[s, b, :, row, column]
    return found


@pytest.mark.parametrize(
    "how", [{"crop": 2}, {"flip": True}, {"crop": 1, "flip": True}, {"crop": 3, "flip": True}], ids=str
)
@pytest.mark.parametrize("shape", [(2, 9, 3, 4, 5), (1, 1, 1, 6, 4)], ids=str)
def test_pictures_are_cropped_and_flipped(how: dict[str, Any], shape: tuple[int, ...]) -> None:
    x, random = numbered(*shape), keys(range(shape[0]), "test")
    for step in (0, 1, 10**6):
        changed = augment(x, Augment(**how), random, step)
        assert torch.equal(changed, one_by_one(x, Augment(**how), random, step))
        assert torch.equal(changed, augment(x, Augment(**how), random, step))


def test_a_picture_is_a_function_of_seed_and_step() -> None:
    how, x = Augment(crop=2, flip=True), numbered(1, 20, 1, 6, 6)

    def changed(seeds: list[int], step: int) -> torch.Tensor:
        return augment(x.expand(len(seeds), *x.shape[1:]), how, keys(seeds, "augment"), step)

    assert torch.equal(changed([4, 7, 5], 3)[1], changed([7], 3)[0])
    assert not torch.equal(changed([7], 3), changed([7], 4))
    assert not torch.equal(changed([7], 3), changed([8], 3))
    fewer = augment(x[:, :5], how, keys([7], "augment"), 3)
    assert torch.equal(fewer, changed([7], 3)[:, :5])


@pytest.mark.parametrize("crop", [1, 2, 4])
def test_every_offset_is_as_likely_and_every_second_picture_is_flipped(crop: int) -> None:
    """One bright pixel in the middle says where each picture went, and its neighbour which way it looks."""
    count, side = 40_000, 4 * crop + 3
    x = torch.zeros(1, count, 1, side, side)
    middle = 2 * crop + 1
    x[..., middle, middle], x[..., middle, middle + 1] = 2, 1
    changed = augment(x, Augment(crop=crop, flip=True), keys([0], "test"), 0)[0, :, 0]
    _, rows, columns = (changed == 2).nonzero(as_tuple=True)
    flipped = changed[range(count), rows, columns - 1] == 1
    assert len(rows) == count
    cells = torch.stack((rows - middle + crop, columns - middle + crop, flipped.long()), 1)
    drawn = torch.zeros(2 * crop + 1, 2 * crop + 1, 2)
    drawn.index_put_(tuple(cells.T), torch.ones(count), accumulate=True)
    assert drawn.min() > 0
    assert chisquare(drawn.flatten().numpy()).pvalue > 1e-3, "uniform, and the three draws independent"


def test_nothing_to_do_changes_nothing(make_lanes: Any) -> None:
    assert not Augment()
    data, info = made(PICTURES, train=22, valid=10)
    plain, none = (
        trained(make_lanes({}, model=CNN, batch_size=8, **given), data, info)
        for given in ({}, {"augment": {"crop": 0, "flip": False}})
    )
    assert plain.series[0, "train_loss"].tobytes() == none.series[0, "train_loss"].tobytes()


def test_the_feed_changes_bytes_as_it_would_numbers() -> None:
    pictures, how = numbered(1, 10, 3, 2, 2)[0].to(torch.uint8), Augment(crop=1, flip=True)
    feed = BatchSource(pictures, torch.arange(10), [5, 6], 4, torch.float64, how)
    feed.start(0)
    for i in range(3):
        x, y = feed.batch(Moment(7 + i, i, 0), feed.size(i))
        assert torch.equal(x, augment(pictures[y].double() / 255, how, keys([5, 6], "augment"), 7 + i))


@pytest.mark.parametrize("seeds", [(0,), (0, 3)], ids=["one lane", "lanes"])
def test_lanes_are_the_plain_loop(make_lanes: Any, seeds: tuple[int, ...]) -> None:
    data, info = made(PICTURES, train=54, valid=20)
    data = data._replace(x_train=(data.x_train * 40 + 120).clamp(0, 255).to(torch.uint8))
    arms = [{"initializer": "he_normal"}, {"initializer": "torch_default"}][: len(seeds)]
    given = {"model": CNN, "optimizer": {"name": "sgd", "lr": 0.01}, "batch_size": 16, "epochs": 3}
    lanes = make_lanes(*arms, seeds=seeds, augment={"crop": 2, "flip": True}, **given)
    changed = trained(lanes, data, info, dtype=torch.float64)
    assert_near(changed, referred(lanes, data, info), 1e-10)
    plain = trained(make_lanes(*arms, seeds=seeds, **given), data, info, dtype=torch.float64)
    assert not (plain.series[0, "train_loss"] == changed.series[0, "train_loss"]).any()


def test_evaluation_sees_the_pictures_as_they_are(make_lanes: Any) -> None:
    """At a rate of 0 the weights stay: whatever training saw, the metrics are those of the plain pictures."""
    data, info = made(PICTURES, train=22, valid=10)
    model = {"name": "mlp", "hidden": [6]}
    still = {"name": "linear_warmup", "warmup_steps": 10**6, "end_lr": 0.0}
    plain, changed = MemoryRecorder(), MemoryRecorder()
    for recorder, how in ((plain, {}), (changed, {"crop": 3, "flip": True})):
        lanes = make_lanes({}, model=model, augment=how, schedule=still, batch_size=8, epochs=1)
        train_lanes(lanes, data, info, recorder)
    differ = {
        metric for run, metric in plain.series if (plain.series[run, metric] != changed.series[run, metric]).any()
    }
    assert differ == {"train_loss"}


@pytest.mark.parametrize(
    ("given", "path", "says"),
    [
        ({"dataset": "breast_cancer", "augment": {"crop": 1}}, "augment", "is for pictures"),
        ({"dataset": "diabetes", "augment": {"flip": True}}, "augment", "is for pictures"),
        ({"augment": {"crop": 8}}, "augment.crop", "should be below 8"),
        ({"arms": [{"label": "a"}, {"label": "b", "augment": {"crop": 9}}]}, "arms[1].augment.crop", "below 8"),
        ({"augment": {"crop": 65}}, "augment.crop", "less than or equal to 64"),
        ({"augment": {"crop": -1}}, "augment.crop", "greater than or equal to 0"),
        ({"augment": {"turn": True}}, "augment.turn", "unknown|not permitted"),
        ({"arms": [{"label": "a", "augment.crop": 8}]}, "arms[0].augment.crop", "below 8"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_at_its_path(given: dict[str, Any], path: str, says: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        check(parse({"epochs": 1} | given), DatasetPaths())
    (problem,) = refused.value.problems
    assert problem.path == path
    assert any(part in problem.message for part in says.split("|")), problem.message


def test_a_crop_just_below_the_side_fits() -> None:
    check(parse({"augment": {"crop": 7, "flip": True}, "epochs": 1}), DatasetPaths())


def test_tables_train_without(make_lanes: Any) -> None:
    data, info = made(TABLE, train=22, valid=10)
    trained(make_lanes({}, augment={"flip": False}), data, info)
