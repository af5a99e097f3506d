"""Tensors on the emulated device: where they may lie, what reads them on the host, what draws."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.emulation.state import device

pytestmark = pytest.mark.emulated


def test_torch_finds_one_cuda_device() -> None:
    assert torch.cuda.is_available()
    assert torch.cuda.device_count() == 1
    assert torch.accelerator.current_accelerator() == torch.device("cuda")
    assert torch.zeros(2, device="cuda").device == torch.device("cuda", 0)


def test_operations_give_the_cpus_numbers() -> None:
    x, w = torch.randn(6, 3, 8, 8, dtype=torch.float64), torch.randn(4, 3, 3, 3, dtype=torch.float64)
    found = [torch.nn.functional.conv2d(x.to(where), w.to(where)).relu().sum(0) for where in ("cpu", "cuda")]
    torch.testing.assert_close(found[0], found[1].cpu(), rtol=0, atol=0)


def test_gradients_pass_vmap_and_functional_call() -> None:
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Flatten())
    own = {name: torch.stack([v, 2 * v]).double() for name, v in module.named_parameters()}
    buffers = {name: torch.stack([v, v]) for name, v in module.named_buffers()}
    x = torch.randn(5, 1, 6, 6, dtype=torch.float64)

    def gradients(where: str) -> list[torch.Tensor]:
        mine = {name: v.to(where).requires_grad_() for name, v in own.items()}
        norms = {name: v.to(where, torch.float64 if v.is_floating_point() else v.dtype) for name, v in buffers.items()}
        call = lambda p, b: torch.func.functional_call(module, (p, b), (x.to(where),)).square().sum()  # noqa: E731
        losses = torch.func.vmap(call)(mine, norms)
        return [*torch.autograd.grad(losses.sum(), list(mine.values())), norms["1.running_mean"]]

    for here, there in zip(gradients("cpu"), gradients("cuda"), strict=True):
        torch.testing.assert_close(here, there.cpu(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x + torch.ones(3),
        lambda x: x.add_(torch.ones(3)),
        lambda x: torch.ones(3).add_(x),
        lambda x: x.index_select(0, torch.tensor([1])),
        lambda _: torch.ones(3)[torch.tensor([1], device="cuda")],
        lambda x: torch.stack([x, torch.ones(3)]),
        lambda x: torch.tensor(1.0).add_(x.sum()),
        lambda x: torch.nn.functional.linear(x, torch.ones(2, 3)),
        lambda x: torch._foreach_add([x], [torch.ones(3)]),
    ],
)
def test_tensors_of_two_devices_do_not_mix(call: Callable[[torch.Tensor], Any]) -> None:
    with pytest.raises(RuntimeError, match="same device"):
        call(torch.ones(3, device="cuda"))


def test_a_number_of_the_cpu_is_taken_beside_tensors() -> None:
    assert (torch.ones(3, device="cuda") * torch.tensor(2.0)).tolist() == [2, 2, 2]


READS: dict[str, Callable[[torch.Tensor], Any]] = {
    "item": lambda x: x.sum().item(),
    "truth": lambda x: bool(x.sum()),
    "nonzero": lambda x: x.nonzero(),
    "mask": lambda x: x[x > 0],
    "assignment by a mask": lambda x: x.__setitem__(x > 0, x.clone()),
    "index of the CPU": lambda x: x[torch.tensor([0])],
    "cpu": lambda x: x.cpu(),
    "tolist": lambda x: x.tolist(),
    "equal": lambda x: torch.equal(x, x),
    "unique": lambda x: x.unique(),
    "pageable, to": lambda _: torch.ones(3).to("cuda"),
    "pageable, made": lambda _: torch.tensor([1.0, 2.0], device="cuda"),
    "pageable, copied": lambda x: x.copy_(torch.ones(3), non_blocking=True),
    "into pageable": lambda x: torch.ones(3).copy_(x, non_blocking=True),
}


@pytest.mark.parametrize("read", READS)
def test_what_reads_on_the_host_is_recorded_with_its_place(read: str) -> None:
    x = torch.ones(3, device="cuda")
    with device.during("reading"):
        READS[read](x)
    assert device.waits, "nothing was recorded"
    assert {(wait.hidden, wait.phase) for wait in device.waits} == {(True, "reading")}
    assert all("test_devices.py" in wait.place for wait in device.waits)


@pytest.mark.parametrize("read", READS)
def test_what_reads_on_the_host_breaks_a_capture(read: str) -> None:
    x = torch.ones(3, device="cuda")
    broken = pytest.raises(torch.AcceleratorError, match="previous error during capture")
    with broken as raised, torch.cuda.graph(torch.cuda.CUDAGraph()):
        READS[read](x)
    assert "operation not permitted when stream is capturing" in str(raised.value.__context__)


def test_what_stays_on_the_device_waits_for_nothing() -> None:
    x, i = torch.arange(6.0, device="cuda").view(2, 3), torch.tensor([1, 0], device="cuda")
    device.clear()
    y = x.index_select(0, i)
    y.index_add_(0, i, x)
    y.index_copy_(0, i, x)
    y.scatter_(1, i.view(2, 1), 7.0)
    i.add_(1)
    torch._foreach_mul_([x, y], 2.0)
    y[:, 0] = x[i - 1, 0]
    y.masked_fill_(x > 3, 0)
    assert not device.waits


def test_numpy_is_refused() -> None:
    with pytest.raises(TypeError, match="can't convert cuda:0"):
        torch.ones(1, device="cuda").numpy()


def test_a_generator_of_the_cpu_does_not_draw_on_the_device() -> None:
    with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator"):
        torch.empty(3, device="cuda").normal_(generator=torch.Generator())


def test_draws_are_recorded_and_leave_the_cpus_generator_alone() -> None:
    before = torch.get_rng_state()
    torch.cuda.manual_seed(3)
    first = torch.rand(4, device="cuda")
    torch.cuda.manual_seed(3)
    assert torch.equal(first, torch.rand(4, device="cuda"))
    assert not torch.equal(first, torch.rand(4, device="cuda"))
    assert torch.equal(before, torch.get_rng_state())
    assert [(draw.op, draw.captured) for draw in device.draws] == [("rand", False)] * 3


def test_autocast_casts_products() -> None:
    x, w = torch.ones(2, 3, device="cuda"), torch.ones(4, 3, device="cuda")
    with torch.autocast("cuda", torch.bfloat16):
        assert torch.nn.functional.linear(x, w).dtype == torch.bfloat16
        assert (
            torch.nn.functional.conv1d(x.view(1, 2, 3), w.view(4, 1, 3)[:, :, :1].expand(4, 2, 1)).dtype
            == torch.bfloat16
        )
