"""Schedules under their peers' names: with the peers' defaults, units and parameters, or refused for the difference."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from pydantic_core import PydanticCustomError
from torch.optim import lr_scheduler as ls

from core.schedules import schedules
from tests.core.schedules.curves import agree, ours

EPOCHS, STEPS_PER_EPOCH = 12, 3
STEPS = EPOCHS * STEPS_PER_EPOCH


def named(one: Any) -> str:
    return one["name"] if isinstance(one, dict) else ""


BY_EPOCH: list[tuple[dict[str, Any], Callable[[Any], Any]]] = [
    ({"name": "ConstantLR"}, lambda o: ls.ConstantLR(o)),
    ({"name": "constant_lr", "factor": 0.5, "total_iters": 3}, lambda o: ls.ConstantLR(o, 0.5, 3)),
    ({"name": "LinearLR"}, lambda o: ls.LinearLR(o)),
    ({"name": "linear_lr", "total_iters": 7}, lambda o: ls.LinearLR(o, total_iters=7)),
    ({"name": "ExponentialLR", "gamma": 0.9}, lambda o: ls.ExponentialLR(o, 0.9)),
    ({"name": "exponential_lr", "gamma": 0.9}, lambda o: ls.ExponentialLR(o, 0.9)),
    ({"name": "StepLR", "step_size": 2}, lambda o: ls.StepLR(o, 2)),
    ({"name": "MultiStepLR", "milestones": [2, 5]}, lambda o: ls.MultiStepLR(o, [2, 5])),
    ({"name": "PolynomialLR"}, lambda o: ls.PolynomialLR(o)),
    ({"name": "polynomial_lr", "total_iters": 9, "power": 0.9}, lambda o: ls.PolynomialLR(o, 9, 0.9)),
    ({"name": "CosineAnnealingLR", "T_max": 5, "eta_min": 0.01}, lambda o: ls.CosineAnnealingLR(o, 5, 0.01)),
    ({"name": "cosine_annealing_lr", "T_max": 5}, lambda o: ls.CosineAnnealingLR(o, 5)),
    ({"name": "CosineAnnealingWarmRestarts", "T_0": 3}, lambda o: ls.CosineAnnealingWarmRestarts(o, 3)),
    ({"name": "LambdaLR", "lr_lambda": "0.95 ** epoch"}, lambda o: ls.LambdaLR(o, lambda epoch: 0.95**epoch)),
    ({"name": "MultiplicativeLR", "lr_lambda": "0.95"}, lambda o: ls.MultiplicativeLR(o, lambda _epoch: 0.95)),
    (
        {
            "name": "SequentialLR",
            "milestones": [4],
            "schedulers": ["LinearLR", {"name": "ExponentialLR", "gamma": 0.9}],
        },
        lambda o: ls.SequentialLR(o, [ls.LinearLR(o), ls.ExponentialLR(o, 0.9)], [4]),
    ),
    (
        {"name": "ChainedScheduler", "schedulers": ["ConstantLR", {"name": "ExponentialLR", "gamma": 0.9}]},
        lambda o: ls.ChainedScheduler([ls.ConstantLR(o), ls.ExponentialLR(o, 0.9)]),
    ),
]
BY_UPDATE: list[tuple[dict[str, Any], Callable[[Any], Any]]] = [
    ({"name": "OneCycleLR", "max_lr": 0.3}, lambda o: ls.OneCycleLR(o, 0.3, STEPS)),
    (
        {"name": "CyclicLR", "max_lr": 0.3, "step_size_up": 5},
        lambda o: ls.CyclicLR(o, 0.1, 0.3, 5, cycle_momentum=False),
    ),
]
PADDLE: list[tuple[dict[str, Any], Callable[[int], float]]] = [
    ({"name": "NoamDecay", "d_model": 4, "warmup_steps": 8}, lambda t: 0.05 * min(t**-0.5 if t else 0.0, t * 8**-1.5)),
    ({"name": "PiecewiseDecay", "boundaries": [9], "values": [0.1, 0.02]}, lambda t: 0.1 if t < 9 else 0.02),
    ({"name": "NaturalExpDecay", "gamma": 0.1}, lambda t: 0.1 * math.exp(-0.1 * t)),
    ({"name": "InverseTimeDecay", "gamma": 0.1}, lambda t: 0.1 / (1 + 0.1 * t)),
    (
        {"name": "PolynomialDecay", "decay_steps": 20, "power": 2.0},
        lambda t: (0.1 - 1e-4) * (1 - min(t, 20) / 20) ** 2 + 1e-4,
    ),
    (
        {"name": "LinearWarmup", "learning_rate": 0.05, "warmup_steps": 10, "start_lr": 0.0, "end_lr": 0.2},
        lambda t: 0.02 * t if t < 10 else 0.05,
    ),
    (
        {
            "name": "LinearWarmup",
            "learning_rate": {"name": "ExponentialDecay", "gamma": 0.9},
            "warmup_steps": 10,
            "start_lr": 0.0,
            "end_lr": 0.1,
        },
        lambda t: 0.01 * t if t < 10 else 0.1 * 0.9 ** (t - 10),
    ),
    ({"name": "ExponentialDecay", "gamma": 0.9}, lambda t: 0.1 * 0.9**t),
    ({"name": "MultiStepDecay", "milestones": [2, 5]}, lambda t: 0.1 * 0.1 ** ((t >= 6) + (t >= 15))),
    ({"name": "StepDecay", "step_size": 2}, lambda t: 0.1 * 0.1 ** (t // 6)),
    ({"name": "LambdaDecay", "lr_lambda": "0.95 ** t"}, lambda t: 0.1 * 0.95**t),
    ({"name": "MultiplicativeDecay", "lr_lambda": "0.95"}, lambda t: 0.1 * 0.95**t),
    (
        {"name": "CosineAnnealingDecay", "T_max": 10, "eta_min": 0.01},
        lambda t: 0.01 + 0.09 * (1 + math.cos(math.pi * t / 10)) / 2,
    ),
    (
        {"name": "CyclicLR", "max_learning_rate": 0.5, "step_size_up": 4, "mode": "exp_range", "exp_gamma": 0.9},
        lambda t: 0.1 + 0.4 * (1 - abs(t % 8 - 4) / 4) * 0.9**t,
    ),
    (
        {"name": "OneCycleLR", "max_learning_rate": 0.5, "total_steps": 36, "divide_factor": 5.0, "phase_pct": 1.0},
        lambda t: 0.5 + (0.1 - 0.5) * (1 + math.cos(math.pi * t / 35)) / 2,
    ),
]
"""By the formulas of paddle.optimizer.lr 3.3.1 (python/paddle/optimizer/lr.py), a call of step() being an update, or
for those that its own text calls epoch decays, an epoch."""


def torchs(make: Callable[[Any], Any], calls: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = make(optimizer)
    found = []
    for _ in range(calls):
        found.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        schedule.step()
    return found


@pytest.mark.filterwarnings("ignore:.*epoch parameter:UserWarning")  # torch's own, of its SequentialLR
@pytest.mark.parametrize(("raw", "peer"), BY_EPOCH, ids=named)
def test_torchs_names_count_epochs(raw: Any, peer: Any) -> None:
    of_epochs = torchs(peer, EPOCHS)
    agree(ours(raw, STEPS, STEPS_PER_EPOCH), [lr for lr in of_epochs for _ in range(STEPS_PER_EPOCH)])


@pytest.mark.parametrize(("raw", "peer"), BY_UPDATE, ids=named)
def test_torchs_names_of_one_run_count_updates(raw: Any, peer: Any) -> None:
    agree(ours(raw, STEPS, STEPS_PER_EPOCH), torchs(peer, STEPS))


@pytest.mark.parametrize(("raw", "formula"), PADDLE, ids=named)
def test_paddles_names_are_known(raw: Any, formula: Callable[[int], float]) -> None:
    agree(ours(raw, STEPS, STEPS_PER_EPOCH), [formula(t) for t in range(STEPS)])


def test_every_paddle_class_is_known() -> None:
    """Those of paddle.optimizer.lr 3.3.1."""
    classes = {raw["name"] for raw, _ in PADDLE} | {"ReduceOnPlateau", "LinearLR", "CosineAnnealingWarmRestarts"}
    assert len(classes) == 17
    known = {alias for name in schedules for alias in schedules.describe(name)["aliases"]}
    assert classes - {"LinearLR", "CosineAnnealingWarmRestarts"} <= known
    assert schedules.parse("ReduceOnPlateau").parameters()["flavour"] == "paddle"


def test_a_poly_decay_ends_at_0() -> None:
    """pytorch#82769: at half of the way (1/2)^0.9 is left, and at its end nothing."""
    poly = ours({"name": "poly", "power": 0.9, "decay_steps": 100}, steps=101, base=0.01)
    assert [poly[50], poly[100]] == pytest.approx([0.0053589, 0.0], abs=5e-8)
    assert ours({"name": "polynomial", "decay_steps": 100}, steps=101)[100] == 1e-4


