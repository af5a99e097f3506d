"""Binary tasks and regression: the plain loop, and scikit-learn's metrics, are the specification."""

from typing import Any

import numpy as np
import pytest
import torch

from core.datasets import DatasetInfo, Splits
from core.metrics import Task, epoch_metrics, metric_names
from core.streams import generator
from core.training import MemoryRecorder, TrainOptions, initial_state, train_lanes, train_run
from core.training.lanes import model as stack
from tests.core.metrics.peers import peer_of

MEASURED = {
    "binary": {
        *("train_accuracy", "valid_loss", "valid_accuracy", "valid_auc", "valid_balanced_accuracy"),
        *("valid_precision", "valid_recall", "valid_log_loss"),
    },
    "regression": {"train_r2", "valid_loss", "valid_r2", "valid_rmse", "valid_mae"},
}
"""At least."""
TRAIN, VALID, FEATURES = 203, 61, 7
ARMS = [
    {"initializer": "he_normal"},
    {"initializer": "torch_default", "schedule": "cosine"},
    {"initializer": "glorot_uniform", "optimizer.lr": 0.05},
]


def problem(task: Task) -> tuple[Splits, DatasetInfo]:
    random = generator(7, task)
    x = torch.randn(TRAIN + VALID, FEATURES, generator=random)
    y = torch.stack((x[:, 0] * x[:, 1] + x[:, 2], 3 * x[:, 3] - 1), 1) + 0.1 * torch.randn(len(x), 2, generator=random)
    if task == "binary":
        y = (y[:, :1] > 0.2).float()
    data = Splits(x[:TRAIN], y[:TRAIN], x[TRAIN:], y[TRAIN:])
    return data, DatasetInfo((FEATURES,), y.shape[1], TRAIN, VALID, task)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_lanes_agree_with_the_plain_loop(make_lanes: Any, task: Task) -> None:
    data, info = problem(task)
    lanes = make_lanes(*ARMS, seeds=(0, 3), optimizer={"name": "adam", "lr": 0.01}, epochs=8)
    fast, slow = MemoryRecorder(), MemoryRecorder()
    train_lanes(lanes, data, info, fast, TrainOptions(dtype=torch.float64))
    for lane in lanes:
        train_run(lane, data, info, slow, dtype=torch.float64)
    assert fast.series.keys() == slow.series.keys()
    assert {metric for _, metric in fast.series} == {*metric_names("step"), *epoch_metrics(task, info.outputs)}
    for key, values in slow.series.items():
        np.testing.assert_allclose(fast.series[key], values, rtol=1e-9, atol=1e-12, err_msg=str(key))
    for lane in lanes:
        losses = fast.series[lane.run, "train_loss"]
        assert losses[-7:].mean() < 0.95 * losses[:7].mean(), "it learns"


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("trainer", ["lanes", "plain loop"])
def test_an_epochs_metrics_are_scikit_learns(
    make_lanes: Any, task: Task, trainer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "EVALUATION", {"cpu": 9 * 10})  # in chunks of 10 examples
    data, info = problem(task)
    still = {"name": "linear_warmup", "warmup_steps": 10**6, "end_lr": 0.0}
    (lane,) = make_lanes({"initializer": "he_normal"}, schedule=still, epochs=1, model={"name": "mlp", "hidden": [9]})
    recorder = MemoryRecorder()
    if trainer == "lanes":
        train_lanes([lane], data, info, recorder, TrainOptions(dtype=torch.float64, judge_all=True))
    else:
        train_run(lane, data, info, recorder, dtype=torch.float64, judge_all=True)
    w = {name: value.numpy() for name, value in initial_state(lane.treatment, info, lane.seed, torch.float64).items()}

    def outputs(x: torch.Tensor) -> Any:
        hidden = np.maximum(x.double().numpy() @ w["fc1.weight"].T + w["fc1.bias"], 0)
        return hidden @ w["fc2.weight"].T + w["fc2.bias"]

    names = epoch_metrics(task, info.outputs)
    assert set(names) >= MEASURED[task]
    for name in names:
        x, y = (data.x_train, data.y_train) if name.startswith("train_") else (data.x_valid, data.y_valid)
        expected = peer_of(name)(outputs(x), y.numpy())
        assert recorder.series[lane.run, name] == pytest.approx([expected], rel=1e-6), name
