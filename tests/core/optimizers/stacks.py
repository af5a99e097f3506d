"""Optimizers with different numbers for everything, run as lanes of one stack and one by one with their peers."""

from typing import Any

import torch

from core.optimizers import Alike, Hyper, Optimizer, optimizers
from core.streams import generator

ARMS: dict[str, list[dict[str, Any]]] = {
    "adam": [
        {},
        {"lr": 0.1, "beta1": 0.0, "beta2": 0.5, "weight_decay": 0.1},
        {"lr": 0.003, "beta1": 0.99, "beta2": 0.9999, "eps": 0.1, "weight_decay": 2.0},
        {"lr": 1.0, "eps": 1e-3, "beta2": 0.0, "weight_decay": 0.0},
    ],
    "sgd": [
        {},
        {"lr": 0.5, "momentum": 0.9, "weight_decay": 0.01},
        {"lr": 0.001, "momentum": 0.99, "dampening": 0.9, "weight_decay": 1.5},
        {"dampening": 0.5},
    ],
    "sgd nesterov": [
        {"momentum": 0.9},
        {"lr": 0.5, "momentum": 0.5, "weight_decay": 0.01},
        {"lr": 0.001, "momentum": 0.99},
        {"momentum": 0.1, "weight_decay": 1.5},
    ],
    "rmsprop": [
        {},
        {"lr": 0.01, "alpha": 0.9, "momentum": 0.9, "weight_decay": 0.1},
        {"lr": 0.003, "alpha": 0.9999, "eps": 0.1, "momentum": 0.5},
        {"lr": 1.0, "alpha": 0.5, "eps": 1e-3},
    ],
    "adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.1, "weight_decay": 0.1},
        {"lr": 0.003, "lr_decay": 2.0, "eps": 0.1},
        {"lr": 1.0, "initial_accumulator_value": 1e4, "weight_decay": 2.0},
    ],
    "lion": [
        {},
        {"lr": 0.1, "beta1": 0.0, "beta2": 0.5, "weight_decay": 0.1},
        {"lr": 0.003, "beta1": 0.99, "beta2": 0.9999},
        {"lr": 1.0, "beta1": 0.95, "beta2": 0.0, "weight_decay": 0.5},
    ],
    "lamb": [
        {},
        {"lr": 0.1, "beta1": 0.0, "beta2": 0.5, "weight_decay": 0.1},
        {"lr": 0.003, "beta1": 0.99, "beta2": 0.9999, "eps": 0.1, "weight_decay": 0.0},
        {"lr": 0.3, "eps": 1e-3, "beta2": 0.0, "weight_decay": 0.5},
    ],
    "lars": [
        {},
        {"lr": 30.0, "momentum": 0.0, "weight_decay": 0.1, "trust_coeff": 0.01},
        {"lr": 0.003, "momentum": 0.99, "eps": 10.0, "weight_decay": 0.0},
        {"lr": 0.1, "momentum": 0.5, "weight_decay": 2.0, "eps": 1e-3, "trust_coeff": 1.0},
    ],
    "adan": [
        {},
        {"lr": 0.1, "beta1": 0.0, "beta2": 0.5, "beta3": 0.9, "weight_decay": 0.1},
        {"lr": 0.003, "beta1": 0.99, "beta2": 0.9999, "beta3": 0.999, "eps": 0.1, "weight_decay": 2.0},
        {"lr": 1.0, "beta1": 0.5, "beta2": 0.0, "beta3": 0.5, "eps": 1e-3},
    ],
    "muon": [
        {},
        {"lr": 0.1, "momentum": 0.0, "weight_decay": 0.1},
        {"lr": 0.003, "momentum": 0.99, "weight_decay": 2.0},
        {"lr": 1.0, "momentum": 0.5, "weight_decay": 0.5},
    ],
    "schedule_free_adamw": [
        {},
        {"lr": 0.1, "beta1": 0.1, "beta2": 0.5, "weight_decay": 0.1, "warmup_steps": 1, "r": 1.0},
        {"lr": 0.003, "beta1": 0.99, "beta2": 0.9999, "eps": 0.1, "warmup_steps": 50, "weight_lr_power": 0.0},
        {"lr": 1.0, "eps": 1e-3, "beta2": 0.0, "weight_decay": 0.5, "warmup_steps": 300, "r": 2.5},
    ],
}
"""Four lanes of each program: an optimizer's name, and the choices that make another program of it.

None is chaotic: a start that differs by 1e-15 ends as near.
"""
for same in ("adam amsgrad", "adamw", "adamw amsgrad", "radam", "radam decoupled_weight_decay"):
    ARMS[same] = ARMS["adam"]