def test_one_gamma_is_one_decay_whatever_the_name() -> None:
    """FOTS#13: a factor of 0.9 an epoch."""
    exponential = ours({"name": "exponential_lr", "gamma": 0.9}, steps=60, steps_per_epoch=15, base=1.0)
    step = ours({"name": "step_lr", "step_size": 1, "gamma": 0.9}, steps=60, steps_per_epoch=15, base=1.0)
    agree(exponential, step)
    assert exponential[-1] * 0.9 == pytest.approx(0.6561)


def test_what_is_stored_is_the_schedule_s_own() -> None:
    stored = schedules.parse({"name": "PolynomialLR", "total_iters": 9}).model_dump()
    assert (stored["name"], stored["decay_steps"], stored["end_lr"], stored["unit"]) == ("polynomial", 9, 0.0, "epoch")
    assert schedules.parse(stored).model_dump() == stored
    assert schedules.parse({"name": "exponential_lr", "gamma": 0.9, "unit": "step"}).parameters()["unit"] == "step"


@pytest.mark.parametrize(
    ("raw", "path", "words"),
    [
        ({"name": "ExponentialLR", "gamma": 0}, "gamma", "greater than 0"),
        ({"name": "PolynomialLR", "total_iters": 0}, "total_iters", "1 or more"),
        ({"name": "PolynomialLR", "total_iters": 3, "decay_steps": 3}, "decay_steps", "the same as total_iters"),
        ({"name": "SequentialLR", "schedulers": ["StepLR"], "milestones": []}, "schedulers[0].step_size", "required"),
        ({"name": "CosineDecay", "decay_steps": 9, "alpha": 0.1}, "alpha", "give eta_min, a rate"),
        ({"name": "CosineDecay", "warmup_steps": 9}, "warmup_steps", "cosine_warmup"),
        ({"name": "CosineDecay", "initial_learning_rate": 0.1}, "initial_learning_rate", "the optimizer's lr"),
        ({"name": "OneCycleLR", "end_learning_rate": 1e-4}, "end_learning_rate", "final_div_factor"),
        ({"name": "CyclicLR", "max_lr": 1, "cycle_momentum": True}, "cycle_momentum", "leave it out"),
        ({"name": "ReduceLROnPlateau", "monitor": "val_loss"}, "monitor", '"flavour": "keras"'),
        ({"name": "cosine_restarts", "T_0": 4, "T_mult": 0.5}, "T_mult", "parts of sequential"),
        ({"name": "cosine_restarts", "T_0": 4, "T_mult": 0}, "T_mult", "parts of sequential"),
        ({"name": "reduce_on_plateau", "flavour": "optax", "metric": "valid_accuracy"}, "", "smaller values"),
        ({"name": "reduce_on_plateau", "flavour": "optax", "patience": 0}, "", "give 1 or more"),
    ],
    ids=str,
)
def test_a_difference_is_named(raw: Any, path: str, words: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        schedules.parse(raw)
    problems = (caught.value.context or {})["problems"]
    assert [(p.path, words in p.message) for p in problems] == [(path, True)], problems


@pytest.mark.parametrize(
    ("given", "own"),
    [
        (
            {"name": "get_cosine_schedule_with_warmup", "num_warmup_steps": 3, "num_training_steps": 10},
            {"name": "cosine_warmup", "warmup_steps": 3, "total_steps": 10, "beyond": "periodic"},
        ),
        (
            {"name": "get_linear_schedule_with_warmup", "num_warmup_steps": 3},
            {"name": "linear_decay", "warmup_steps": 3},
        ),
        (
            {"name": "get_constant_schedule_with_warmup", "num_warmup_steps": "10%"},
            {"name": "constant_warmup", "warmup_steps": "10%"},
        ),
        ({"name": "get_inverse_sqrt_schedule", "num_warmup_steps": 3}, {"name": "inverse_sqrt", "warmup_steps": 3}),
        ({"name": "linear_warmup", "num_warmup_steps": 3}, {"name": "linear_warmup", "warmup_steps": 3}),
    ],
    ids=named,
)
def test_transformers_names_are_known(given: dict[str, Any], own: dict[str, Any]) -> None:
    assert schedules.parse(given) == schedules.parse(own)


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ("piecewise_constant_schedule", "name", "give multistep where all are the same, or piecewise"),
        ("sgdr_schedule", "name", "cosine_restarts"),
        ("cosine_onecycle_schedule", "name", "an update later"),
        ("warmup_exponential_decay_schedule", "name", "linear_warmup"),
        ({"name": "linear_schedule", "init_value": 0.1}, "init_value", "starts from the optimizer's lr"),
        ({"name": "linear_schedule", "transition_begin": 3}, "transition_begin", "a sequential that begins with"),
        ({"name": "constant_schedule", "value": 0.1}, "value", "is the optimizer's lr"),
        ({"name": "warmup_constant_schedule", "warmup_steps": 3, "peak_value": 1.0}, "peak_value", "optimizer's lr"),
        (
            {"name": "linear_warmup", "warmup_steps": 3, "num_warmup_steps": 3},
            "num_warmup_steps",
            "give one of the two",
        ),
    ],
    ids=str,
)
def test_a_peers_way_that_is_not_ours_is_refused_with_the_difference(given: Any, path: str, words: str) -> None:
    with pytest.raises(PydanticCustomError) as refusal:
        schedules.parse(given)
    (problem,) = (refusal.value.context or {})["problems"]
    assert (problem.path, words in problem.message) == (path, True), problem
