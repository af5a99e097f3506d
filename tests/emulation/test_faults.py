"""Errors on order: an operation, a capture or a replay that fails as a real device would."""

import pytest
import torch

from tests.emulation.state import device

pytestmark = pytest.mark.emulated
ILLEGAL = torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
CUBLAS = RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")


@pytest.mark.parametrize("error", [ILLEGAL, CUBLAS, torch.OutOfMemoryError("CUDA out of memory.")])
def test_an_operation_fails_once(error: BaseException) -> None:
    x = torch.ones(2, 2, device="cuda")
    device.fail_next("mm", error)
    x + x
    with pytest.raises(type(error)) as raised:
        x @ x
    assert raised.value is error
    assert (x @ x).tolist() == [[2, 2], [2, 2]]


def test_an_operation_fails_after_some_that_succeed() -> None:
    x = torch.ones(2, 2, device="cuda")
    device.fail_next("add", ILLEGAL, after=2)
    x + x, x + x
    with pytest.raises(torch.AcceleratorError):
        x + x


@pytest.mark.parametrize("moment", ["capture_begin", "capture_end", "replay", "add", "allocate"])
def test_a_graph_fails_at_any_moment(moment: str) -> None:
    x, graph, error = torch.ones(2, device="cuda"), torch.cuda.CUDAGraph(), torch.OutOfMemoryError("ordered")
    free = torch.cuda.mem_get_info()[0]
    device.fail_next(moment, error)
    with pytest.raises(torch.OutOfMemoryError, match="ordered"):
        with torch.cuda.graph(graph):
            x + 1
        graph.replay()
    assert not torch.cuda.is_current_stream_capturing()
    graph.reset()
    torch.cuda.empty_cache()
    assert torch.cuda.mem_get_info()[0] >= free


def test_a_wait_fails() -> None:
    device.fail_next("synchronize", ILLEGAL)
    with pytest.raises(torch.AcceleratorError):
        torch.cuda.synchronize()
