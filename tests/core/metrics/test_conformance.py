"""The contract of all metrics: a newcomer is tested by existing, and its test file says which peer it agrees with.

A test file of this folder has `PEERS`: by name of a metric, the same number by scikit-learn, from one lane's outputs
(examples, outputs) and labels (examples,) or targets (examples, outputs).
"""

from typing import Any

import numpy as np
import pytest
import torch

from core.conformance.metrics import Made, made, measured, perfect
from core.metrics import Metric, Task, epoch_metrics, metric_names, metrics
from tests.core.metrics.peers import all_peers, peer_of

MEASURED = [
    pytest.param(metric.name, task, id=f"{metric.name}-{task}")
    for metric in metrics.values()
    if metric.accumulator is not None and metric.split != "test"  # which is measured as on validation
    for task in metric.tasks
]
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"label": " "}, "label"),
    ({"name": ""}, "name"),
    ({"direction": "up"}, "direction"),
    ({"direction": "none"}, "direction"),
    ({"split": None, "accumulator": metrics["valid_loss"].accumulator}, "split"),
]
each_metric = pytest.mark.parametrize("metric", metrics.values(), ids=metrics)
each_measured = pytest.mark.parametrize(("name", "task"), MEASURED)
WHOLE: dict[str, Any] = {
    "name": "valid_x",
    "label": "validation x",
    "direction": "max",
    "per": "epoch",
    "split": "valid",
    "quantity": "x",
    "compared": True,
}


def test_no_peer_is_of_a_metric_that_is_gone() -> None:
    assert all_peers().keys() <= metrics.keys()


@each_metric
def test_it_says_what_it_is(metric: Metric) -> None:
    assert metric.label == metric.label.strip() != ""
    assert metric.direction in ("max", "min") or not metric.compared
    if metric.accumulator is not None:
        assert metric.split is not None
        assert metric.name.startswith(f"{metric.split}_")
        assert metric.label.startswith({"train": "training ", "valid": "validation ", "test": "test "}[metric.split])
    if metric.share:
        assert metric.bounds == (0.0, 1.0)


@each_measured
def test_it_is_what_its_peer_says(name: str, task: Task) -> None:
    split = made(task)
    expected = [peer_of(name)(lane.numpy(), split.y.numpy()) for lane in split.outputs]
    assert measured(name, split) == pytest.approx(expected, rel=1e-12)


@each_measured
@pytest.mark.parametrize("parts", [(1,) * 53, (50, 3), (7, 23, 23)], ids=["one by one", "an end", "thirds"])
def test_it_is_the_same_in_any_parts(name: str, task: Task, parts: tuple[int, ...]) -> None:
    split = made(task)
    assert measured(name, split, parts) == pytest.approx(measured(name, split), rel=1e-12)


@each_measured
def test_a_lane_is_measured_as_if_it_were_alone(name: str, task: Task) -> None:
    split = made(task)
    together = measured(name, split)
    assert len(set(together)) > 1
    for lane, value in enumerate(together):
        alone = Made(task, split.outputs[lane : lane + 1], split.y)
        assert measured(name, alone) == pytest.approx([value], rel=1e-12)


@each_measured
def test_a_lane_that_broke_looks_no_better_and_harms_no_other(name: str, task: Task) -> None:
    split = made(task)
    sound = measured(name, split)
    broken = split.outputs.clone()
    broken[1] = torch.nan
    found = measured(name, Made(task, broken, split.y))
    assert (found[0], found[2]) == (sound[0], sound[2])
    assert np.isnan(found[1]) or (found[1] - sound[1]) * metrics[name].sign < 0


@each_measured
def test_outputs_that_are_right_are_better_by_its_direction(name: str, task: Task) -> None:
    split = made(task)
    for best, found in zip(measured(name, perfect(split)), measured(name, split), strict=True):
        assert (best - found) * metrics[name].sign > 0, f"is {metrics[name].direction!r} the direction of {name}?"


@each_measured
def test_it_keeps_within_its_bounds(name: str, task: Task) -> None:
    low, high = metrics[name].bounds
    for scale in (0.0, 1e-3, 30.0):
        split = made(task)
        for value in measured(name, Made(task, split.outputs * scale, split.y)):
            assert low is None or value >= low
            assert high is None or value <= high


def test_every_metric_of_validation_is_one_of_the_test_split_too() -> None:
    for metric in metrics.values():
        if metric.split == "valid":
            twin = metrics[metric.name.replace("valid_", "test_")]
            assert (twin.accumulator, twin.direction, twin.tasks) == (
                metric.accumulator,
                metric.direction,
                metric.tasks,
            )
            assert twin.name not in epoch_metrics(metric.tasks[0], 10, averaged=True), "it is measured once"


def test_a_metric_without_meaning_is_none() -> None:
    assert Metric(**WHOLE).name == "valid_x"
    for missing in ("name", "label", "direction", "per", "split", "quantity", "compared"):
        with pytest.raises(TypeError, match=missing):
            Metric(**{key: value for key, value in WHOLE.items() if key != missing})
    for wrong, word in WRONG:
        with pytest.raises(ValueError, match=word):
            Metric(**(WHOLE | wrong))


def test_all_outcomes_have_places_of_their_own() -> None:
    """Two of one task with one rank would stand in the order of their names, which says nothing."""
    for task in ("multiclass", "binary", "regression"):
        ranks = [m.rank for m in metrics.values() if m.compared and task in m.tasks and m.name in metric_names()]
        assert len(ranks) == len(set(ranks)), f"two metrics of {task} have one rank; it is 100 unless given: {ranks}"
