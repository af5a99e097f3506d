"""CUDA's own rules for types: batch norm's buffers, and what fused optimizers read."""

from typing import Any

import pytest
import torch

pytestmark = pytest.mark.emulated


def normed(kind: torch.dtype, buffers: torch.dtype, lanes: int) -> torch.Tensor:
    """Return gradients of a batch norm under vmap, weights in float32."""
    x = torch.randn(lanes, 8, 3, 4, 4, device="cuda").to(kind).requires_grad_()
    weight, mean = torch.ones(lanes, 3, device="cuda"), torch.zeros(lanes, 3, device="cuda", dtype=buffers)
    norm = lambda x, w, m: torch.nn.functional.batch_norm(x, m, m + 1, w, w, training=True)  # noqa: E731
    out = torch.func.vmap(norm)(x, weight, mean)
    return torch.autograd.grad(out.float().square().sum(), [x])[0]


def test_batch_norm_in_bf16_under_vmap_wants_buffers_of_its_type() -> None:
    with pytest.raises(RuntimeError, match="Expected running_mean to have type BFloat16 but got Float"):
        normed(torch.bfloat16, torch.float32, lanes=2)
    assert normed(torch.float32, torch.float32, lanes=2).isfinite().all()


def test_batch_norm_in_bf16_without_vmap_takes_buffers_in_fp32() -> None:
    x = torch.randn(8, 3, 4, 4, device="cuda", dtype=torch.bfloat16, requires_grad=True)
    module = torch.nn.BatchNorm2d(3).cuda()
    module(x).float().square().sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == torch.bfloat16
    assert module.weight.grad is not None
    assert module.weight.grad.dtype == torch.float32


def fused(name: str, lr: Any, step: torch.dtype = torch.float32) -> torch.Tensor:
    p, g, m, v = (torch.full((3,), value, device="cuda") for value in (1.0, 0.5, 0.0, 0.0))
    steps = [torch.ones((), device="cuda", dtype=step)]
    if name == "_fused_sgd_":
        torch._fused_sgd_(
            [p], [g], [m], weight_decay=0.0, momentum=0.9, lr=lr, dampening=0.0, nesterov=False, maximize=False,
            is_first_step=True,
        )  # fmt: skip
    else:
        getattr(torch, name)(
            [p], [g], [m], [v], [], steps, lr=lr, beta1=0.9, beta2=0.999, weight_decay=0.0, eps=0.0, amsgrad=False,
            maximize=False,
        )  # fmt: skip
    return p


FUSED = ["_fused_adam_", "_fused_adamw_", "_fused_sgd_"]


@pytest.mark.parametrize("name", FUSED)
def test_a_fused_step_takes_a_rate_in_float32(name: str) -> None:
    moved = 0.5 if name == "_fused_sgd_" else 1.0  # adam's first step is the rate
    for lr in (0.1, torch.tensor(0.1, device="cuda"), torch.tensor(0.1)):
        assert fused(name, lr).tolist() == pytest.approx([1 - 0.1 * moved] * 3)
    with pytest.raises(RuntimeError, match="expected scalar type Float but found Double"):
        fused(name, torch.tensor(0.1, device="cuda", dtype=torch.float64))


@pytest.mark.parametrize("name", FUSED[:2])
def test_a_fused_step_counts_in_float32(name: str) -> None:
    with pytest.raises(RuntimeError, match="state_steps"):
        fused(name, 0.1, step=torch.float64)


def test_a_fused_step_in_a_graph_reads_the_rate_of_the_moment() -> None:
    p, g, m, v = (torch.full((3,), value, device="cuda") for value in (1.0, 0.5, 0.0, 0.0))
    lr, step = torch.tensor(0.1, device="cuda"), torch.ones((), device="cuda")
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        torch._fused_adam_(
            [p], [g], [m], [v], [], [step], lr=lr, beta1=0.9, beta2=0.999, weight_decay=0.0, eps=0.0, amsgrad=False,
            maximize=False,
        )  # fmt: skip
    lr.fill_(0.25)
    graph.replay()
    assert p.tolist() == pytest.approx([0.75] * 3)
