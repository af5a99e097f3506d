"""The emulated device's memory: what is live, what graphs keep, what no longer fits."""

import pytest
import torch

from tests.emulation.memory import WORKSPACE
from tests.emulation.state import device

pytestmark = pytest.mark.emulated
MIB = 2**20


def mib(count: int) -> torch.Tensor:
    return torch.empty(count * MIB, dtype=torch.uint8, device="cuda")


@pytest.fixture(autouse=True)
def _trimmed() -> None:
    torch.cuda.empty_cache()


def test_memory_is_used_while_a_view_of_it_lives() -> None:
    before = torch.cuda.memory_allocated()
    view = mib(3)[: 2 * MIB].view(2, MIB)[1]
    assert torch.cuda.memory_allocated() - before == 3 * MIB
    del view
    assert torch.cuda.memory_allocated() == before


def test_what_was_freed_stays_reserved_until_the_cache_is_emptied() -> None:
    torch.cuda.reset_peak_memory_stats()
    live, (free, total) = torch.cuda.memory_allocated(), torch.cuda.mem_get_info()
    assert total == 80 * 2**30
    mib(3)
    assert torch.cuda.max_memory_allocated() - live == 3 * MIB
    assert free - torch.cuda.mem_get_info()[0] == 3 * MIB
    torch.cuda.empty_cache()
    assert torch.cuda.mem_get_info()[0] == free


def test_a_graphs_pool_is_used_until_the_graph_is_reset() -> None:
    x, free = mib(1), torch.cuda.mem_get_info()[0]
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        y = (x + 1) + 1  # two pieces of 1 MiB, the second alive
    assert free - torch.cuda.mem_get_info()[0] == 2 * MIB
    del y
    torch.cuda.empty_cache()
    assert free - torch.cuda.mem_get_info()[0] == 2 * MIB
    graph.reset()
    torch.cuda.empty_cache()
    assert torch.cuda.mem_get_info()[0] == free


def test_graphs_of_one_pool_share_what_is_free_in_it() -> None:
    x, free, pool = mib(1), torch.cuda.mem_get_info()[0], torch.cuda.graph_pool_handle()
    graphs = [torch.cuda.CUDAGraph() for _ in range(3)]
    for graph in graphs:
        with torch.cuda.graph(graph, pool=pool):
            x + 1
    assert free - torch.cuda.mem_get_info()[0] == MIB
    assert {graph.pool() for graph in graphs} == {pool}
    del graphs, graph
    torch.cuda.empty_cache()
    assert torch.cuda.mem_get_info()[0] == free


def test_a_product_keeps_a_workspace_for_its_stream() -> None:
    x, stream, free = torch.ones(2, 2, device="cuda"), torch.cuda.Stream(), torch.cuda.mem_get_info()[0]
    with torch.cuda.stream(stream):
        for _ in range(2):
            y = x @ x
    del y
    torch.cuda.empty_cache()
    assert free - torch.cuda.mem_get_info()[0] == WORKSPACE


@pytest.mark.parametrize("capturing", [False, True])
def test_what_does_not_fit_is_out_of_memory(capturing: bool) -> None:
    x = mib(1)
    device.memory.total = torch.cuda.memory_reserved() + 3 * MIB
    kept = [x + 1]
    with pytest.raises(torch.OutOfMemoryError, match=r"Tried to allocate 1\.00 MiB"):
        if capturing:
            with torch.cuda.graph(torch.cuda.CUDAGraph()):
                kept.extend(x + 1 for _ in range(3))
        kept.extend(x + 1 for _ in range(3))
    assert len(kept) == 3
    del kept
    assert (x + 1).shape == x.shape


def test_what_a_graph_no_longer_needs_is_given_back_before_memory_runs_out() -> None:
    x, graph = mib(3), torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        x + 1
    device.memory.total = torch.cuda.memory_reserved()
    with pytest.raises(torch.OutOfMemoryError):
        mib(3)
    graph.reset()
    assert mib(3).numel() == 3 * MIB


def test_memory_of_other_processes_is_not_ours() -> None:
    free = torch.cuda.mem_get_info()[0]
    device.memory.others = 5 * MIB
    assert free - torch.cuda.mem_get_info()[0] == 5 * MIB
