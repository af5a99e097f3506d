import math
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from core.datasets import DatasetInfo, Splits
from core.metrics import epoch_metrics, metric_names
from core.models import Model
from core.registry import Entry
from core.training import Lane, MemoryRecorder, Stopped, TrainOptions, initial_state, train_lanes, train_run
from core.training.lanes import model as stack
from core.training.lanes import optimizer as descent
from tests.core.training.trials import trained

EPOCH_METRICS = epoch_metrics("multiclass", 10)

STEPS_PER_EPOCH = 32
FIVE_ARMS: list[dict[str, Any]] = [
    {"initializer": "zeros"},
    {"initializer": "ones"},
    {"initializer": "torch_default", "schedule": "cosine"},
    {
        "initializer": "he_normal",
        "schedule": {"name": "linear_warmup", "warmup_steps": 20, "after": {"name": "step", "step_size": 1}},
    },
    {"initializer": {"name": "uniform", "low": -0.3, "high": 0.3}, "optimizer.lr": 0.02},
]
# Weights of one leave hidden gradients of exactly 0 in theory and of 1e-17 in practice; with its own eps of 1e-8 Adam
# would make that rounding visible.
OPTIMIZERS = {
    "adam": {"name": "adam", "lr": 0.003, "eps": 1e-3},
    "sgd with momentum": {"name": "sgd", "lr": 0.002, "momentum": 0.9},
}

LINEAR = {"name": "mlp", "hidden": [16], "activation": "linear"}
"""Explodes where rectifiers would die."""


def referred(lanes: list[Lane], splits: Splits, info: DatasetInfo, dtype: torch.dtype) -> MemoryRecorder:
    recorder = MemoryRecorder()
    for lane in lanes:
        train_run(lane, splits, info, recorder, dtype=dtype)
    return recorder


