"""What the trainer's tests train on and how they compare: small data, recorders, two measures of agreement."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import numpy as np
import torch

from core.datasets import DatasetInfo, Splits
from core.optimizers import optimizers
from core.streams import generator
from core.training import Lane, MemoryRecorder, Resume, TrainingData, TrainOptions, train_lanes, train_run

_OPTIONS, _RESUME = ({field.name for field in fields(value)} for value in (TrainOptions, Resume))

PICTURES = (1, 8, 8)
COLOURED = (3, 12, 12)
TABLE = (5,)

SMALL_EPS = {"eps": 1e-3}
"""With their own, a hidden gradient of 1e-17, 0 but for rounding, would move a weight."""
NUMBERS: dict[str, dict[str, Any]] = {
    "adam": {"lr": 0.003, "weight_decay": 0.1, **SMALL_EPS},
    "adamw": {"lr": 0.003, "weight_decay": 0.1, **SMALL_EPS},
    "radam": {"lr": 0.003, "weight_decay": 0.1, **SMALL_EPS},
    "nadam": {"lr": 0.003, "weight_decay": 0.1, **SMALL_EPS},
    "rmsprop": {"lr": 0.001, "momentum": 0.5, "weight_decay": 0.1, **SMALL_EPS},
    "adagrad": {"lr": 0.01, "lr_decay": 0.1, **SMALL_EPS},
    "schedule_free_adamw": {"lr": 0.003, "weight_decay": 0.1, **SMALL_EPS},
    "lion": {"lr": 0.0003, "weight_decay": 1.0},
    "lamb": {"lr": 0.003, "weight_decay": 0.1, **SMALL_EPS},
    "lars": {"lr": 1.0, "weight_decay": 0.1, "trust_coeff": 0.01},
    "adan": {"lr": 0.003, "weight_decay": 0.1, **SMALL_EPS},
    "muon": {"lr": 0.01, "weight_decay": 0.1, "adamw_lr_scale": 0.3, "adamw_eps": 1e-3},
    "sgd": {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.1},
}
CHOICES = [
    f"{name} {field}"
    for name in optimizers
    for field, value in optimizers[name].model_fields.items()
    if value.annotation is bool
]
"""An optimizer and one thing that it can also do."""

CUT = {"name": "reduce_on_plateau", "metric": "valid_loss", "mode": "max", "factor": 0.5, "patience": 0, "eps": 0.0}
"""A loss that falls never improves by this: the rate is cut after every epoch but the first."""


def rule(program: str) -> dict[str, Any]:
    """An optimizer with small, well-conditioned numbers, by its name and the choices that are true."""
    name, *choices = program.split()
    return {"name": name, **NUMBERS.get(name, {}), **dict.fromkeys(choices, True)}


def made(inputs: tuple[int, ...], train: int, valid: int, classes: int = 3) -> tuple[Splits, DatasetInfo]:
    """Classes whose examples lie around points of their own."""
    random = generator(0, "test", *inputs)
    y = torch.arange(train + valid) % classes
    x = torch.randn(classes, *inputs, generator=random)[y] + torch.randn(train + valid, *inputs, generator=random)
    return Splits(x[:train], y[:train], x[train:], y[train:]), DatasetInfo(inputs, classes, train, valid)


def trained(lanes: list[Lane], data: TrainingData, info: DatasetInfo, **options: Any) -> MemoryRecorder:
    recorder = MemoryRecorder()
    train_lanes(lanes, data, info, recorder, **arranged(**options))
    return recorder


def arranged(**options: Any) -> dict[str, Any]:
    """Return keywords of `train_lanes`: those of `TrainOptions` and of `Resume` as these values, others as they are."""
    found: dict[str, Any] = {"options": {}, "resume": {}}
    for name, value in options.items():
        (found["options"] if name in _OPTIONS else found["resume"] if name in _RESUME else found)[name] = value
    return found | {"options": TrainOptions(**found["options"]), "resume": Resume(**found["resume"])}


def referred(lanes: list[Lane], data: Splits, info: DatasetInfo, dtype: torch.dtype = torch.float64) -> MemoryRecorder:
    recorder = MemoryRecorder()
    for lane in lanes:
        train_run(lane, data, info, recorder, dtype=dtype)
    return recorder


def assert_near(
    ours: MemoryRecorder, theirs: MemoryRecorder, rtol: float, atol: float = 0.0, runs: Iterable[int] | None = None
) -> None:
    """The same points of the same runs, or of some of them, as near as that."""
    mine, other = (
        {key: values for key, values in recorder.series.items() if runs is None or key[0] in runs}
        for recorder in (ours, theirs)
    )
    assert mine
    assert mine.keys() == other.keys()
    for (run, metric), values in mine.items():
        message = f"{metric} of run {run}"
        assert ours.outcomes[run] == theirs.outcomes[run]
        np.testing.assert_allclose(values, other[run, metric], rtol=rtol, atol=atol, err_msg=message)


def assert_same(ours: MemoryRecorder, theirs: MemoryRecorder) -> None:
    """Bit for bit."""
    assert ours.outcomes == theirs.outcomes
    assert ours.step == theirs.step
    assert ours.series.keys() == theirs.series.keys()
    for (run, metric), values in ours.series.items():
        assert values.tobytes() == theirs.series[run, metric].tobytes(), f"{metric} of run {run}"
