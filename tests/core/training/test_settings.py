"""Settings of training scripts as arms: clipping, losses, weight decay on weights alone, averaged weights, batches.

Held in float64 against the plain loop, which has torch's own functions, and against torch, Keras and formulas.
"""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import InvalidSpec
from core.optimizers import optimizers
from core.spec import parse
from core.training import MemoryRecorder, Resume, TrainOptions, train_lanes
from core.training.checkpoint import Checkpoint
from core.training.compatibility import compatibility_key
from core.training.lanes.clipping import adaptively, by_norm, by_value
from core.training.options import Layout
from tests.core.training.trials import PICTURES, TABLE, assert_near, assert_same, made, referred, rule, trained

MLP = {"name": "mlp", "hidden": [8, 6], "activation": "tanh", "dropout": 0.3, "norm": "layer_norm"}
CNN = {"name": "cnn", "channels": [3], "dense": [6], "activation": "elu"}
SETTINGS: dict[str, list[dict[str, Any]]] = {
    "norm": [{"gradient_clip": {"norm": 0.5}}, {"gradient_clip": {"norm": 1e6}}],
    "value": [{"gradient_clip": {"value": 0.01}}, {"gradient_clip": {"value": 0.1}}],
    "adaptive": [{"gradient_clip": {"adaptive": 0.01}}, {"gradient_clip": {"adaptive": 0.3}}],
    "smoothing": [{"label_smoothing": 0.1}, {"label_smoothing": 0.4}],
    "weighted and smoothed": [
        {"class_weights": [0.5, 2.0, 3.0], "label_smoothing": 0.1},
        {"class_weights": "balanced", "label_smoothing": 0.3},
    ],
    "focal, weighted and smoothed": [
        {"focal_loss": {}, "class_weights": [0.5, 2.0, 3.0], "label_smoothing": 0.2},
        {"focal_loss": {"gamma": 0.5}, "class_weights": "balanced", "label_smoothing": 0.1},
    ],
    "mixed": [
        {"mixup": 0.4, "cutmix": 1.0, "class_weights": [0.5, 2.0, 3.0], "label_smoothing": 0.1},
        {"mixup": 0.4, "cutmix": 1.0, "class_weights": "balanced", "label_smoothing": 0.2},
    ],
    "decay": [{"weight_decay_on": "weights"}, {"weight_decay_on": "all"}],
    "in parts": [
        {"micro_batch_size": 3, "class_weights": [0.5, 2.0, 3.0], "optimizer.lr": 0.02},
        {"micro_batch_size": 3, "class_weights": "balanced"},
    ],
    "dropped": [{"drop_last": True}, {"drop_last": True, "optimizer.lr": 0.01}],
    "averaged": [{"ema_decay": 0.9}, {"ema_decay": 0.5}],
    "by depth": [{"layer_lr_decay": 0.5}, {}, {"layer_lr_decay": 0.9}],
    "by name": [{"lr_per_layer": {"*1": 0.1, "*.bias": 2.0}}, {"lr_per_layer": {"*1": 0.0}}, {"layer_lr_decay": 0.5}],
    "sam": [{"sam": {"rho": 0.05}}, {"sam": {"rho": 0.5}}],
    "adaptive sam": [{"sam": {"rho": 0.5, "adaptive": True}}, {"sam": {"rho": 2.0, "adaptive": True}}],
    "in float16": [
        {"precision": "fp16", "gradient_clip": {"norm": 0.5}, "micro_batch_size": 3, "optimizer.lr": 0.02},
        {"precision": "fp16", "gradient_clip": {"norm": 1e6}, "micro_batch_size": 3},
    ],
    "all": [
        {"gradient_clip": {"norm": 0.5}, "label_smoothing": 0.1, "ema_decay": 0.9, "weight_decay_on": "weights",
         "sam": {"rho": 0.1}, "layer_lr_decay": 0.8},
        {"gradient_clip": {"norm": 0.3}, "label_smoothing": 0.2, "ema_decay": 0.8, "weight_decay_on": "weights",
         "sam": {"rho": 0.2}, "lr_per_layer": {"*1": 0.0}},
    ],
}  # fmt: skip


