"""Copies between the host and the device, and memory of the host that is pinned for them."""

from collections.abc import Callable, Mapping
from typing import Any

import torch

from tests.emulation.arguments import numbers_of
from tests.emulation.counting import record
from tests.emulation.state import device
from tests.emulation.streams import Arrival, current_stream

aten = torch.ops.aten
COPYING = frozenset({"_to_copy", "copy_"})
PINNING = frozenset({aten._pin_memory.default, aten.is_pinned.default})
_NOT_YET = 12345.678
"""What pinned memory holds until a copy to it arrives."""
Wrap = Callable[[torch.Tensor], torch.Tensor]


def pinned(tensor: torch.Tensor) -> torch.Tensor:
    """Mark a tensor's memory as pinned."""
    tensor.untyped_storage().pinned = True  # type: ignore[attr-defined]
    return tensor


def is_pinned(tensor: torch.Tensor) -> bool:
    return getattr(tensor.untyped_storage(), "pinned", False)


def pinning(func: Any, args: Any, kwargs: Any) -> Any:
    """Pin a tensor of the host, or return whether it is."""
    if func is aten.is_pinned.default:
        return not args[0].is_cuda and is_pinned(args[0])
    return pinned(args[0].clone())


def copy(op: str, arguments: Mapping[str, Any], wrap: Wrap) -> Any:
    """Copy within the device, to it, or from it."""
    if op == "_foreach_copy_":
        return _copy_lists(arguments)
    if op == "_to_copy":
        return _to_copy(arguments, wrap)
    there, values = arguments["self"], arguments["src"]
    _copy(op, there, values, bool(arguments.get("non_blocking")))
    return there


def _to_copy(arguments: Mapping[str, Any], wrap: Wrap) -> torch.Tensor:
    source = arguments["self"]
    target = torch.device(arguments.get("device") or source.device)
    late = bool(arguments.get("non_blocking"))
    inner = numbers_of(source)
    dtype = arguments.get("dtype") or source.dtype
    layout = arguments.get("memory_format") or torch.preserve_format
    if device.meta and target.type == "cuda" and not source.is_cuda:
        inner = torch.empty_strided(source.shape, source.stride(), dtype=source.dtype, device="meta")
    if device.meta and target.type == "cpu" and source.is_cuda:
        made = torch.full(source.shape, dtype == torch.bool, dtype=dtype)  # finite, and true where it is asked for
    else:
        made = torch.empty_like(inner, dtype=dtype, memory_format=layout)
    answer = wrap(made) if target.type == "cuda" else made
    if device.capture is not None and target.type == "cuda":
        device.capture.tape.add(None, [made])
    _copy("_to_copy", answer, source, late)
    return answer


def _copy(op: str, there: torch.Tensor, values: torch.Tensor, late: bool) -> None:
    """Copy `values` into `there`; a copy to pinned memory that does not block arrives with a later event."""
    inner, source = (numbers_of(t) for t in (there, values))
    crossing = there.is_cuda != values.is_cuda
    host = values if there.is_cuda else there
    late = late and crossing and is_pinned(host)
    if crossing and not late:
        device.wait(f"{op} {'to' if there.is_cuda else 'from'} the device")
        current_stream().complete()
    _count(op, inner, source, crossing)
    step = _arrival(inner, source) if late and not there.is_cuda else lambda: _assign(inner, source)
    if device.capture is None:
        step()
        return
    tape = device.capture.tape
    device.capture.uses(op, (t.block for t in (there, values) if t.is_cuda))  # type: ignore[attr-defined]
    tape.keep([inner])
    _assign(inner, source)
    tape.add(step)


def _assign(there: torch.Tensor, values: torch.Tensor) -> None:
    if values.is_meta or there.is_meta:
        return
    there.copy_(values)


def _arrival(there: torch.Tensor, values: torch.Tensor) -> Callable[[], None]:
    def send() -> None:
        arrival = Arrival(there, torch.zeros_like(there) if values.is_meta else values.clone())
        if there.dtype.is_floating_point:
            there.fill_(_NOT_YET)
        current_stream().coming.append(arrival)

    return send


def _count(op: str, there: torch.Tensor, values: torch.Tensor, crossing: bool) -> None:
    launches = 1
    if crossing and there.stride() != values.expand(there.shape).stride() and there.numel() > 1:
        launches = max(pieces(there), pieces(values.expand(there.shape)))
        if launches > 1:
            device.notes.append(f"{op}: {tuple(there.shape)} is copied to or from the host in {launches} pieces")
    record(op, [values], [there], launches, current_stream().stream_id)


def pieces(tensor: torch.Tensor) -> int:
    """Return in how many contiguous pieces a tensor lies."""
    run = 1
    for size, stride in sorted(zip(tensor.shape, tensor.stride(), strict=True), key=lambda dimension: dimension[1]):
        if stride == run and size > 1:
            run *= size
    return tensor.numel() // run if run else 0


def _copy_lists(arguments: Mapping[str, Any]) -> None:
    late = bool(arguments.get("non_blocking"))
    for there, values in zip(arguments["self"], arguments["src"], strict=True):
        _copy("_foreach_copy_", there, values, late)
