"""Errors that say that memory ran out, as they really come."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from core.training.faults import out_of_memory


def _error(call: Callable[[], Any]) -> Exception:
    with pytest.raises(Exception) as raised:
        call()
    return raised.value


@pytest.mark.parametrize(
    "call",
    [
        lambda: torch.empty(2**50, dtype=torch.uint8),
        lambda: np.empty(2**50, dtype=np.uint8),
        lambda: bytearray(2**50),
    ],
    ids=["torch", "numpy", "python"],
)
def test_memory_that_ran_out_is_told(call: Callable[[], Any]) -> None:
    assert out_of_memory(_error(call))


def test_a_gpu_that_ran_out_is_told() -> None:
    assert out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))


@pytest.mark.parametrize("call", [lambda: torch.ones(2) @ torch.ones(3), lambda: [][0]])
def test_other_errors_are_not(call: Callable[[], Any]) -> None:
    assert not out_of_memory(_error(call))