@pytest.mark.thin(2)
@pytest.mark.parametrize("layout", ["vmap", "loop"])
@pytest.mark.parametrize("model", [MLP, CNN], ids=lambda model: model["name"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_lanes_are_the_plain_loop(make_lanes: Any, setting: str, model: dict[str, Any], layout: Layout) -> None:
    data, info = made(PICTURES, train=22, valid=10)
    if setting in ("in parts", "in float16") and model is CNN:
        model = CNN | {"batch_norm": False}
    lanes = make_lanes(*SETTINGS[setting], seeds=(0, 3), model=model, optimizer=rule("adamw"), batch_size=8, epochs=3)
    programs: dict[object, list[Any]] = {}
    for lane in lanes:
        programs.setdefault(compatibility_key(lane.treatment), []).append(lane)
    assert len(programs) == (2 if setting == "decay" else 1)
    for mine in programs.values():
        fast = trained(mine, data, info, dtype=torch.float64, layout=layout)
        assert_near(fast, referred(mine, data, info), 1e-10, 1e-13)


def test_runs_of_one_program_climb_by_one_rule(make_lanes: Any) -> None:
    arms = [{"sam": {}}, {"sam": {"rho": 1.0}}, {"sam": {"adaptive": True}}, {}, {"lr_per_layer": {"fc1": 0.0}}]
    a, b, adaptive, plain, frozen = (compatibility_key(lane.treatment) for lane in make_lanes(*arms))
    assert a == b
    assert plain == frozen
    assert len({a, adaptive, plain}) == 3


WHOLE = [*(name for name in optimizers if optimizers.parse(name).build().as_a_whole), "adan"]
"""Optimizers that look at whole parameters, and one that keeps a gradient."""


@pytest.mark.parametrize("layout", ["vmap", "loop"])
@pytest.mark.parametrize("optimizer", WHOLE)
def test_every_setting_goes_with_rules_of_whole_parameters(make_lanes: Any, optimizer: str, layout: Layout) -> None:
    """Of a network with convolutions among its hidden layers, whose weights lie with their channels last by loop."""
    data, info = made(PICTURES, train=22, valid=10)
    model = {**CNN, "channels": [3, 4]}
    lanes = make_lanes(*SETTINGS["all"], seeds=(0, 3), model=model, optimizer=rule(optimizer), batch_size=8, epochs=3)
    assert len({compatibility_key(lane.treatment) for lane in lanes}) == 1
    assert_near(
        trained(lanes, data, info, dtype=torch.float64, layout=layout), referred(lanes, data, info), 1e-10, 1e-13
    )


def test_a_network_without_hidden_layers_is_adamws(make_lanes: Any) -> None:
    data, info = made(PICTURES, train=22, valid=10)
    muon = {"name": "muon", "lr": 0.1, "adamw_lr_scale": 0.125, "weight_decay": 0.3}
    adamw = {"name": "adamw", "lr": 0.0125, "beta2": 0.95, "eps": 1e-10, "weight_decay": 0.3}
    given = {"model": {"name": "mlp", "hidden": [6]}, "batch_size": 8, "epochs": 2}
    one, other = (trained(make_lanes({}, optimizer=rule, **given), data, info) for rule in (muon, adamw))
    for metric in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(one.series[0, metric], other.series[0, metric], rtol=1e-6)


@pytest.mark.parametrize("optimizer", ["adamw", "schedule_free_adamw", *WHOLE])
def test_what_is_frozen_keeps_its_bits_and_stays_out_of_the_gradient(make_lanes: Any, optimizer: str) -> None:
    """In the lane that freezes it alone; the other lane, which trains it, is as without that neighbour.

    But for rounding: AdamW has a way of its own for lanes whose rates agree.
    """
    data, info = made(PICTURES, train=22, valid=10)
    given = {"seeds": (0,), "model": MLP, "optimizer": rule(optimizer), "batch_size": 8, "epochs": 2}
    lanes = make_lanes({"lr_per_layer": {"fc1*": 0.0, "*.bias": 0.0}}, {"initializer": "he_normal"}, **given)
    kept: list[Checkpoint] = []
    recorder = MemoryRecorder()
    options = TrainOptions(keep_seconds=0, diagnose_every=1)
    train_lanes(lanes, data, info, recorder, options, keep=kept.append)
    first, last = kept[0].state, kept[-1].state
    for name in [name for name in first if name.startswith("parameters/")]:
        still = name.startswith("parameters/fc1") or name.endswith(".bias")
        assert torch.equal(first[name][0], last[name][0]) == still, name
        assert not torch.equal(first[name][1], last[name][1]), name
    alone = MemoryRecorder()
    train_lanes(lanes[1:], data, info, alone, options)
    key = lanes[1].run, "train_loss"
    np.testing.assert_allclose(alone.series[key], recorder.series[key], rtol=1e-5)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_changes_the_training(make_lanes: Any, setting: str) -> None:
    """So that the agreement above is about something."""
    data, info = made(PICTURES, train=22, valid=10)
    given = {"seeds": (0,), "model": MLP, "optimizer": rule("adamw"), "batch_size": 8, "epochs": 3}
    (plain,), (set_,) = make_lanes({}, **given), make_lanes(SETTINGS[setting][0], **given)
    a, b = trained([plain], data, info, dtype=torch.float64), trained([set_], data, info, dtype=torch.float64)
    if setting == "averaged":
        assert a.series[0, "valid_loss"].tobytes() == b.series[0, "valid_loss"].tobytes(), "it only looks"
        assert (b.series[0, "valid_loss"] != b.series[0, "valid_loss_ema"]).all()
        assert (0, "valid_loss_ema") not in a.series
    else:
        assert (a.series[0, "valid_loss"] != b.series[0, "valid_loss"]).all()


BINARY: dict[str, list[dict[str, Any]]] = {
    "smoothing": [{"label_smoothing": 0.2}, {"label_smoothing": 0.05}],
    "focal, alpha": [{"focal_loss": {"alpha": 0.25}}, {"focal_loss": {"gamma": 0.5, "alpha": 0.7}}],
    "mixed": [{"mixup": 0.4}, {"mixup": 0.4, "optimizer.lr": 0.02}],
    "all": [
        {"class_weights": [0.5, 2.0], "label_smoothing": 0.2, "focal_loss": {}},
        {"class_weights": "balanced", "label_smoothing": 0.1, "focal_loss": {"gamma": 0.5}},
    ],
}


@pytest.mark.parametrize("layout", ["vmap", "loop"])
@pytest.mark.parametrize("setting", BINARY)
def test_lanes_of_a_binary_target_are_the_plain_loop(make_lanes: Any, setting: str, layout: Layout) -> None:
    data, info = made(TABLE, train=22, valid=10, classes=3)
    data = data._replace(**{y: (getattr(data, y) == 1).float().unsqueeze(1) for y in ("y_train", "y_valid")})
    info = info._replace(outputs=1, task="binary")
    lanes = make_lanes(
        *BINARY[setting], seeds=(0, 3), model={"name": "mlp", "hidden": [6], "activation": "tanh"},
        optimizer=rule("sgd"), batch_size=8, epochs=2,
    )  # fmt: skip
    fast = trained(lanes, data, info, dtype=torch.float64, layout=layout)
    assert_near(fast, referred(lanes, data, info), 1e-10, 1e-13)


def stacks(lanes: int) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    generator = torch.Generator().manual_seed(1)
    shapes = [(4, 3, 2, 2), (4,), (5, 6), ()]
    return tuple([torch.randn(lanes, *shape, generator=generator) for shape in shapes] for _ in range(2))  # type: ignore[return-value]


def of_lane(values: list[torch.Tensor], gradients: list[torch.Tensor], lane: int) -> list[nn.Parameter]:
    found = []
    for value, gradient in zip(values, gradients, strict=True):
        parameter = nn.Parameter(value[lane].clone())
        parameter.grad = gradient[lane].clone()
        found.append(parameter)
    return found


def test_clipping_by_norm_and_value_is_torchs() -> None:
    values, gradients = stacks(3)
    bounds = torch.tensor([0.5, 1e9, 3.0])
    by_length, by_number = copy.deepcopy(gradients), copy.deepcopy(gradients)
    by_norm(by_length, bounds)
    by_value(by_number, bounds / 4)
    for lane in range(3):
        one, other = of_lane(values, gradients, lane), of_lane(values, gradients, lane)
        nn.utils.clip_grad_norm_(one, float(bounds[lane]))
        nn.utils.clip_grad_value_(other, float(bounds[lane]) / 4)
        for mine, theirs in ((by_length, one), (by_number, other)):
            for stack, parameter in zip(mine, theirs, strict=True):
                torch.testing.assert_close(stack[lane], parameter.grad, rtol=1e-6, atol=1e-7)


def units_of(parameter: torch.Tensor) -> torch.Tensor:
    return parameter.flatten(1) if parameter.ndim > 1 else parameter.reshape(1, -1)


def test_adaptive_clipping_bounds_each_unit_by_its_weights() -> None:
    """Every unit's gradient is at most a tenth of its weights' length, with at least 1e-3 for units of zeros."""
    values, gradients = stacks(2)
    values[2][0, 3] = 0.0
    clipped = copy.deepcopy(gradients)
    adaptively(values, clipped, torch.tensor([0.1, 1e9]))
    for stack, weights, before in zip(clipped, values, gradients, strict=True):
        assert torch.equal(stack[1], before[1]), "a bound that is never met changes nothing"
        for g, w, was in zip(*(units_of(one[0]) for one in (stack, weights, before)), strict=True):
            most = 0.1 * max(float(w.norm()), 1e-3)
            assert float(g.norm()) == pytest.approx(min(most, float(was.norm())), rel=1e-5)
            torch.testing.assert_close(g / g.norm(), was / was.norm())


def test_means_of_weights_go_on_from_a_checkpoint(make_lanes: Any, tmp_path: Path) -> None:
    data, info = made(PICTURES, train=22, valid=10)
    lanes = make_lanes(*SETTINGS["averaged"], seeds=(0,), model=CNN, optimizer=rule("sgd"), batch_size=8, epochs=4)
    kept: list[tuple[Checkpoint, MemoryRecorder]] = []
    whole = MemoryRecorder()
    keep = lambda checkpoint: kept.append((checkpoint, copy.deepcopy(whole)))  # noqa: E731
    train_lanes(lanes, data, info, whole, TrainOptions(keep_seconds=0), keep=keep)
    for checkpoint, recorder in (kept[1], kept[7]):
        checkpoint.write(tmp_path / "checkpoint")
        start = Checkpoint.read(tmp_path / "checkpoint")
        train_lanes(lanes, data, info, recorder, TrainOptions(), Resume(start=start))
        assert_same(recorder, whole)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"gradient_clip": {}}, "give one of norm, value and adaptive"),
        ({"gradient_clip": {"norm": 1.0, "value": 1.0}}, "give one of norm, value and adaptive"),
        ({"gradient_clip": {"norm": 0.0}}, "greater than 0"),
        ({"label_smoothing": 1.0}, "less than 1"),
        ({"ema_decay": 1.0}, "less than 1"),
        ({"class_weights": [1.0, 0.0]}, "above 0, at most"),
        ({"class_weights": "equal"}, "balanced"),
        ({"focal_loss": {"gamma": -1.0}}, "greater than or equal to 0"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSpec, match=message):
        parse(given)
