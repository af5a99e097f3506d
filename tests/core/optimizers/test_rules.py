"""What is particular to one optimizer, by hand or against a further peer."""

import math
from typing import Any

import pytest
import torch
from pydantic_core import PydanticCustomError

from core.optimizers import Optimizer, optimizers
from core.optimizers.muon import orthogonal
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


@pytest.mark.parametrize("shape", [(4, 7), (7, 4), (5, 5), (1, 3)])
def test_muons_steps_have_singular_values_near_one_and_the_vectors_of_the_momentum(shape: tuple[int, int]) -> None:
    """The polynomial is odd: it acts on the singular values alone, five times."""
    matrices = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    u, s, vh = torch.linalg.svd(matrices, full_matrices=False)
    s = s / matrices.flatten(1).norm(dim=1, keepdim=True)
    for _ in range(5):
        s = 3.4445 * s - 4.775 * s**3 + 2.0315 * s**5
    assert ((s > 0.65) & (s < 1.25)).all()
    torch.testing.assert_close(orthogonal(matrices), u * s.unsqueeze(1) @ vh, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_matrix_is_made_orthogonal_bit_by_bit_alike_in_any_company(threads: int) -> None:
    matrices = torch.randn(5, 64, 64, generator=torch.Generator().manual_seed(0))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        assert torch.equal(orthogonal(matrices), torch.cat([orthogonal(one) for one in matrices.split(1)]))
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("choice", "factor"), [({}, math.sqrt(8 / 2)), ({"match_rms_adamw": True}, 0.2 * math.sqrt(8))]
)
def test_muons_rate_knows_the_shape_of_a_matrix(choice: dict[str, bool], factor: float) -> None:
    """A convolution's is (outputs, inputs x kernel): four columns, not three dimensions."""
    gradient = torch.randn(1, 8, 1, 2, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    stack = StackedModel([build("muon", lr=0.1, momentum=0.0, **choice)], torch.zeros_like(gradient))
    stack.step(gradient)
    expected = -0.1 * factor * orthogonal(gradient.flatten(2)).view_as(gradient)
    torch.testing.assert_close(stack.w, expected, rtol=1e-12, atol=0)


def test_muon_leaves_the_rest_to_adamw() -> None:
    numbers = {"adamw_lr_scale": 0.1, "adamw_beta1": 0.8, "adamw_beta2": 0.9, "adamw_eps": 1e-6}
    others = build("muon", lr=0.02, weight_decay=0.3, **numbers).others
    assert others is not None
    adamw = build("adamw", lr=0.002, beta1=0.8, beta2=0.9, eps=1e-6, weight_decay=0.3)
    assert (others.update, others.slots) == (adamw.update, adamw.slots)
    assert others.hyper == pytest.approx(adamw.hyper)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_steps_are_as_long_as_the_weights_say(scale: float) -> None:
    """LAMB's lr times their length; LARS's first about lr times trust_coeff times that, whatever the gradient."""
    start = torch.randn(1, 5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    gradient = scale * torch.randn(1, 5, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for name, numbers, expected in (
        ("lamb", {"lr": 0.1, "eps": 1e-12}, 0.1),
        ("lars", {"lr": 2.0, "trust_coeff": 0.01, "weight_decay": 1e-12, "eps": 1e-12}, 0.02),
    ):
        stack = StackedModel([build(name, **numbers)], start)
        stack.step(gradient)
        assert float((stack.w - start).norm() / start.norm()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ["lamb", "lars"])
def test_what_does_not_decay_is_not_adapted(name: str) -> None:
    """As timm has it; `always_adapt` is for the paper's way."""
    start = torch.full((1, 3), 50.0, dtype=torch.float64)
    ends = []
    for weight_decay, always in ((0.0, False), (0.0, True)):
        stack = StackedModel([build(name, lr=0.01, weight_decay=weight_decay, always_adapt=always)], start)
        stack.step(torch.tensor([[1.0, 2.0, -2.0]], dtype=torch.float64))
        ends.append(start - stack.w)
    plain = {"lamb": torch.tensor([[1.0, 1.0, -1.0]]), "lars": torch.tensor([[1.0, 2.0, -2.0]])}[name].double()
    torch.testing.assert_close(ends[0], 0.01 * plain, rtol=1e-5, atol=0)
    assert float(ends[1].norm()) == pytest.approx(
        0.01 * {"lamb": 1.0, "lars": 0.001}[name] * float(start.norm()), rel=1e-5
    )


def test_adans_first_step_is_adams() -> None:
    """No gradient came before it: there is no difference yet."""
    start, gradient = torch.ones(1, 3), torch.tensor([[1.0, -200.0, 0.03]])
    stack = StackedModel([build("adan", lr=0.25)], start)
    stack.step(gradient)
    torch.testing.assert_close(stack.w, start - 0.25 * gradient.sign())
    torch.testing.assert_close(stack.state["c"], torch.zeros(1, 3))


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
