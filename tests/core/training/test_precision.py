"""Precision: what a CPU makes of it, and that it is part of what lanes share."""

from typing import Any, get_args

import numpy as np
import pytest
import torch

from core.datasets import DatasetPaths
from core.spec import check, parse
from core.training import MemoryRecorder, Profile, Stopped, make_plan, train_lanes
from core.training.compatibility import compatibility_key
from core.training.options import Layout
from tests.core.training.trials import PICTURES, made, trained

DATA, FACTS = made(PICTURES, train=54, valid=20)
MODELS: list[dict[str, Any]] = [
    {"name": "mlp", "hidden": [12, 8], "activation": "tanh", "dropout": 0.2},
    {"name": "cnn", "channels": [4], "dense": [8], "activation": "elu"},
    {"name": "transformer", "d_model": 8, "heads": 2, "layers": 1},
]
GIVEN: dict[str, Any] = {"optimizer": {"name": "sgd", "lr": 0.01}, "batch_size": 16, "epochs": 3}
ARMS: list[dict[str, Any]] = [{"initializer": "he_normal"}, {"initializer": "torch_default"}]
BF16 = 2.0**-8
"""The spacing of bfloat16 at 1: a product's terms are rounded by half of it."""


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["name"])
def test_bfloat16_is_near_float32_and_not_it(make_lanes: Any, model: dict[str, Any]) -> None:
    exact, rounded = (
        trained(make_lanes(*ARMS, seeds=(0, 3), model=model, precision=precision, **GIVEN), DATA, FACTS)
        for precision in ("fp32", "bf16")
    )
    assert exact.series.keys() == rounded.series.keys()
    for run in exact.outcomes:
        for metric in ("train_loss", "valid_loss"):
            ours, theirs = rounded.series[run, metric], exact.series[run, metric]
            assert ours.dtype == theirs.dtype
            assert (ours != theirs).any()
            # a few roundings to 8 bits one after the other, in some ten updates
            np.testing.assert_allclose(ours, theirs, rtol=16 * BF16)
        assert rounded.series[run, "lr"].tobytes() == exact.series[run, "lr"].tobytes()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["name"])
def test_one_bfloat16_lane_is_near_many(make_lanes: Any, model: dict[str, Any]) -> None:
    lanes = make_lanes(*ARMS, seeds=(0, 3), model=model, precision="bf16", **GIVEN)
    together, alone = trained(lanes, DATA, FACTS), trained(lanes[:1], DATA, FACTS)
    for metric in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(alone.series[0, metric], together.series[0, metric], rtol=16 * BF16)
    for recorder in (together, alone):
        losses = torch.from_numpy(recorder.series[0, "train_loss"])
        assert (losses.bfloat16().float() != losses).all(), "what is rounded are products, not the loss"


@pytest.mark.parametrize("layout", get_args(Layout))
def test_learned_slopes_train_in_bfloat16_in_either_layout(make_lanes: Any, layout: Layout) -> None:
    model = {"name": "mlp", "hidden": [12, 8], "activation": "prelu"}
    exact, rounded = (
        trained(make_lanes(*ARMS, model=model, precision=precision, **GIVEN), DATA, FACTS, layout=layout)
        for precision in ("fp32", "bf16")
    )
    for key, values in exact.series.items():
        if key[1] in ("train_loss", "valid_loss"):
            np.testing.assert_allclose(rounded.series[key], values, rtol=16 * BF16)


def test_bfloat16_twice_is_bit_identical(make_lanes: Any) -> None:
    lanes = make_lanes(*ARMS, seeds=(0, 3), model=MODELS[1], precision="bf16", **GIVEN)
    a, b = trained(lanes, DATA, FACTS), trained(lanes, DATA, FACTS)
    assert all(values.tobytes() == b.series[key].tobytes() for key, values in a.series.items())


def test_weights_norms_and_optimizer_stay_in_float32(make_lanes: Any) -> None:
    lanes = make_lanes(*ARMS, model=MODELS[1], precision="bf16", **GIVEN | {"optimizer": "adam"})
    with pytest.raises(Stopped) as stop:
        answers = iter([False] * 4)
        train_lanes(lanes, DATA, FACTS, MemoryRecorder(), stopped=lambda: next(answers, True))
    state = stop.value.checkpoint().state
    kinds = {name.split("/")[0] for name in state}
    assert kinds == {"parameters", "slots", "buffers"}
    assert {values.dtype for name, values in state.items() if "num_batches" not in name} == {torch.float32}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["name"])
def test_tf32_is_a_gpus(make_lanes: Any, model: dict[str, Any]) -> None:
    exact, same = (
        trained(make_lanes(*ARMS, seeds=(0, 3), model=model, precision=precision, **GIVEN), DATA, FACTS)
        for precision in ("fp32", "tf32")
    )
    assert all(values.tobytes() == same.series[key].tobytes() for key, values in exact.series.items())


OTHER: list[dict[str, Any]] = [
    {"precision": "bf16"},
    {"precision": "tf32"},
    {"precision": "fp16"},
    {"augment": {"crop": 1}},
    {"augment": {"crop": 2}},
    {"augment": {"crop": 2, "flip": True}},
]


def test_other_precision_or_augmentation_is_another_program(make_lanes: Any) -> None:
    lanes = make_lanes({}, *OTHER, model=MODELS[0])
    assert len({compatibility_key(lane.treatment) for lane in lanes}) == len(lanes)
    for other in lanes[1:]:
        with pytest.raises(ValueError, match="share"):
            train_lanes([lanes[0], other], DATA, FACTS, MemoryRecorder())


def test_other_precision_or_augmentation_is_another_cohort() -> None:
    arms = [{"label": f"arm {i}"} | arm for i, arm in enumerate([{}, {"schedule": "cosine"}, *OTHER])]
    spec = parse({"arms": arms, "seeds": 2, "epochs": 1})
    cohorts = make_plan(spec, check(spec, DatasetPaths()), Profile.guess()).cohorts
    members = sorted(sorted({arm for arm, _ in cohort.members}) for cohort in cohorts)
    assert members == [[0, 1], [2], [3], [4], [5], [6], [7]]
