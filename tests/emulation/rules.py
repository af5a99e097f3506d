"""CUDA's own rules, which the CPU does not have: where tensors lie, what waits for the device, which types fit."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from tests.emulation.state import Draw, device, place

READS = frozenset({
    "_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "_unique", "_unique2", "unique_dim",
    "unique_consecutive", "unique_dim_consecutive", "bincount", "_linalg_check_errors",
})  # fmt: skip
"""Operations whose result, or its size, the host has to know."""
INDEXING = frozenset({"index", "_unsafe_index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index_put"})
NO_SCALARS = frozenset({
    "index_select", "index_add_", "index_add", "index_copy_", "index_copy", "index_fill_", "gather", "scatter",
    "scatter_", "scatter_add_", "scatter_add", "scatter_reduce_", "embedding", "mm", "bmm", "addmm", "baddbmm", "cat",
    "stack", "convolution",
})  # fmt: skip
"""Operations that do not take a number on the CPU beside tensors on the device."""

_NAMES = {torch.float64: "Double", torch.float32: "Float", torch.bfloat16: "BFloat16", torch.float16: "Half"}
"""Types as torch's kernels call them."""


def check(op: str, arguments: Mapping[str, Any], tensors: Sequence[torch.Tensor]) -> None:
    """Raise what CUDA raises for these arguments, and record what waits or draws."""
    here = [tensor for tensor in tensors if tensor.is_cuda]
    away = [tensor for tensor in tensors if not tensor.is_cuda]
    if op in INDEXING:
        _check_indices(op, arguments)
    elif here and away and not op.startswith("_fused"):
        _check_devices(op, arguments, away)
    if here and (op in READS or (op == "repeat_interleave" and arguments.get("output_size") is None)):
        device.wait(op)
    if op.startswith("_fused_"):
        _check_fused(arguments)
    if op == "native_batch_norm_backward":
        _check_running_mean(arguments)


def check_draw(op: str, arguments: Mapping[str, Any]) -> None:
    """Record a draw on the device; raises RuntimeError for a generator of the CPU."""
    if arguments.get("generator") is not None:
        raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
    device.draws.append(Draw(op, place(), device.capture is not None))


def _check_devices(op: str, arguments: Mapping[str, Any], away: Sequence[torch.Tensor]) -> None:
    target = arguments.get("self")
    into_host = op.endswith("_") and isinstance(target, torch.Tensor) and not target.is_cuda
    if into_host or op in NO_SCALARS or any(tensor.ndim for tensor in away):
        raise RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! "
            f"({op} of a tensor on the CPU, {[tuple(tensor.shape) for tensor in away]})"
        )


def _check_indices(op: str, arguments: Mapping[str, Any]) -> None:
    whole, indices = arguments["self"], [i for i in arguments["indices"] if i is not None]
    if not whole.is_cuda:
        if any(index.is_cuda for index in indices):
            raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor (cpu)")
        return
    values = arguments.get("values")
    if values is not None and values.ndim and not values.is_cuda:
        raise RuntimeError("Expected all tensors to be on the same device, but found at least two devices: values")
    for index in indices:
        if not index.is_cuda:
            device.wait(f"{op} by indices on the CPU")
        if index.dtype in (torch.bool, torch.uint8):
            device.wait(f"{op} by a mask")


def _check_fused(arguments: Mapping[str, Any]) -> None:
    for step in arguments.get("state_steps", ()):
        if not step.is_cuda or step.dtype != torch.float32:
            raise RuntimeError(f"a fused optimizer's state_steps are float32 on the device, not {step.dtype}")
    for name in ("lr", "grad_scale", "found_inf"):
        value = arguments.get(name)
        if not isinstance(value, torch.Tensor):
            continue
        if not value.is_cuda and name != "lr":
            raise RuntimeError(f"{name} should be on the same device as the parameters")
        if value.is_cuda and value.dtype != torch.float32:
            raise RuntimeError(f"expected scalar type Float but found {_NAMES[value.dtype]} ({name})")


def _check_running_mean(arguments: Mapping[str, Any]) -> None:
    values, weight, mean = (arguments.get(name) for name in ("input", "weight", "running_mean"))
    if values is None or weight is None or mean is None:
        return
    if weight.dtype == values.dtype != mean.dtype:
        raise RuntimeError(f"Expected running_mean to have type {_NAMES[values.dtype]} but got {_NAMES[mean.dtype]}")
