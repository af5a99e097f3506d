"""The byte model: what a training moves and computes by arithmetic alone, and how long a device needs for that.

Counted on the network's plain path without computing it. `moved`: every operation reads its arguments from memory and
writes its results, as eager kernels do. `least`: only products, convolutions and the optimizer do, all else is fused
into them. A device needs at least the longer of `least` by its rate of copies and `flops` by its rate of products.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from backend import Backend
from cases import Case
from device_limits import bandwidth, optimizer_bytes
from peers import loss_of
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

FREE = ("empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "detach", "detach_")
"""Operations that move nothing."""
PRODUCTS = ("mm", "addmm", "convolution", "convolution_backward")
OPTIMIZER = 1
"""Launches of fused Adam."""
SIDE = 8192
"""Of the square matrices by which the rate of products is measured."""


@dataclass(frozen=True)
class Work:
    """Bytes, floating-point operations and launches."""

    moved: float = 0.0
    least: float = 0.0
    flops: float = 0.0
    launches: float = 0.0

    def __add__(self, other: "Work") -> "Work":
        return Work(
            self.moved + other.moved,
            self.least + other.least,
            self.flops + other.flops,
            self.launches + other.launches,
        )

    def __mul__(self, times: float) -> "Work":
        return Work(self.moved * times, self.least * times, self.flops * times, self.launches * times)


@dataclass(frozen=True)
class Rates:
    """What a device was measured to do in a second."""

    bytes: float
    """Read and written by copies."""
    flops: float
    """Of a large matrix product in the precision asked for."""

    def seconds(self, work: Work) -> float:
        """Return the seconds of kernels that each move what their operation does."""
        return max(work.moved / self.bytes, work.flops / self.flops)


def rates(backend: Backend) -> Rates:
    """Measure the device, in two seconds."""
    backend.set_precision()
    side = SIDE if backend.device == "cuda" else SIDE // 8
    a, b = (torch.randn(side, side, device=backend.device, dtype=backend.dtype) for _ in range(2))
    return Rates(bandwidth(backend), 2 * side**3 / backend.fastest(lambda: a @ b, 0.5))


def needed(case: Case, backend: Backend, measured: Rates) -> dict[str, float]:
    """Return what an update of one run moves and computes, and the milliseconds that the device needs for each."""
    work = update(case, backend)
    return {
        "moved_mb": round(work.moved / 1e6, 3),
        "moved_ms": round(work.moved / measured.bytes * 1e3, 5),
        "least_mb": round(work.least / 1e6, 3),
        "least_ms": round(work.least / measured.bytes * 1e3, 5),
        "gflop": round(work.flops / 1e9, 5),
        "arithmetic_ms": round(work.flops / measured.flops * 1e3, 5),
        "model_copies_gb_s": round(measured.bytes / 1e9, 2),
        "tflop_s": round(measured.flops / 1e12, 3),
    }


@lru_cache
def update(case: Case, backend: Backend) -> Work:
    """Count one update of one run, with its share of the evaluations of both splits."""
    batches = case.examples / case.batch / case.steps
    return training(case, backend) + _counted(case, backend, trains=False) * batches


def training(case: Case, backend: Backend) -> Work:
    """Count one update of one run alone."""
    optimizer = optimizer_bytes(case)
    adam = Work(moved=optimizer, least=optimizer, launches=OPTIMIZER)
    return _counted(case, backend, trains=True) + adam


def _counted(case: Case, backend: Backend, trains: bool) -> Work:
    """Count a batch's forward pass, and its backward pass where it trains."""
    with FakeTensorMode():
        model = case.network().train(trains)
        size = case.shape if case.kind == "table" else (*case.shape[2:], *case.shape[:2])
        x = torch.empty(case.batch, *(size if len(size) != 2 else (1, *size)))
        y = torch.zeros(case.batch, dtype=torch.int64) if case.kind == "images" else torch.zeros(case.batch, 1)
        with _Bytes() as found, FlopCounterMode(display=False) as flops, torch.set_grad_enabled(trains):
            with Backend("cpu", backend.precision).autocast():
                outputs = model(x)
            loss = loss_of(case, outputs.float(), y)
            if trains:
                loss.backward()
    return Work(found.moved, found.least, flops.get_total_flops(), found.launches)


class _Bytes(TorchDispatchMode):
    """Adds up the bytes of all operations."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.moved = self.least = self.launches = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        call: Callable[..., Any] = func
        results = call(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if func.namespace == "aten" and not func.is_view and name not in FREE:
            tensors = [value for value in tree_leaves((args, kwargs, results)) if isinstance(value, torch.Tensor)]
            moved = sum(value.numel() * value.element_size() for value in tensors)
            self.moved += moved
            self.least += moved * (name in PRODUCTS)
            self.launches += 1
        return results
