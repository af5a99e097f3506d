"""Lanes with different numbers for everything, against torch.optim one by one."""

import itertools
from typing import Any

import pytest
import torch

from core.optimizers import Optimizer, optimizers
from core.streams import generator

ARMS: dict[str, list[dict[str, Any]]] = {
    "adam": [
        {},
        {"lr": 0.1, "beta1": 0.0, "beta2": 0.5},
        {"lr": 0.003, "beta1": 0.99, "beta2": 0.9999, "eps": 0.1},
        {"lr": 1.0, "eps": 1e-3, "beta2": 0.0},
    ],
    "sgd": [{}, {"lr": 0.5, "momentum": 0.9}, {"lr": 0.001, "momentum": 0.99}, {"momentum": 0.5}],
}
SHAPE = (6, 5)


def column(numbers: list[float], dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.tensor(numbers, dtype=dtype).view(-1, 1, 1)


def stacked(
    lanes: list[Optimizer], start: torch.Tensor, gradients: torch.Tensor, hyper_dtype: torch.dtype = torch.float64
) -> torch.Tensor:
    w = start.clone()
    state = {slot: torch.zeros_like(w) for slot in lanes[0].slots}
    hyper = {key: column([lane.hyper[key] for lane in lanes], hyper_dtype) for key in lanes[0].hyper}
    for t, g in enumerate(gradients, start=1):
        lanes[0].update(w, g, state, t, hyper)
    return w


def one_by_one(lanes: list[Optimizer], start: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    ends = []
    for i, lane in enumerate(lanes):
        parameter = torch.nn.Parameter(start[i].clone())
        optimizer = lane.reference([parameter])
        for g in gradients:
            parameter.grad = g[i].clone()
            optimizer.step()
        ends.append(parameter.detach())
    return torch.stack(ends)


def problem(name: str, lanes: int, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    random = generator(1, name)
    start = torch.randn(lanes, *SHAPE, generator=random, dtype=dtype)
    scale = torch.logspace(-6, 3, SHAPE[1], dtype=dtype)
    return start, torch.randn(200, lanes, *SHAPE, generator=random, dtype=dtype) * scale


def arms(name: str) -> list[Optimizer]:
    return [optimizers.parse({"name": name, **arm}).build() for arm in ARMS[name]]


@pytest.mark.parametrize("name", ARMS)
def test_lanes_that_differ_in_everything(name: str) -> None:
    start, gradients = problem(name, len(ARMS[name]))
    expected = one_by_one(arms(name), start, gradients)
    torch.testing.assert_close(stacked(arms(name), start, gradients), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("name", "arm"), [(name, arm) for name in ARMS for arm in range(4)])
def test_lanes_that_are_alike(name: str, arm: int) -> None:
    lanes = [arms(name)[arm]] * 3
    start, gradients = problem(name, 3)
    expected = one_by_one(lanes, start, gradients)
    torch.testing.assert_close(stacked(lanes, start, gradients), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ARMS)
def test_a_lane_does_not_see_its_company(name: str) -> None:
    start, gradients = problem(name, 4)
    together = stacked(arms(name), start, gradients)
    for i, lane in enumerate(arms(name)):
        alone = stacked([lane], start[i : i + 1], gradients[:, i : i + 1])
        torch.testing.assert_close(alone[0], together[i], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "alike"), list(itertools.product(ARMS, [True, False])))
def test_gradients_and_weights_in_any_memory_order(name: str, alike: bool) -> None:
    lanes = [arms(name)[1]] * 4 if alike else arms(name)
    start, gradients = problem(name, 4)
    expected = one_by_one(lanes, start, gradients)
    transposed = gradients.transpose(2, 3).contiguous().transpose(2, 3)
    assert not transposed[0].is_contiguous()
    torch.testing.assert_close(stacked(lanes, start, transposed), expected, rtol=1e-10, atol=1e-10)
    turned = start.transpose(1, 2).contiguous().transpose(1, 2)
    torch.testing.assert_close(stacked(lanes, turned, gradients), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("name", "alike"), list(itertools.product(ARMS, [True, False])))
@pytest.mark.parametrize("hyper_dtype", [torch.float64, torch.float32], ids=str)
def test_single_precision(name: str, alike: bool, hyper_dtype: torch.dtype) -> None:
    lanes = [arms(name)[0]] * 4 if alike else arms(name)
    start, gradients = problem(name, 4, torch.float32)
    got = stacked(lanes, start, gradients, hyper_dtype)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, one_by_one(lanes, start, gradients), rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize(("name", "alike"), list(itertools.product(ARMS, [True, False])))
def test_a_lane_that_blows_up_harms_no_other(name: str, alike: bool) -> None:
    lanes = [arms(name)[0]] * 4 if alike else arms(name)
    start, gradients = problem(name, 4)
    bad = gradients.clone()
    bad[10, 2, 0, 0] = torch.inf
    bad[20, 2, 1, 1] = torch.nan
    got, expected = stacked(lanes, start, bad), one_by_one(lanes, start, bad)
    sound = expected.isfinite()
    assert torch.equal(got.isfinite(), sound)
    torch.testing.assert_close(got[sound], expected[sound], rtol=1e-10, atol=1e-10)
    assert not sound[2].all()
    assert got[[0, 1, 3]].isfinite().all()


@pytest.mark.parametrize("name", ARMS)
def test_a_rate_that_changes_is_followed(name: str) -> None:
    """As a schedule sets it: the state keeps no rate."""
    (lane,) = [arms(name)[1]]
    start, gradients = problem(name, 1)
    rates = [0.1 * 0.97**t for t in range(len(gradients))]
    w, state = start.clone(), {slot: torch.zeros_like(start) for slot in lane.slots}
    parameter = torch.nn.Parameter(start[0].clone())
    optimizer = lane.reference([parameter])
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        lane.update(w, g, state, t, {key: column([number]) for key, number in {**lane.hyper, "lr": rate}.items()})
        optimizer.param_groups[0]["lr"] = rate
        parameter.grad = g[0].clone()
        optimizer.step()
    torch.testing.assert_close(w[0], parameter.detach(), rtol=1e-10, atol=1e-10)


def test_the_first_momentum_is_the_gradient() -> None:
    lane: Optimizer = optimizers.parse({"name": "sgd", "lr": 0.5, "momentum": 0.9}).build()
    w, u = torch.zeros(1, 2), torch.zeros(1, 2)
    hyper = {key: torch.tensor([[number]]) for key, number in lane.hyper.items()}
    lane.update(w, torch.tensor([[2.0, -4.0]]), {"u": u}, 1, hyper)
    assert torch.equal(u, torch.tensor([[2.0, -4.0]]))
    assert torch.equal(w, torch.tensor([[-1.0, 2.0]]))
