"""CUDA graphs of the emulated device: what a capture leaves, what a replay does, what is forbidden."""

from collections.abc import Callable

import pytest
import torch

from tests.emulation.state import device

pytestmark = pytest.mark.emulated


def captured(run: Callable[[], torch.Tensor], **given: object) -> tuple[torch.cuda.CUDAGraph, torch.Tensor]:
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, **given):  # type: ignore[arg-type]
        output = run()
    return graph, output


def test_nothing_is_computed_before_a_replay() -> None:
    x, total = torch.ones(3, device="cuda"), torch.zeros(3, device="cuda")
    graph, y = captured(lambda: total.add_(x) * 2)
    assert total.tolist() == [0, 0, 0]
    assert y.isnan().all()
    for n in (1, 2):
        graph.replay()
        assert total.tolist() == [n] * 3
        assert y.tolist() == [2 * n] * 3


def test_a_replay_reads_what_its_inputs_hold_then() -> None:
    x = torch.ones(3, device="cuda")
    graph, y = captured(lambda: x[1:].square().sum())
    x.copy_(torch.tensor([0.0, 2.0, 3.0], device="cuda"))
    graph.replay()
    assert y.item() == 13


def test_whole_step_in_a_graph_is_the_step_launched_kernel_by_kernel() -> None:
    def step(w: torch.Tensor, count: torch.Tensor, mean: torch.Tensor, data: torch.Tensor) -> torch.Tensor:
        batch = data.index_select(0, count % len(data))
        out = torch.nn.functional.batch_norm(batch.expand(4, 3) * w, mean, mean.clone(), training=True)
        loss = (out * out.detach().cumsum(0)).sum() + w.sum()
        (gradient,) = torch.autograd.grad(loss, [w])
        with torch.no_grad():
            w.sub_(gradient * 0.1)
        count.add_(1)
        return loss.detach()

    def begin() -> tuple[torch.Tensor, ...]:
        weights = torch.linspace(1, 2, 12, dtype=torch.float64, device="cuda").view(4, 3).requires_grad_()
        data = torch.arange(15.0, dtype=torch.float64, device="cuda").view(5, 3)
        mean = torch.zeros(2, 3, dtype=torch.float64, device="cuda")[0]
        return weights, torch.zeros(1, dtype=torch.int64, device="cuda"), mean, data

    eager, graphed = begin(), begin()
    losses = [step(*eager).item() for _ in range(3)]
    graph, loss = captured(lambda: step(*graphed))
    assert graphed[1].item() == 0
    assert not graphed[2].any()
    for expected in losses:
        graph.replay()
        assert loss.item() == expected
    assert all(torch.equal(a, b) for a, b in zip(eager, graphed, strict=True))


def test_draws_of_a_capture_are_recorded_and_drawn_anew() -> None:
    graph, y = captured(lambda: torch.rand(4, device="cuda"))
    assert [draw.captured for draw in device.draws] == [True]
    graph.replay()
    first = y.clone()
    graph.replay()
    assert not torch.equal(first, y)


def test_a_graph_is_captured_once_until_it_is_reset() -> None:
    x = torch.ones(2, device="cuda")
    graph, _ = captured(lambda: x + 1)
    with pytest.raises(RuntimeError, match="already owns a captured graph"):
        graph.capture_begin()
    graph.reset()
    with pytest.raises(RuntimeError, match="without a preceding successful capture"):
        graph.replay()
    with torch.cuda.graph(graph):
        y = x + 2
    graph.replay()
    assert y.tolist() == [3, 3]


def test_a_replay_that_reads_freed_memory_is_an_illegal_access() -> None:
    given = [torch.ones(2, device="cuda")]
    graph, _ = captured(lambda: given[0] + 1)
    graph.replay()
    given.clear()
    with pytest.raises(torch.AcceleratorError, match="illegal memory access"):
        graph.replay()


def test_the_end_of_a_graph_takes_the_workspace_of_its_stream_from_others() -> None:
    """As pytorch#193402 says; streams of their own keep graphs apart."""
    x, own, other = torch.ones(2, 2, device="cuda"), torch.cuda.Stream(), torch.cuda.Stream()
    first, _ = captured(lambda: x @ x, stream=own)
    second, _ = captured(lambda: x @ x, stream=own)
    apart, y = captured(lambda: x @ x, stream=other)
    second.reset()
    with pytest.raises(torch.AcceleratorError, match="illegal memory access"):
        first.replay()
    apart.replay()
    assert y.tolist() == [[2, 2], [2, 2]]


def test_a_capture_on_the_default_stream_is_refused() -> None:
    with pytest.raises(RuntimeError, match="non-default stream"):
        torch.cuda.CUDAGraph().capture_begin()


def test_a_wait_during_a_capture_is_refused() -> None:
    for wait in (torch.cuda.synchronize, torch.cuda.current_stream().synchronize, torch.cuda.Event().query):
        broken = pytest.raises(torch.AcceleratorError, match="previous error during capture")
        with broken, torch.cuda.graph(torch.cuda.CUDAGraph()):
            wait()


def test_copies_to_and_from_pinned_memory_are_captured() -> None:
    given, taken = torch.ones(2, pin_memory=True), torch.zeros(2, pin_memory=True)
    x = torch.zeros(2, device="cuda")

    def run() -> torch.Tensor:
        x.copy_(given, non_blocking=True)
        taken.copy_(x * 3, non_blocking=True)
        return x

    graph, _ = captured(run)
    torch.cuda.synchronize()
    assert x.tolist() == taken.tolist() == [0, 0]
    given.fill_(5)
    graph.replay()
    torch.cuda.synchronize()
    assert taken.tolist() == [15, 15]
