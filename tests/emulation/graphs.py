"""CUDA graphs: a capture records a tape and leaves memory as it was, a replay runs the tape into the same memory."""

import itertools
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.utils._python_dispatch import _disable_current_modes

from tests.emulation.arguments import tensors_of
from tests.emulation.counting import Launch
from tests.emulation.memory import Block, Handle, Pool
from tests.emulation.state import device
from tests.emulation.streams import Stream, current_stream, default_stream

PRODUCTS = frozenset({"mm", "addmm", "bmm", "baddbmm", "mv", "addmv", "dot", "_addmm_activation", "linear"})
"""Operations that use the stream's workspace of cuBLAS."""


class Tape:
    """Recorded operations, each as a call that computes into the memory it was recorded with."""

    def __init__(self) -> None:
        self.launches: list[Launch] = []
        self._steps: list[Callable[[], None]] = []
        self._own: dict[int, torch.Tensor] = {}
        self._before: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._used: dict[weakref.ref[Block], str] = {}

    def add(self, step: Callable[[], None] | None, fresh: Iterable[torch.Tensor] = ()) -> None:
        """Record a step, and tensors whose storages are the graph's own."""
        for tensor in fresh:
            self._own.setdefault(tensor.untyped_storage()._cdata, tensor)
        if step is not None:
            self._steps.append(step)

    def uses(self, op: str, block: Block) -> None:
        """Note memory that has to live as long as the graph is replayed."""
        self._used.setdefault(weakref.ref(block), op)

    def keep(self, tensors: Iterable[torch.Tensor]) -> None:
        """Keep the numbers of tensors that are about to be changed, and are not the graph's own."""
        for tensor in tensors:
            storage = tensor.untyped_storage()
            if storage._cdata not in self._own and storage._cdata not in self._before and not tensor.is_meta:
                whole = torch.empty(0, dtype=torch.uint8).set_(storage)
                self._before[storage._cdata] = whole, whole.clone()

    def end(self) -> None:
        """Leave memory as a capture does, which computes nothing: what it would have changed as it was, its own odd."""
        for whole, was in self._before.values():
            whole.copy_(was)
        self._before.clear()
        for tensor in self._own.values():
            whole = torch.empty(0, dtype=tensor.dtype, device=tensor.device).set_(tensor.untyped_storage())
            if tensor.dtype.is_floating_point:
                whole.fill_(float("nan"))
            elif tensor.dtype in (torch.int32, torch.int64):
                whole.fill_(torch.iinfo(tensor.dtype).max // 3)

    def run(self) -> None:
        for block, op in self._used.items():
            if block() is None:
                raise torch.AcceleratorError(
                    f"CUDA error: an illegal memory access was encountered (a graph's {op} uses memory that was freed)"
                )
        with _disable_current_modes():
            for step in self._steps:
                step()


class Capture:
    """A capture: its stream, its pool, and the streams on which something ran since the capture before it."""

    _numbers = itertools.count(1)

    def __init__(self, stream: Stream, handle: Handle, pool: Pool, mode: str) -> None:
        self.stream, self.handle, self.pool, self.mode = stream, handle, pool, mode
        self.tape = Tape()
        self.invalid = False
        self.ran_on = frozenset(device.launched_on)
        self.number = next(Capture._numbers)

    def uses(self, op: str, blocks: Iterable[Block]) -> None:
        """Note which of an operation's blocks were there before the capture."""
        for block in blocks:
            if block.capture != self.number:
                self.tape.uses(op, block)


class CUDAGraph:
    """A CUDA graph; its private pool is reserved until it is reset or deleted."""

    def __init__(self, *_: Any) -> None:
        self._capture: Capture | None = None
        self._ended = False

    def capture_begin(self, pool: Handle | None = None, capture_error_mode: str = "global", **_: Any) -> None:
        device.attempt("capture_begin")
        if self._capture is not None:
            raise RuntimeError(
                "This CUDAGraph instance already owns a captured graph. To capture a new graph, create a new instance."
            )
        stream = current_stream()
        if stream is default_stream:
            raise RuntimeError("CUDA graphs must be captured on a non-default stream.")
        if device.capture is not None:
            raise RuntimeError("a capture is under way already")
        handle = pool or device.memory.new_handle()
        self._capture = Capture(stream, handle, device.memory.private(handle), capture_error_mode)
        self._capture.pool.graphs += 1
        device.launched_on.clear()
        device.capture = self._capture
        device.captures.append(self._capture)

    def capture_end(self) -> None:
        capture, device.capture = device.capture, None
        assert capture is not None
        assert capture is self._capture
        capture.tape.end()
        if capture.invalid:
            self.reset()
            raise torch.AcceleratorError("CUDA error: operation failed due to a previous error during capture")
        try:
            device.attempt("capture_end")
        except BaseException:
            self.reset()
            raise
        self._ended = True

    def instantiate(self) -> None:
        device.attempt("instantiate")

    def replay(self) -> None:
        if self._capture is None or not self._ended:
            raise RuntimeError("Called CUDAGraph::replay without a preceding successful capture.")
        if device.capture is not None:
            raise RuntimeError("a graph is replayed while another is captured")
        device.attempt("replay")
        device.launched_on.add(current_stream().stream_id)
        self._capture.tape.run()
        for counted in device.counts:
            counted.replays += 1
            counted.outside += 1
            for launch in self._capture.tape.launches:
                counted.add(launch, inside=True)

    def reset(self) -> None:
        """Give the graph's memory back, and drop the workspace of its stream, whoever else uses it."""
        capture, self._capture, self._ended = self._capture, None, False
        if capture is not None:
            capture.pool.graphs -= 1
            device.memory.clear_workspace(capture.stream)
            capture.tape = Tape()

    def pool(self) -> Handle:
        assert self._capture is not None
        return self._capture.handle

    def enable_debug_mode(self) -> None: ...

    def debug_dump(self, path: str) -> None: ...

    def __del__(self) -> None:
        self.reset()


def recorded(call: Callable[[], Any], outputs: list[torch.Tensor]) -> Callable[[], None]:
    """Return a step that computes again and copies the results into the memory of the first ones."""

    def step() -> None:
        for mine, new in zip(outputs, tensors_of([call()]), strict=True):
            if mine.untyped_storage()._cdata != new.untyped_storage()._cdata:
                mine.copy_(new)

    return step