def assert_agree(a: MemoryRecorder, b: MemoryRecorder, runs: list[int], rtol: float) -> None:
    for run in runs:
        assert a.outcomes[run] == b.outcomes[run]
        for metric in (*metric_names("step"), *EPOCH_METRICS):
            ours, theirs = a.series[run, metric], b.series[run, metric]
            assert ours.dtype == theirs.dtype
            np.testing.assert_allclose(ours, theirs, rtol=rtol, err_msg=f"{metric} of run {run}")


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("piece", [descent.PIECE, 1500], ids=["in one piece", "in pieces"])
def test_agrees_with_the_plain_loop(
    make_lanes: Any,
    splits: Splits,
    info: DatasetInfo,
    optimizer: dict[str, Any],
    piece: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(descent, "PIECE", piece)
    lanes = make_lanes(*FIVE_ARMS, seeds=(0, 3), optimizer=optimizer)
    fast = trained(lanes, splits, info, dtype=torch.float64)
    slow = referred(lanes, splits, info, torch.float64)
    assert all(len(fast.series[lane.run, "train_loss"]) == 64 for lane in lanes)
    assert_agree(fast, slow, [lane.run for lane in lanes], 1e-10)


def test_float32_stays_near_the_plain_loop(make_lanes: Any, splits: Splits, info: DatasetInfo) -> None:
    lanes = make_lanes({"initializer": "he_normal"}, {"initializer": "glorot_uniform"}, seeds=(0, 1))
    fast, slow = trained(lanes, splits, info), referred(lanes, splits, info, torch.float32)
    for lane in lanes:
        assert fast.series[lane.run, "train_loss"].dtype == np.float32
        assert fast.series[lane.run, "lr"].dtype == np.float64
        np.testing.assert_allclose(fast.series[lane.run, "train_loss"], slow.series[lane.run, "train_loss"], rtol=1e-4)


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_company_does_not_matter(make_lanes: Any, splits: Splits, info: DatasetInfo, optimizer: dict[str, Any]) -> None:
    lanes = make_lanes(*(arm for arm in FIVE_ARMS if arm["initializer"] != "ones"), seeds=(0, 3), optimizer=optimizer)
    together = trained(lanes, splits, info, dtype=torch.float64)
    for company in (lanes[4:5], lanes[:3], lanes[::-1]):
        apart = trained(company, splits, info, dtype=torch.float64)
        assert_agree(apart, together, [lane.run for lane in company], 1e-12)


def test_twice_is_bit_identical(make_lanes: Any, splits: Splits, info: DatasetInfo) -> None:
    lanes = make_lanes(*FIVE_ARMS, seeds=(0, 3), epochs=1)
    first, second = trained(lanes, splits, info), trained(lanes, splits, info, block_seconds=0)
    assert first.series.keys() == second.series.keys()
    assert all(np.array_equal(values, second.series[key]) for key, values in first.series.items())


@pytest.mark.parametrize("block_seconds", [0, 60])
def test_a_diverging_lane_ends_at_its_last_update_and_harms_nobody(
    make_lanes: Any, splits: Splits, info: DatasetInfo, block_seconds: float
) -> None:
    sane = {"initializer": "he_normal"}
    lanes = make_lanes(
        sane,
        {"initializer": "ones", "optimizer.lr": 1e6},
        {"initializer": "normal_rule", "schedule": {"name": "linear_warmup", "warmup_steps": 40, "after": "constant"},
         "optimizer.lr": 1e6},
        seeds=(0, 1),
        optimizer={"name": "sgd", "lr": 0.01},
        model=LINEAR,
    )  # fmt: skip
    recorder = trained(lanes, splits, info, dtype=torch.float64, block_seconds=block_seconds)
    reference = referred(lanes, splits, info, torch.float64)
    alone = trained(lanes[:2], splits, info, dtype=torch.float64)
    assert_agree(recorder, alone, [0, 1], 1e-12)
    for lane in lanes[2:]:
        losses = recorder.series[lane.run, "train_loss"]
        assert recorder.outcomes[lane.run] == reference.outcomes[lane.run] == "diverged"
        assert np.isfinite(losses[:-1]).all()
        assert not np.isfinite(losses[-1])
        assert len(recorder.series[lane.run, "lr"]) == len(losses)
        assert {k: len(v) for k, v in recorder.series.items() if k[0] == lane.run} == {
            k: len(v) for k, v in reference.series.items() if k[0] == lane.run
        }


def test_epoch_metrics_of_a_diverged_lane_end_with_its_last_whole_epoch(
    make_lanes: Any, splits: Splits, info: DatasetInfo
) -> None:
    late = {"name": "linear_warmup", "warmup_steps": 40, "end_lr": 0.0, "after": "constant"}
    (lane, _) = lanes = make_lanes(
        {"schedule": late, "optimizer.lr": 1e6}, {}, optimizer={"name": "sgd", "lr": 0.01}, model=LINEAR, epochs=3
    )
    recorder = trained(lanes, splits, info, block_seconds=60)
    assert STEPS_PER_EPOCH < 40 < len(recorder.series[lane.run, "train_loss"]) < 2 * STEPS_PER_EPOCH
    assert [len(recorder.series[lane.run, metric]) for metric in EPOCH_METRICS] == [1] * len(EPOCH_METRICS)


def test_training_ends_when_every_lane_has_diverged(make_lanes: Any, splits: Splits, info: DatasetInfo) -> None:
    lanes = make_lanes(
        {"initializer": "ones"}, model=LINEAR, optimizer={"name": "sgd", "lr": 1e6}, seeds=(0, 1), epochs=9
    )
    recorder = trained(lanes, splits, info, block_seconds=0)
    assert recorder.outcomes == {0: "diverged", 1: "diverged"}
    assert recorder.step < STEPS_PER_EPOCH


def test_evaluation_drops_no_unit(
    make_lanes: Any, splits: Splits, info: DatasetInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "EVALUATION", {"cpu": 64 * 2 * 7})  # in chunks of 7 examples
    still = {"name": "linear_warmup", "warmup_steps": 10**6, "end_lr": 0.0}
    lanes = make_lanes(
        {"initializer": "he_normal"}, {"initializer": "glorot_normal"}, schedule=still, epochs=1,
        model={"name": "mlp", "hidden": [16, 12], "dropout": 0.5},
    )  # fmt: skip
    recorder = trained(lanes, splits, info, dtype=torch.float64, judge_all=True)
    for lane in lanes:
        w = {
            name: value.numpy() for name, value in initial_state(lane.treatment, info, lane.seed, torch.float64).items()
        }

        def logits(x: torch.Tensor, w: dict[str, Any] = w) -> Any:
            h = x.double().numpy().reshape(len(x), -1)
            for layer in ("fc1", "fc2"):
                h = np.maximum(h @ w[f"{layer}.weight"].T + w[f"{layer}.bias"], 0)
            return h @ w["fc3.weight"].T + w["fc3.bias"]

        train, valid = logits(splits.x_train), logits(splits.x_valid)
        loss = (np.log(np.exp(valid).sum(1)) - valid[np.arange(len(valid)), splits.y_valid.numpy()]).mean()
        expected = {
            "train_accuracy": (train.argmax(1) == splits.y_train.numpy()).mean(),
            "valid_loss": loss,
            "valid_accuracy": (valid.argmax(1) == splits.y_valid.numpy()).mean(),
        }
        for metric, value in expected.items():
            assert recorder.series[lane.run, metric] == pytest.approx([value], rel=1e-12)


class Ordered(MemoryRecorder):
    """Checks at each `advance` that all points up to it are there."""

    advances = 0

    def advance(self, step: int) -> None:
        self.advances += 1
        assert step >= self.step
        series = self.series
        for run in {run for run, _ in series} - set(self.outcomes):
            assert [len(series[run, metric]) for metric in metric_names("step")] == [step, step]
            epochs = [len(series.get((run, metric), ())) for metric in EPOCH_METRICS]
            assert epochs == [step // STEPS_PER_EPOCH] * len(EPOCH_METRICS)
        super().advance(step)


@pytest.mark.parametrize(("block_seconds", "advances"), [(0, 64), (60, 2)])
def test_every_point_comes_once_in_order_and_before_its_advance(
    make_lanes: Any, splits: Splits, info: DatasetInfo, block_seconds: float, advances: int
) -> None:
    recorder = Ordered()
    train_lanes(make_lanes({}, seeds=(0, 1)), splits, info, recorder, TrainOptions(block_seconds=block_seconds))
    assert recorder.advances == advances  # with a long block: the first update at once, the rest at the end
    assert recorder.step == 64
    assert recorder.outcomes == {0: "completed", 1: "completed"}


@pytest.mark.parametrize(("polls", "steps"), [(0, 0), (1, 1), (20, 20), (32, 32), (40, 38)])
def test_a_stop_keeps_what_was_measured(
    make_lanes: Any, splits: Splits, info: DatasetInfo, polls: int, steps: int
) -> None:
    """Polls 32 and 33 come before the evaluation of the two splits, which each fit one chunk."""
    answers = iter([False] * polls)
    recorder = MemoryRecorder()
    with pytest.raises(Stopped):
        train_lanes(
            make_lanes({}), splits, info, recorder, TrainOptions(block_seconds=60), stopped=lambda: next(answers, True)
        )
    assert recorder.step == steps
    assert recorder.outcomes == {}
    assert len(recorder.series.get((0, "train_loss"), ())) == steps
    assert len(recorder.series.get((0, "valid_loss"), ())) == steps // 33


def test_lanes_that_cannot_share_a_program_are_refused(make_lanes: Any, splits: Splits, info: DatasetInfo) -> None:
    for arms in ([], [{}, {"batch_size": 8}], [{}, {"optimizer": "sgd"}], [{}, {"model.dropout": 0.1}]):
        lanes = make_lanes(*arms) if arms else []
        with pytest.raises(ValueError, match="share data set, model, optimizer, batch size, epochs and the order"):
            train_lanes(lanes, splits, info, MemoryRecorder())


def normed() -> Model:
    def build(inputs: tuple[int, ...], outputs: int) -> nn.Module:
        layers = [nn.Conv2d(inputs[0], 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2)]
        return nn.Sequential(*layers, nn.Linear(4 * 36, outputs))

    return build


class Normed(Entry):
    factory: ClassVar[Any] = staticmethod(normed)
    name: str = "normed"


def test_norm_statistics_belong_to_each_lane(make_lanes: Any, splits: Splits, info: DatasetInfo) -> None:
    lanes = [
        Lane(lane.run, lane.treatment.model_copy(update={"model": Normed()}), lane.seed)
        for lane in make_lanes({"initializer": "he_normal"}, {"initializer": "normal_rule"}, seeds=(0, 1), epochs=1)
    ]
    fast = trained(lanes, splits, info, dtype=torch.float64)
    assert_agree(fast, referred(lanes, splits, info, torch.float64), [lane.run for lane in lanes], 1e-10)
    assert all(math.isfinite(fast.series[lane.run, "valid_loss"][-1]) for lane in lanes)
