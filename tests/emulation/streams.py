"""Streams and events: one after another as they were called, but for copies to pinned memory, which arrive late."""

import itertools
import time
import weakref
from typing import Any, ClassVar

import torch

from tests.emulation.state import CUDA, device

POOL = 32
ASKED = 3
"""How often an event says that it has not occurred before it says that it has."""


class Arrival:
    """A copy to the host on its way."""

    def __init__(self, there: torch.Tensor, values: torch.Tensor) -> None:
        self._there, self._values = there, values
        self.done = False

    def arrive(self) -> None:
        if not self.done:
            self._there.copy_(self._values)
            self.done = True


class Stream:
    """A stream; all of them run in the order of the calls.

    As torch's, it is one of a pool of 32: the 33rd is the first again. Copies on their way belong to the object.
    """

    live: ClassVar[weakref.WeakValueDictionary[int, "Stream"]] = weakref.WeakValueDictionary()
    _numbers = itertools.count()

    def __init__(self, *_: Any, priority: int = 0, **__: Any) -> None:
        self.stream_id = 1 + next(Stream._numbers) % POOL
        self.cuda_stream = self.stream_id
        self.device = CUDA
        self.device_index = 0
        self.priority = priority
        self.coming: list[Arrival] = []
        Stream.live[id(self)] = self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and other.stream_id == self.stream_id

    def __hash__(self) -> int:
        return hash(self.stream_id)

    def wait_stream(self, stream: "Stream") -> None:
        self.coming += stream.coming

    def wait_event(self, event: "Event") -> None:
        self.coming += event.coming

    def record_event(self, event: "Event | None" = None) -> "Event":
        event = event or Event()
        event.record(self)
        return event

    def query(self) -> bool:
        return not any(not arrival.done for arrival in self.coming)

    def synchronize(self) -> None:
        device.wait("stream.synchronize", hidden=False)
        self.complete()

    def complete(self) -> None:
        """Let everything that was sent from this stream arrive."""
        for arrival in self.coming:
            arrival.arrive()
        self.coming = []


class Event:
    """An event; copies sent before it have arrived once it is waited for, or has been asked for often enough."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.coming: list[Arrival] = []
        self._asked = 0
        self._at = 0.0

    def record(self, stream: Stream | None = None) -> None:
        stream = stream or current_stream()
        stream.coming = [arrival for arrival in stream.coming if not arrival.done]
        self.coming, self._asked, self._at = list(stream.coming), 0, time.perf_counter()

    def wait(self, stream: Stream | None = None) -> None:
        (stream or current_stream()).wait_event(self)

    def query(self) -> bool:
        device.attempt("event.query")
        if device.capture is not None:
            device.capture.invalid = True
            raise torch.AcceleratorError("CUDA error: operation not permitted when stream is capturing (event.query)")
        self._asked += 1
        if self._asked < ASKED:
            return False
        self._complete()
        return True

    def synchronize(self) -> None:
        device.wait("event.synchronize", hidden=False)
        self._complete()

    def elapsed_time(self, end: "Event") -> float:
        return (end._at - self._at) * 1000

    def _complete(self) -> None:
        for arrival in self.coming:
            arrival.arrive()


default_stream = Stream()
default_stream.stream_id = default_stream.cuda_stream = 0


def current_stream(_: Any = None) -> Stream:
    return device.stream or default_stream


def set_stream(stream: Stream | None) -> None:
    if stream is not None:
        device.stream = stream


def synchronize(_: Any = None) -> None:
    """Wait for all streams."""
    device.wait("cuda.synchronize", hidden=False)
    for stream in list(Stream.live.values()):
        stream.complete()
