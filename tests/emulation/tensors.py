"""Tensors that say they are on `cuda:0`, with a CPU tensor's numbers inside, and the dispatch of operations on them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.emulation import copies, rules
from tests.emulation.arguments import bound, changed_by, mapped, numbers_of, tensors_of
from tests.emulation.counting import FREE, kernels, record
from tests.emulation.graphs import PRODUCTS, recorded
from tests.emulation.kernels import compute, draws
from tests.emulation.memory import Block
from tests.emulation.state import CUDA, device
from tests.emulation.streams import current_stream


class CudaTensor(torch.Tensor):
    """A tensor on the emulated device."""

    numbers: torch.Tensor
    """A tensor of the CPU, or of the meta device."""
    block: Block
    __slots__ = ("block", "numbers")
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, numbers: torch.Tensor) -> "CudaTensor":
        block = device.memory.block_of(numbers, device.capture)
        made: CudaTensor = torch.Tensor._make_wrapper_subclass(
            cls,
            numbers.size(),
            strides=numbers.stride(),
            storage_offset=numbers.storage_offset(),
            dtype=numbers.dtype,
            layout=numbers.layout,
            device=CUDA,
            requires_grad=False,
        )
        made.numbers, made.block = numbers, block
        return made

    def __repr__(self) -> str:  # type: ignore[override]
        return f"CudaTensor({tuple(self.shape)}, {self.dtype})"

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return dispatch(func, args, kwargs or {})


class Emulation(TorchDispatchMode):
    """The mode in which tensors are made on the device, and memory is pinned."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in copies.PINNING:
            return copies.pinning(func, args, kwargs)
        if _is_cuda(kwargs.get("device")) or any(
            isinstance(t, CudaTensor) for t in tensors_of((args, *kwargs.values()))
        ):
            return dispatch(func, args, kwargs)
        if kwargs.get("pin_memory"):
            return copies.pinned(func(*args, **kwargs | {"pin_memory": False}))
        return func(*args, **kwargs)


def dispatch(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Check, run and record an operation that touches the device."""
    op = func._schema.name.removeprefix("aten::")
    arguments = bound(func, args, kwargs)
    device.attempt(op)
    if torch.Tag.inplace_view in func.tags:
        raise NotImplementedError(f"the emulated device does not change a tensor's shape in place: {op}")
    tensors = tensors_of(arguments.values())
    if op in copies.COPYING or (op == "_foreach_copy_" and not all(t.is_cuda for t in tensors)):
        return copies.copy(op, arguments, CudaTensor)
    rules.check(op, arguments, tensors)
    there = _is_cuda(arguments.get("device")) or (arguments.get("device") is None and any(t.is_cuda for t in tensors))
    if draws(func) and there:
        rules.check_draw(op, arguments)
    inner_args = mapped(numbers_of, tuple(args))
    inner_kwargs = {name: mapped(numbers_of, value) for name, value in kwargs.items()}
    if kwargs.get("device") is not None:
        inner_kwargs["device"] = torch.device("meta" if device.meta and there else "cpu")
    inner_kwargs.pop("pin_memory", None)
    changed = changed_by(func, op, arguments)
    if device.capture is not None:
        device.capture.tape.keep(numbers_of(t) for t in changed)
    call: Callable[[], Any] = lambda: compute(func, op, inner_args, inner_kwargs)  # noqa: E731  once now, and in every replay
    result = call()
    outputs = tensors_of([result])
    wrapped = {id(t.numbers): t for t in tensors if isinstance(t, CudaTensor)}
    answer = mapped(lambda value: _wrapped(value, wrapped), result) if there else result
    _record(op, arguments, tensors, outputs, changed, call)
    return answer


def _record(
    op: str,
    arguments: Mapping[str, Any],
    tensors: Sequence[torch.Tensor],
    outputs: list[torch.Tensor],
    changed: Sequence[torch.Tensor],
    call: Callable[[], Any],
) -> None:
    """Count an operation, and put it on the tape of a capture."""
    storages = {numbers_of(t).untyped_storage()._cdata for t in tensors}
    view = not changed and bool(outputs) and all(t.untyped_storage()._cdata in storages for t in outputs)
    lists = [value for value in arguments.values() if isinstance(value, list | tuple)]
    launches = 0 if view or op in FREE else kernels(op, [v for v in lists if v and isinstance(v[0], torch.Tensor)])
    plain = [numbers_of(t) for t in tensors]
    record(op, plain, outputs or [numbers_of(t) for t in changed], launches, current_stream().stream_id)
    capture = device.capture
    workspace = device.memory.workspace(current_stream(), capture) if op in PRODUCTS else None
    if capture is None or view:
        return
    capture.uses(op, (t.block for t in tensors if isinstance(t, CudaTensor)))
    if workspace is not None:
        capture.tape.uses(f"{op} by the workspace of its stream", workspace)
    fresh = [t for t in outputs if t.untyped_storage()._cdata not in storages]
    capture.tape.add(None if device.meta or op in FREE else recorded(call, outputs), fresh)


def _wrapped(value: Any, known: Mapping[int, CudaTensor]) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    return known[id(value)] if id(value) in known else CudaTensor(value)


def _is_cuda(where: Any) -> bool:
    return where is not None and torch.device(where).type == "cuda"
