"""Launches and bytes as the emulated device counts them, with numbers and without."""

import pytest
import torch

from tests.emulation.counting import count
from tests.emulation.memory import GRANULE
from tests.emulation.state import device

pytestmark = pytest.mark.emulated


def test_an_operation_is_a_launch_and_a_view_is_none() -> None:
    x = torch.ones(4, 8, device="cuda")
    with count() as counted:
        x.t()[1:].view(7, 4)
        torch.empty_like(x)
        assert counted.outside == 0
        x + x.mul_(2)
    assert counted.outside == 2
    assert counted.launches_of == {"mul_": 1, "add": 1}


def test_bytes_are_those_of_the_tensors_read_and_written() -> None:
    x, row = torch.ones(4, 8, device="cuda"), torch.ones(1, 8, device="cuda")
    with count() as counted:
        x * row.expand(4, 8)
    assert (counted.read, counted.written) == (4 * 8 * 4 + 8 * 4, 4 * 8 * 4)
    assert counted.bytes_of == {"mul": counted.bytes}


def test_a_replay_is_one_launch_and_what_it_runs_is_inside() -> None:
    x, graph = torch.ones(4, device="cuda"), torch.cuda.CUDAGraph()
    with count() as counted, torch.cuda.graph(graph):
        (x + 1) * 2
    assert (counted.captured, counted.outside, counted.inside, counted.bytes) == (2, 0, 0, 0)
    with count() as counted, device.during("replays"):
        for _ in range(3):
            graph.replay()
    assert (counted.replays, counted.outside, counted.inside) == (3, 3, 6)
    assert counted.bytes == 3 * 2 * 2 * 16
    assert counted.launches_in == {"replays": 6}


def test_phases_are_told_apart() -> None:
    x = torch.ones(4, device="cuda")
    with count() as counted:
        with device.during("a"):
            x + 1
        with device.during("b"):
            (x + 1) + 1
    assert counted.launches_in == {"a": 1, "b": 2}


def test_lists_of_unequal_strides_are_launched_one_by_one() -> None:
    ours = [torch.ones(3, 4, device="cuda") for _ in range(5)]
    turned = [torch.ones(4, 3, device="cuda").t() for _ in range(5)]
    for given, launches in ((ours, 1), (turned, 5)):
        for call in (torch._foreach_add_, torch._foreach_copy_):
            with count() as counted:
                call(ours, given)
            assert counted.outside == launches


def test_a_step_without_numbers_counts_as_the_same_step_with_them() -> None:
    def step() -> tuple[int, int, int, int]:
        x, w = torch.ones(64, 3, 8, 8).to("cuda"), torch.ones(4, 3, 3, 3, device="cuda", requires_grad=True)
        torch.cuda.reset_peak_memory_stats()
        live = torch.cuda.memory_allocated()
        with count() as counted:
            out = torch.nn.functional.conv2d(x, w).relu()
            (gradient,) = torch.autograd.grad(torch.nn.functional.max_pool2d(out, 2).sum(), [w])
            w.detach().sub_(gradient)
            assert w.sum().item() == 0 or not device.meta
        return counted.outside, counted.read, counted.written, torch.cuda.max_memory_allocated() - live

    *with_numbers, peak = step()
    with device.without_numbers():
        *without, peak_without = step()
    assert without == with_numbers
    assert peak_without == pytest.approx(peak, abs=GRANULE)  # backward's own thread lets go of its last number late


def test_a_tensor_too_large_for_this_machine_is_counted_without_numbers() -> None:
    with device.without_numbers():
        count_a_large_one()


def count_a_large_one() -> None:
    live = torch.cuda.memory_allocated()
    x = torch.zeros(10 * 2**30, device="cuda")
    assert torch.cuda.memory_allocated() - live == 40 * 2**30
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph), count() as counted:
        x.add_(1)
    with count() as counted:
        graph.replay()
    assert counted.bytes == 2 * 40 * 2**30
    assert 40 * 2**30 % GRANULE == 0
