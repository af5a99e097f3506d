"""Every schedule that torch.optim.lr_scheduler has, update by update."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler as ls

from tests.core.schedules.curves import STEPS, B, agree, by_step, ours

Peer = Callable[[torch.optim.Optimizer], ls.LRScheduler]


def torchs(make: Peer, steps: int = STEPS) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=B)
    scheduler = make(optimizer)
    found = []
    for _ in range(steps):
        found.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        with warnings.catch_warnings():  # SequentialLR itself calls a deprecated form
            warnings.filterwarnings("ignore", "The epoch parameter", UserWarning)
            scheduler.step()
    return found


def warm(optimizer: torch.optim.Optimizer, after: ls.LRScheduler, w: int, start: float, end: float) -> ls.LRScheduler:
    ramp = ls.LinearLR(optimizer, start / B, end / B, w)
    return ls.SequentialLR(optimizer, [ramp, after], [w])


CASES: list[tuple[Any, Peer]] = [
    ("constant", lambda o: ls.ConstantLR(o, 1.0)),
    (by_step("step", step_size=30), lambda o: ls.StepLR(o, 30)),
    (by_step("step", step_size=1, gamma=0.99), lambda o: ls.StepLR(o, 1, 0.99)),
    (by_step("step", step_size=7, gamma=1.05), lambda o: ls.StepLR(o, 7, 1.05)),
    (by_step("multistep", milestones=[30, 31, 80]), lambda o: ls.MultiStepLR(o, [30, 31, 80])),
    (by_step("multistep", milestones=[0, 50], gamma=0.5), lambda o: ls.MultiStepLR(o, [0, 50], 0.5)),
    ({"name": "exponential", "gamma": 0.98}, lambda o: ls.ExponentialLR(o, 0.98)),
    ({"name": "exponential", "gamma": 1.01}, lambda o: ls.ExponentialLR(o, 1.01)),
    ({"name": "polynomial", "decay_steps": 70, "end_lr": 0.0}, lambda o: ls.PolynomialLR(o, 70)),
    ({"name": "polynomial", "decay_steps": 300, "end_lr": 0.0, "power": 2.5}, lambda o: ls.PolynomialLR(o, 300, 2.5)),
    ({"name": "lambda", "fn": "0.95 ** t"}, lambda o: ls.LambdaLR(o, lambda t: 0.95**t)),
    (
        {"name": "lambda", "fn": "1 + sin(t // 7) / 2 if 20 <= t < 300 else sqrt(t % 5)"},
        lambda o: ls.LambdaLR(
            o,
            lambda t: (
                1 + torch.sin(torch.tensor(t // 7.0, dtype=torch.float64)).item() / 2
                if 20 <= t < 300
                else (t % 5) ** 0.5
            ),
        ),
    ),
    (
        {"name": "multiplicative", "fn": "0.99 if t % 3 else 1.01"},
        lambda o: ls.MultiplicativeLR(o, lambda t: 0.99 if t % 3 else 1.01),
    ),
    ({"name": "cosine", "T_max": 500}, lambda o: ls.CosineAnnealingLR(o, 500)),
    ("cosine", lambda o: ls.CosineAnnealingLR(o, 500)),
    (
        {"name": "cosine", "T_max": 60, "eta_min": 0.003, "beyond": "periodic"},
        lambda o: ls.CosineAnnealingLR(o, 60, 0.003),
    ),
    ({"name": "cosine_restarts", "T_0": 50}, lambda o: ls.CosineAnnealingWarmRestarts(o, 50)),
    (
        {"name": "cosine_restarts", "T_0": 10, "T_mult": 3, "eta_min": 0.003},
        lambda o: ls.CosineAnnealingWarmRestarts(o, 10, 3, 0.003),
    ),
    ({"name": "linear_factor"}, lambda o: ls.LinearLR(o)),
    (
        {"name": "linear_factor", "start_factor": 0.9, "end_factor": 0.2, "total_steps": 77},
        lambda o: ls.LinearLR(o, 0.9, 0.2, 77),
    ),
    ("linear_decay", lambda o: ls.LinearLR(o, 1.0, 0.0, 500)),
    ({"name": "constant_factor"}, lambda o: ls.ConstantLR(o)),
    ({"name": "constant_factor", "factor": 0.7, "total_steps": 60}, lambda o: ls.ConstantLR(o, 0.7, 60)),
    (
        {"name": "linear_warmup", "warmup_steps": 20, "start_lr": 0.001},
        lambda o: warm(o, ls.ConstantLR(o, 1.0), 20, 0.001, B),
    ),
    (
        {
            "name": "linear_warmup",
            "warmup_steps": 20,
            "start_lr": 0.02,
            "end_lr": 0.08,
            "after": by_step("step", step_size=50),
        },
        lambda o: warm(o, ls.StepLR(o, 50), 20, 0.02, 0.08),
    ),
    (
        {"name": "linear_warmup", "warmup_steps": 100, "start_lr": 0.001, "after": "cosine"},
        lambda o: warm(o, ls.CosineAnnealingLR(o, 400), 100, 0.001, B),
    ),
    (
        {"name": "cosine_warmup", "warmup_steps": 100, "start_lr": 0.001, "eta_min": 0.003},
        lambda o: warm(o, ls.CosineAnnealingLR(o, 400, 0.003), 100, 0.001, B),
    ),
    (
        {
            "name": "sequential",
            "parts": ["linear_factor", {"name": "exponential", "gamma": 0.97}, by_step("step", step_size=40)],
            "milestones": [10, 100],
        },
        lambda o: ls.SequentialLR(o, [ls.LinearLR(o), ls.ExponentialLR(o, 0.97), ls.StepLR(o, 40)], [10, 100]),
    ),
    (
        {
            "name": "chained",
            "parts": [
                "linear_factor",
                {"name": "exponential", "gamma": 0.99},
                by_step("multistep", milestones=[90], gamma=0.5),
            ],
        },
        lambda o: ls.ChainedScheduler([ls.LinearLR(o), ls.ExponentialLR(o, 0.99), ls.MultiStepLR(o, [90], 0.5)]),
    ),
]


@pytest.mark.parametrize(("raw", "peer"), CASES, ids=[str(raw) for raw, _ in CASES])
def test_the_rate_is_torchs(raw: Any, peer: Peer) -> None:
    agree(ours(raw), torchs(peer))


def in_epochs(raw: Any) -> Any:
    """The same schedule with every unit the epoch, nested ones included."""
    if not isinstance(raw, dict):
        return {"name": raw, "unit": "epoch"}
    nested = {key: in_epochs(raw[key]) for key in raw.keys() & {"after"}}
    nested |= {key: [in_epochs(part) for part in raw[key]] for key in raw.keys() & {"parts"}}
    return {**raw, **nested, "unit": "epoch"}


@pytest.mark.parametrize(("raw", "peer"), CASES, ids=[str(raw) for raw, _ in CASES])
def test_an_epochs_rate_is_torchs_stepped_once_an_epoch(raw: Any, peer: Peer) -> None:
    by_epoch = [rate for rate in torchs(peer) for _ in range(3)]
    agree(ours(in_epochs(raw), steps=3 * STEPS, steps_per_epoch=3), by_epoch)


OWN_RATES: list[tuple[Any, Peer]] = [
    *(
        (
            {"name": "onecycle", "max_lr": 0.5, "pct_start": p, "anneal_strategy": how, "three_phase": three},
            lambda o, p=p, how=how, three=three: ls.OneCycleLR(
                o, 0.5, STEPS, pct_start=p, anneal_strategy=how, three_phase=three, cycle_momentum=False
            ),
        )
        for p in (0.3, 0.123, 0.5)
        for how in ("cos", "linear")
        for three in (False, True)
    ),
    ({"name": "onecycle"}, lambda o: ls.OneCycleLR(o, B, STEPS, cycle_momentum=False)),
    ({"name": "onecycle", "pct_start": 0.0}, lambda o: ls.OneCycleLR(o, B, STEPS, pct_start=0.0, cycle_momentum=False)),
    (
        {"name": "onecycle", "div_factor": 3.0, "final_div_factor": 0.5},
        lambda o: ls.OneCycleLR(o, B, STEPS, div_factor=3.0, final_div_factor=0.5, cycle_momentum=False),
    ),
    *(
        (
            {"name": "cyclic", "max_lr": 0.5, "step_size_up": up, "step_size_down": down, "mode": mode, "gamma": 0.99},
            lambda o, up=up, down=down, mode=mode: ls.CyclicLR(o, B, 0.5, up, down, mode, 0.99, cycle_momentum=False),
        )
        for up, down in ((20, None), (11, 30), (30, 7), (1, 1))
        for mode in ("triangular", "triangular2", "exp_range")
    ),
    ({"name": "cyclic", "max_lr": 0.5}, lambda o: ls.CyclicLR(o, B, 0.5, cycle_momentum=False)),
]
"""They overwrite the optimizer's own rate."""


@pytest.mark.parametrize(("raw", "peer"), OWN_RATES, ids=[str(raw) for raw, _ in OWN_RATES])
def test_the_cycle_is_torchs(raw: Any, peer: Peer) -> None:
    agree(ours(raw), torchs(peer))