for same in ("nadam", "nadam decoupled_weight_decay"):
    decays: tuple[dict[str, Any], ...] = ({}, {"momentum_decay": 0.5}, {"momentum_decay": 0.0}, {"momentum_decay": 3.0})
    ARMS[same] = [{**arm, **decay} for arm, decay in zip(ARMS["adam"], decays, strict=True)]
ARMS["rmsprop centered"] = ARMS["rmsprop"]
ARMS["lamb always_adapt"], ARMS["lars always_adapt"] = ARMS["lamb"], ARMS["lars"]
ARMS["adan no_prox"], ARMS["muon match_rms_adamw"] = ARMS["adan"], ARMS["muon"]

SHAPE = (6, 5)


def arms(program: str) -> list[Optimizer]:
    name, *choices = program.split()
    return [optimizers.parse({"name": name, **dict.fromkeys(choices, True), **arm}).build() for arm in ARMS[program]]


def problem(
    program: str, lanes: int, steps: int = 200, dtype: torch.dtype = torch.float64
) -> tuple[torch.Tensor, torch.Tensor]:
    """Where to start, (lanes, *SHAPE), and the gradients of so many updates, of sizes from 1e-6 to 1e3."""
    random = generator(1, program)
    start = torch.randn(lanes, *SHAPE, generator=random, dtype=dtype)
    scale = torch.logspace(-6, 3, SHAPE[1], dtype=dtype)
    return start, torch.randn(steps, lanes, *SHAPE, generator=random, dtype=dtype) * scale


class StackedModel:
    """Lanes of one program, updated together from `start`, (lanes, *shape)."""

    def __init__(self, lanes: list[Optimizer], start: torch.Tensor) -> None:
        self._first = lanes[0]
        self._column = (len(lanes), *(1 for _ in start.shape[1:]))
        self._t = 0
        self.w = start.clone()
        self.state = {slot: torch.zeros_like(self.w) for slot in lanes[0].slots}
        self.state |= {scalar: torch.zeros(self._column, dtype=torch.float64) for scalar in lanes[0].scalars}
        self.hyper = Hyper({key: self._numbers([lane.hyper[key] for lane in lanes]) for key in lanes[0].hyper})

    def step(self, g: torch.Tensor, rates: list[float] | None = None) -> None:
        self._t += 1
        if rates is not None:
            self.hyper["lr"] = self._numbers(rates)
        numbers = {key: set(values.flatten().tolist()) for key, values in self.hyper.items()}
        self.hyper.alike = []
        if all(len(values) == 1 for values in numbers.values()) and self.w.is_contiguous():
            same = {key: values.pop() for key, values in numbers.items()}
            slots = {slot: list(self.state[slot]) for slot in self._first.slots}
            self.hyper.alike = [Alike(range(len(self.w)), list(self.w), slots, same, same.pop("lr"))]
        self._first.update(self.w, g, self.state, self._t, self.hyper)

    def evaluated(self) -> torch.Tensor:
        assert self._first.evaluated is not None
        return self._first.evaluated(self.w, self.state, self.hyper)

    def _numbers(self, numbers: list[float]) -> torch.Tensor:
        return torch.tensor(numbers, dtype=torch.float64).view(self._column)


def stacked(lanes: list[Optimizer], start: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    stack = StackedModel(lanes, start)
    for g in gradients:
        stack.step(g)
    return stack.w


def one_by_one(
    lanes: list[Optimizer], start: torch.Tensor, gradients: torch.Tensor, kept: torch.Tensor | None = None
) -> torch.Tensor:
    """With `kept`, (updates, lanes), each takes its own updates alone."""
    ends = []
    for i, lane in enumerate(lanes):
        parameter = torch.nn.Parameter(start[i].clone())
        optimizer = lane.reference([parameter])
        for g in gradients if kept is None else gradients[kept[:, i]]:
            parameter.grad = g[i].clone()
            optimizer.step()
        ends.append(parameter.detach())
    return torch.stack(ends)
