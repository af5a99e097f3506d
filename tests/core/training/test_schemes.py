"""What asks more of the trainer than a law and a curve: each against the plain loop, lanes beside plain ones."""

from typing import Any

import numpy as np
import pytest
import torch

from core.datasets import DatasetInfo, Splits
from core.metrics import epoch_metrics, metric_names
from core.training import MemoryRecorder, TrainOptions, calibration_examples, initial_state, train_lanes, train_run

PLATEAU = {
    "name": "reduce_on_plateau",
    "metric": "valid_accuracy",
    "mode": "max",
    "factor": 0.3,
    "patience": 0,
    "eps": 0.0,
}
MUP = {"name": "mup", "base_width": 4}
PLAIN = {"initializer": "he_normal"}
SCHEMES: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "mup, adamw": (
        [PLAIN, {"initializer": MUP}, {"initializer": {**MUP, "base_width": 8}, "optimizer.weight_decay": 0.3}],
        {"name": "adamw", "lr": 0.01, "eps": 1e-3, "weight_decay": 0.1},
    ),
    "mup, sgd": (
        [PLAIN, {"initializer": MUP}, {"initializer": MUP, "optimizer.weight_decay": 0.02}],
        {"name": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 0.01},
    ),
    "lsuv": ([PLAIN, {"initializer": "lsuv"}], {"name": "adam", "lr": 0.003, "eps": 1e-3}),
    "per layer": (
        [PLAIN, {"initializer": {"name": "per_layer", "default": "he_normal", "layers": {"fc3": "zeros"}}}],
        {"name": "adam", "lr": 0.003, "eps": 1e-3},
    ),
    "plateau": (
        [
            PLAIN | {"schedule": PLATEAU},
            PLAIN | {"schedule": {"name": "linear_warmup", "warmup_steps": 40, "after": PLATEAU}},
            PLAIN | {"schedule": "cosine"},
        ],
        {"name": "adam", "lr": 0.03, "eps": 1e-3},
    ),
    "schedule-free": (
        [PLAIN, PLAIN | {"optimizer.warmup_steps": 20, "optimizer.weight_decay": 0.1}],
        {"name": "schedule_free_adamw", "lr": 0.01, "eps": 1e-3},
    ),
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_lanes_agree_with_the_plain_loop(make_lanes: Any, splits: Splits, info: DatasetInfo, scheme: str) -> None:
    arms, optimizer = SCHEMES[scheme]
    lanes = make_lanes(*arms, seeds=(0, 3), optimizer=optimizer, epochs=4)
    fast, slow = MemoryRecorder(), MemoryRecorder()
    train_lanes(lanes, splits, info, fast, TrainOptions(dtype=torch.float64))
    for lane in lanes:
        train_run(lane, splits, info, slow, dtype=torch.float64)
    assert fast.series.keys() == slow.series.keys()
    assert {metric for _, metric in fast.series} == {*metric_names("step"), *epoch_metrics("multiclass", 10)}
    for key, values in slow.series.items():
        np.testing.assert_allclose(fast.series[key], values, rtol=1e-8, atol=1e-11, err_msg=str(key))


def test_each_lane_answers_to_its_own_metric(make_lanes: Any, splits: Splits, info: DatasetInfo) -> None:
    """Against torch's own scheduler, fed with what each run measured."""
    lanes = make_lanes(
        *({"initializer": name, "schedule": PLATEAU} for name in ("zeros", "he_normal")),
        seeds=(0, 1), epochs=8, optimizer={"name": "adam", "lr": 0.02},
    )  # fmt: skip
    recorder = MemoryRecorder()
    train_lanes(lanes, splits, info, recorder)
    curves = {}
    for lane in lanes:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.02)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", factor=0.3, patience=0)
        expected = []
        for accuracy in recorder.series[lane.run, "valid_accuracy"]:
            expected += [optimizer.param_groups[0]["lr"]] * 32
            scheduler.step(float(accuracy))
        curves[lane.run] = recorder.series[lane.run, "lr"]
        np.testing.assert_allclose(curves[lane.run], expected, rtol=1e-12)
    assert len({tuple(curve) for curve in curves.values()}) > 1, "one lane's metric moves that lane's rate only"


def test_a_plateau_behind_a_warm_up_counts_from_its_end(make_lanes: Any, splits: Splits, info: DatasetInfo) -> None:
    """By hand: the ramp ends in the second epoch, whose accuracy is then the first; it never changes, so every later
    epoch cuts the rate."""
    warm = {"name": "linear_warmup", "warmup_steps": 40, "after": PLATEAU}
    (lane,) = make_lanes({"initializer": "zeros", "schedule": warm}, optimizer={"name": "sgd", "lr": 1e-9}, epochs=5)
    recorder = MemoryRecorder()
    train_lanes([lane], splits, info, recorder)
    ramp = [1e-9 * t / 40 for t in range(40)]
    expected = [*ramp, *[1e-9] * 56, *[3e-10] * 32, *[9e-11] * 32]
    np.testing.assert_allclose(recorder.series[lane.run, "lr"], expected, rtol=1e-12)


def test_mup_at_the_base_width_is_the_plain_scheme(make_lanes: Any, splits: Splits, info: DatasetInfo) -> None:
    same_width = {"model.hidden": [12, 12], "optimizer": {"name": "adamw", "weight_decay": 0.1}}
    lanes = make_lanes(same_width | PLAIN, same_width | {"initializer": {**MUP, "base_width": 12}})
    recorder = MemoryRecorder()
    train_lanes(lanes, splits, info, recorder)
    for metric in ("train_loss", "valid_loss"):
        assert np.array_equal(recorder.series[lanes[0].run, metric], recorder.series[lanes[1].run, metric])


def test_data_dependent_weights_are_the_seeds(make_lanes: Any, splits: Splits, info: DatasetInfo) -> None:
    """The batch is a function of the seed: company and batch size change nothing."""
    lanes = make_lanes({"initializer": "lsuv"}, {"initializer": "lsuv", "batch_size": 7}, seeds=(0, 1))

    def start(lane: Any, data: Splits) -> dict[str, torch.Tensor]:
        return initial_state(lane.treatment, info, lane.seed, examples=calibration_examples(data.x_train))

    (five, again, other), every = (calibration_examples(splits.x_train)(seed, 5) for seed in (0, 0, 1)), 10**6
    assert torch.equal(five, again)
    assert not torch.equal(five, other)
    assert len(calibration_examples(splits.x_train)(0, every)) == info.train
    first, other_seed, other_batch, _ = (start(lane, splits) for lane in lanes)
    assert all(torch.equal(first[name], other_batch[name]) for name in first)
    assert not torch.equal(first["fc1.weight"], other_seed["fc1.weight"])
    brighter = splits._replace(x_train=splits.x_train * 2)
    assert not torch.equal(first["fc1.weight"], start(lanes[0], brighter)["fc1.weight"])
    with pytest.raises(ValueError, match="lsuv looks at data"):
        initial_state(lanes[0].treatment, info, 0)
