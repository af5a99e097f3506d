"""The arguments and results of operations: values, and lists of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch

_UPDATED = {"native_batch_norm": ("running_mean", "running_var")}
"""Arguments that are changed in place though the schema does not say so."""


def bound(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of an operation by name."""
    names = [argument.name for argument in func._schema.arguments[: len(args)]]
    return dict(zip(names, args, strict=True)) | dict(kwargs)


def changed_by(func: Any, op: str, arguments: Mapping[str, Any]) -> list[torch.Tensor]:
    """Return the tensors that an operation changes in place."""
    if not func._schema.is_mutable and op not in _UPDATED:
        return []
    names = [a.name for a in func._schema.arguments if a.alias_info is not None and a.alias_info.is_write]
    return tensors_of(arguments.get(name) for name in (*names, *_UPDATED.get(op, ())))


def tensors_of(values: Iterable[Any]) -> list[torch.Tensor]:
    """Return the tensors among values and in lists among them."""
    found = list[torch.Tensor]()
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += tensors_of(value)
    return found


def mapped(call: Callable[[Any], Any], value: Any) -> Any:
    """Return a value, or each of a list, as `call` makes of it."""
    if isinstance(value, list | tuple):
        return type(value)([mapped(call, each) for each in value])
    return call(value)


def numbers_of(value: Any) -> Any:
    """Return the plain tensor inside of one on the device; anything else as it is."""
    return getattr(value, "numbers", value) if isinstance(value, torch.Tensor) else value
