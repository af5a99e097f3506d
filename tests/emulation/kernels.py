"""Computation of an operation by the CPU, on the numbers inside of the device's tensors."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from tests.emulation.state import device


def compute(func: Any, op: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Run an operation on plain tensors."""
    if device.meta and op == "_local_scalar_dense":
        return torch.zeros((), dtype=args[0].dtype).item()
    if device.meta and op.startswith("_fused_"):  # in place, and with a rate on the device torch knows no shapes of it
        return None
    if op in ("native_batch_norm", "native_batch_norm_backward"):
        return _batch_norm(func, args, kwargs)
    return _drawn(func, args, kwargs) if draws(func) else func(*args, **kwargs)


def draws(func: Any) -> bool:
    """Return whether an operation draws random numbers."""
    return torch.Tag.nondeterministic_seeded in func.tags


def _drawn(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Draw from the device's own generator."""
    before = torch.get_rng_state()
    torch.set_rng_state(device.random)
    try:
        return func(*args, **kwargs)
    finally:
        device.random = torch.get_rng_state()
        torch.set_rng_state(before)


def _batch_norm(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Compute in float32 what comes in 16 bits, as CUDA does."""
    low = next(value.dtype for value in args if isinstance(value, torch.Tensor))
    if low not in (torch.bfloat16, torch.float16):
        return func(*args, **kwargs)
    up = [value.float() if isinstance(value, torch.Tensor) and value.dtype == low else value for value in args]
    first, *rest = func(*up, **kwargs)
    if func._schema.name == "aten::native_batch_norm":
        return (first.to(low), *rest)
    weight = args[2]
    kind = low if weight is None else weight.dtype
    return (first.to(low), *(value if value is None else value.to(kind) for value in rest))
