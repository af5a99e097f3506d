"""The functions of torch that ask for a CUDA runtime, replaced while the device is emulated."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
import torch._dynamo  # by its own list of torch.cuda, which has to be whole when it is imported

from tests.emulation import graphs, streams
from tests.emulation.guard import load_guard
from tests.emulation.state import device
from tests.emulation.tensors import Emulation

_PLAIN_TENSOR, _PLAIN_AS_TENSOR, _PLAIN_NEW_TENSOR = torch.tensor, torch.as_tensor, torch.Tensor.new_tensor
_PLAIN_TOLIST, _PLAIN_NUMPY = torch.Tensor.tolist, torch.Tensor.numpy


class Properties:
    """The properties of the device."""

    name = "Emulated CUDA device"
    uuid = "00000000-0000-0000-0000-000000000000"
    major, minor = 9, 0
    multi_processor_count = 132

    @property
    def total_memory(self) -> int:
        return device.memory.total


def _no(*_: Any, **__: Any) -> None: ...


def _memory() -> dict[str, Callable[..., Any]]:
    memory = device.memory

    def reset_peak(_: Any = None) -> None:
        memory.peak = memory.allocated

    return {
        "mem_get_info": lambda _=None: (memory.free, memory.total),
        "memory_allocated": lambda _=None: memory.allocated,
        "memory_reserved": lambda _=None: memory.reserved,
        "max_memory_allocated": lambda _=None: memory.peak,
        "reset_peak_memory_stats": reset_peak,
        "empty_cache": memory.trim,
        "graph_pool_handle": memory.new_handle,
    }


def _functions() -> dict[str, Any]:
    """Return what takes the place of `torch.cuda`'s own, by name."""
    return {
        **_memory(),
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "init": _no,
        "_lazy_init": _no,
        "device_count": lambda: device.count,
        "current_device": lambda: 0,
        "set_device": _no,
        "_exchange_device": lambda _: 0,
        "_maybe_exchange_device": lambda _: 0,
        "get_device_name": lambda _=None: Properties.name,
        "get_device_capability": lambda _=None: (Properties.major, Properties.minor),
        "get_device_properties": lambda _=None: Properties(),
        "is_bf16_supported": lambda *_, **__: True,
        "manual_seed": _seed,
        "manual_seed_all": _seed,
        "Stream": streams.Stream,
        "Event": streams.Event,
        "CUDAGraph": graphs.CUDAGraph,
        "current_stream": streams.current_stream,
        "default_stream": lambda _=None: streams.default_stream,
        "set_stream": streams.set_stream,
        "synchronize": streams.synchronize,
        "is_current_stream_capturing": lambda: device.capture is not None,
    }


def _seed(seed: int) -> None:
    device.random = torch.Generator().manual_seed(seed).get_state()


def _tensor(data: Any, *, device: Any = None, requires_grad: bool = False, **options: Any) -> torch.Tensor:
    made = _PLAIN_TENSOR(data, **options)
    made = made if device is None else made.to(device)
    return made.requires_grad_() if requires_grad else made


def _as_tensor(data: Any, dtype: Any = None, device: Any = None) -> torch.Tensor:
    if isinstance(data, torch.Tensor):
        return data.to(device=device or data.device, dtype=dtype or data.dtype)
    made = _PLAIN_AS_TENSOR(data, dtype=dtype)
    return made if device is None else made.to(device)


def _new_tensor(
    self: torch.Tensor, data: Any, *, dtype: Any = None, device: Any = None, **options: Any
) -> torch.Tensor:
    return _tensor(data, dtype=dtype or self.dtype, device=device or self.device, **options)


def _tolist(self: torch.Tensor) -> Any:
    return _PLAIN_TOLIST(self.cpu() if self.is_cuda else self)


def _numpy(self: torch.Tensor, **options: Any) -> Any:
    if self.is_cuda:
        raise TypeError(
            "can't convert cuda:0 device type tensor to numpy. "
            "Use Tensor.cpu() to copy the tensor to host memory first."
        )
    return _PLAIN_NUMPY(self, **options)


@contextmanager
def _replaced(owner: Any, names: dict[str, Any]) -> Iterator[None]:
    missing = object()
    before = {name: owner.__dict__.get(name, missing) for name in names}
    for name, value in names.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is missing:
                delattr(owner, name)
            else:
                setattr(owner, name, value)


@contextmanager
def _modules_take_new_parameters() -> Iterator[None]:
    """Let `module.to` put tensors of another class in the place of parameters."""
    before = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        yield
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(before)


@contextmanager
def emulated() -> Iterator[None]:
    """Let torch find one CUDA device, the emulated one; the guard has to be there already."""
    load_guard()
    with ExitStack() as stack:
        stack.enter_context(_replaced(torch.cuda, _functions()))
        stack.enter_context(_replaced(torch.cuda.graphs.graph, {"default_capture_stream": None}))
        stack.enter_context(_replaced(torch._C, {"_host_emptyCache": _no}))
        for module in (torch.cuda.amp.common, torch.amp.autocast_mode):
            if hasattr(module, "amp_definitely_not_available"):
                stack.enter_context(_replaced(module, {"amp_definitely_not_available": lambda: False}))
        stack.enter_context(_replaced(torch, {"tensor": _tensor, "as_tensor": _as_tensor}))
        methods = {"tolist": _tolist, "numpy": _numpy, "new_tensor": _new_tensor}
        stack.enter_context(_replaced(torch.Tensor, methods))
        stack.enter_context(_modules_take_new_parameters())
        stack.enter_context(Emulation())
        yield
