"""What is particular to one optimizer, by hand or against a further peer."""

from typing import Any

import pytest
import torch
from pydantic_core import PydanticCustomError

from core.optimizers import Optimizer, optimizers
from tests.core.optimizers.stacks import StackedModel, arms, problem, stacked


def build(name: str, **numbers: Any) -> Optimizer:
    optimizer: Optimizer = optimizers.parse({"name": name, **numbers}).build()
    return optimizer


def refusal(**raw: Any) -> str:
    with pytest.raises(PydanticCustomError) as caught:
        optimizers.parse(raw)
    (problem,) = (caught.value.context or {})["problems"]
    return str(problem)


def test_the_first_momentum_is_the_gradient() -> None:
    stack = StackedModel([build("sgd", lr=0.5, momentum=0.9, dampening=0.7)], torch.zeros(1, 2))
    stack.step(torch.tensor([[2.0, -4.0]]))
    assert torch.equal(stack.state["u"], torch.tensor([[2.0, -4.0]]))
    assert torch.equal(stack.w, torch.tensor([[-1.0, 2.0]]))


@pytest.mark.parametrize("given", [{}, {"momentum": 0.9, "dampening": 0.1}, {"momentum": 0.0}])
def test_nesterov_needs_an_undampened_momentum(given: dict[str, float]) -> None:
    assert "nesterov needs" in refusal(name="sgd", nesterov=True, **given)


@pytest.mark.parametrize(("name", "choice"), [("sgd", "nesterov"), ("nadam", "decoupled_weight_decay")])
def test_a_choice_that_is_no_number_is_another_program(name: str, choice: str) -> None:
    assert build(name, **{choice: True}, **({"momentum": 0.5} if name == "sgd" else {})).update != build(name).update


@pytest.mark.parametrize("choice", ["adam amsgrad", "rmsprop centered"])
def test_a_choice_that_needs_more_memory_is_another_program(choice: str) -> None:
    assert arms(choice)[0].slots != arms(choice.split()[0])[0].slots


@pytest.mark.parametrize("choice", ["nadam", "nadam decoupled_weight_decay"])
def test_nadam_is_torchs_own_in_double_precision(choice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference keeps one number of torch's state in float64, which torch does by its default type alone."""
    monkeypatch.setattr(torch, "get_default_dtype", lambda: torch.float64)
    start, gradients = problem(choice, 4)
    got = stacked(arms(choice), start, gradients)
    for i, lane in enumerate(arms(choice)):
        n = lane.hyper
        parameter = torch.nn.Parameter(start[i].clone())
        peer = torch.optim.NAdam(
            [parameter],
            lr=n["lr"],
            betas=(n["beta1"], n["beta2"]),
            eps=n["eps"],
            weight_decay=n["weight_decay"],
            momentum_decay=n["momentum_decay"],
            decoupled_weight_decay=choice != "nadam",
        )
        for g in gradients:
            parameter.grad = g[i].clone()
            peer.step()
        torch.testing.assert_close(got[i], parameter.detach(), rtol=1e-10, atol=1e-10)


def test_every_weight_moves_by_lions_rate() -> None:
    stack = StackedModel([build("lion", lr=0.25)], torch.zeros(1, 3))
    stack.step(torch.tensor([[1e-20, -1e6, 0.0]]))
    assert stack.w.tolist() == [[-0.25, 0.25, 0.0]]


def test_a_gradient_that_does_not_vary_leaves_centered_rmsprop_finite() -> None:
    """Its variance is 0 but for rounding, which may have either sign."""
    lanes = [build("rmsprop", centered=True, alpha=alpha) for alpha in (0.0, 0.3, 0.9)]
    start, gradients = problem("rmsprop centered", 3, dtype=torch.float32)
    assert stacked(lanes, start, gradients[:1].expand(300, -1, -1, -1)).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_schedule_free_is_evaluated_where_its_authors_evaluate(dtype: torch.dtype) -> None:
    lanes = arms("schedule_free_adamw")
    start, gradients = problem("schedule_free_adamw", 4, steps=60, dtype=dtype)
    stack = StackedModel(lanes, start)
    assert torch.equal(stack.evaluated(), start)
    parameters = [torch.nn.Parameter(w.to(torch.float64, copy=True)) for w in start]
    peers: list[Any] = [lane.reference([parameter]) for lane, parameter in zip(lanes, parameters, strict=True)]
    tolerance = 5e-5 if dtype == torch.float32 else 1e-10
    for g in gradients:
        before = stack.w.clone()
        x = stack.evaluated()
        assert torch.equal(stack.w, before), "evaluation leaves the training's weights alone"
        for i, (parameter, peer) in enumerate(zip(parameters, peers, strict=True)):
            peer.eval()
            torch.testing.assert_close(x[i].double(), parameter.detach(), rtol=tolerance, atol=tolerance)
            peer.train()
            parameter.grad = g[i].to(torch.float64, copy=True)
            peer.step()
        stack.step(g)
    assert (stack.w - stack.evaluated()).abs().amax((1, 2)).min() > 1e-4


def test_schedule_free_takes_rates_of_zero() -> None:
    """A schedule may start there; nothing is averaged before anything has weight."""
    (lane,) = arms("schedule_free_adamw")[1:2]
    start, gradients = problem("schedule_free_adamw", 1, steps=20)
    rates = [0.0, 0.0, *(0.1,) * 9, 0.0, *(0.3,) * 8]
    stack = StackedModel([lane], start)
    parameter = torch.nn.Parameter(start[0].clone())
    peer: Any = lane.reference([parameter])
    for g, rate in zip(gradients, rates, strict=True):
        stack.step(g, [rate])
        peer.param_groups[0]["lr"] = rate
        parameter.grad = g[0].clone()
        peer.step()
    torch.testing.assert_close(stack.w[0], parameter.detach(), rtol=1e-10, atol=1e-10)
    peer.eval()
    torch.testing.assert_close(stack.evaluated()[0], parameter.detach(), rtol=1e-10, atol=1e-10)
