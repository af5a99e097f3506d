"""Every schedule against torch.optim.lr_scheduler and optax, update by update."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import jax
import optax
import pytest
import torch
from torch.optim import lr_scheduler as ls

from core.schedules import bind, schedules

STEPS = 500
B = 0.1
Torch = Callable[[torch.optim.Optimizer], ls.LRScheduler]
Optax = Callable[[int], Any]


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def ours(raw: Any, steps_per_epoch: int = 1, steps: int = STEPS) -> list[float]:
    curve = bind(schedules.parse(raw), B, steps, steps_per_epoch)
    return [curve(t) for t in range(steps)]


def torchs(make: Torch, steps: int = STEPS) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=B)
    scheduler = make(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        with warnings.catch_warnings():  # SequentialLR itself calls a deprecated form
            warnings.filterwarnings("ignore", "The epoch parameter", UserWarning)
            scheduler.step()
    return rates


def optaxs(curve: Optax, steps: int = STEPS) -> list[float]:
    return [float(curve(t)) for t in range(steps)]


def warm(optimizer: torch.optim.Optimizer, after: ls.LRScheduler, w: int, start: float, end: float) -> ls.LRScheduler:
    ramp = ls.LinearLR(optimizer, start / B, end / B, w)
    return ls.SequentialLR(optimizer, [ramp, after], [w])


def step(**parameters: Any) -> dict[str, Any]:
    return {"name": "step", "unit": "step", **parameters}


AGAINST_TORCH: list[tuple[Any, Torch]] = [
    ("constant", lambda o: ls.ConstantLR(o, 1.0)),
    (step(step_size=30), lambda o: ls.StepLR(o, 30)),
    (step(step_size=1, gamma=0.99), lambda o: ls.StepLR(o, 1, 0.99)),
    (step(step_size=7, gamma=1.05), lambda o: ls.StepLR(o, 7, 1.05)),
    ({"name": "exponential", "gamma": 0.98}, lambda o: ls.ExponentialLR(o, 0.98)),
    ({"name": "exponential", "gamma": 1.01}, lambda o: ls.ExponentialLR(o, 1.01)),
    ({"name": "cosine", "T_max": 500}, lambda o: ls.CosineAnnealingLR(o, 500)),
    ("cosine", lambda o: ls.CosineAnnealingLR(o, 500)),
    (
        {"name": "cosine", "T_max": 60, "eta_min": 0.003, "beyond": "periodic"},
        lambda o: ls.CosineAnnealingLR(o, 60, 0.003),
    ),
    (
        {"name": "linear_warmup", "warmup_steps": 20, "start_lr": 0.001},
        lambda o: warm(o, ls.ConstantLR(o, 1.0), 20, 0.001, B),
    ),
    (
        {"name": "linear_warmup", "warmup_steps": 20, "start_lr": 0.02, "end_lr": 0.08, "after": step(step_size=50)},
        lambda o: warm(o, ls.StepLR(o, 50), 20, 0.02, 0.08),
    ),
    (
        {"name": "linear_warmup", "warmup_steps": 100, "start_lr": 0.001, "after": "cosine"},
        lambda o: warm(o, ls.CosineAnnealingLR(o, 400), 100, 0.001, B),
    ),
]
AGAINST_OPTAX: list[tuple[Any, Callable[[], Optax]]] = [
    ("constant", lambda: optax.constant_schedule(B)),
    (step(step_size=30), lambda: optax.exponential_decay(B, 30, 0.1, staircase=True)),
    ({"name": "exponential", "gamma": 0.5, "decay_steps": 70}, lambda: optax.exponential_decay(B, 70, 0.5)),
    (
        {"name": "exponential", "gamma": 0.5, "decay_steps": 70, "staircase": True},
        lambda: optax.exponential_decay(B, 70, 0.5, staircase=True),
    ),
    (
        {"name": "exponential", "gamma": 0.5, "decay_steps": 70, "end_lr": 0.02},
        lambda: optax.exponential_decay(B, 70, 0.5, end_value=0.02),
    ),
    ({"name": "cosine", "T_max": 300}, lambda: optax.cosine_decay_schedule(B, 300)),
    ({"name": "cosine", "T_max": 300, "eta_min": 0.02}, lambda: optax.cosine_decay_schedule(B, 300, 0.2)),
    (
        {"name": "linear_warmup", "warmup_steps": 20},
        lambda: optax.join_schedules([optax.linear_schedule(0, B, 20), optax.constant_schedule(B)], [20]),
    ),
    (
        {"name": "linear_warmup", "warmup_steps": 50, "start_lr": 0.01, "after": "cosine"},
        lambda: optax.warmup_cosine_decay_schedule(0.01, B, 50, 500),
    ),
    (
        {"name": "linear_warmup", "warmup_steps": 33, "end_lr": 0.3, "after": step(step_size=40)},
        lambda: optax.join_schedules(
            [optax.linear_schedule(0, 0.3, 33), optax.exponential_decay(B, 40, 0.1, staircase=True)], [33]
        ),
    ),
    (
        {"name": "linear_warmup", "warmup_steps": 0, "after": {"name": "cosine", "T_max": 300}},
        lambda: optax.cosine_decay_schedule(B, 300),
    ),
    ({"name": "linear_warmup", "warmup_steps": 0, "start_lr": 0.01}, lambda: optax.constant_schedule(B)),
    (
        {"name": "linear_warmup", "warmup_steps": 600, "after": "cosine"},
        lambda: optax.linear_schedule(0, B, 600),
    ),
]


def agree(a: list[float], b: list[float]) -> None:
    assert len(a) == len(b)
    worst = max(range(len(a)), key=lambda t: abs(a[t] - b[t]))
    assert abs(a[worst] - b[worst]) <= 1e-9 * max(b), f"update {worst}: {a[worst]} and {b[worst]}"


@pytest.mark.parametrize(("raw", "peer"), AGAINST_TORCH, ids=[str(raw) for raw, _ in AGAINST_TORCH])
def test_the_rate_is_torchs(raw: Any, peer: Torch) -> None:
    agree(ours(raw), torchs(peer))


@pytest.mark.parametrize(("raw", "peer"), AGAINST_OPTAX, ids=[str(raw) for raw, _ in AGAINST_OPTAX])
def test_the_rate_is_optaxs(raw: Any, peer: Callable[[], Optax]) -> None:
    agree(ours(raw), optaxs(peer()))


@pytest.mark.parametrize(("raw", "peer"), AGAINST_TORCH[1:], ids=[str(raw) for raw, _ in AGAINST_TORCH[1:]])
def test_an_epochs_rate_is_torchs_stepped_once_an_epoch(raw: Any, peer: Torch) -> None:
    per_epoch = torchs(peer)
    by_epoch = {"name": raw} if isinstance(raw, str) else dict(raw)
    by_epoch["unit"] = "epoch"
    if isinstance(by_epoch.get("after"), str):
        by_epoch["after"] = {"name": by_epoch["after"], "unit": "epoch"}
    elif "after" in by_epoch:
        by_epoch["after"] = {**by_epoch["after"], "unit": "epoch"}
    agree(ours(by_epoch, steps_per_epoch=3, steps=3 * STEPS), [rate for rate in per_epoch for _ in range(3)])
