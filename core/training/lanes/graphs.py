"""CUDA graphs: an update's hundreds of small kernels launched as one."""

import logging
from collections.abc import Callable, Hashable

import torch

from core.training.faults import Fault, classify, note_failed_capture

log = logging.getLogger(__name__)

Tensors = tuple[torch.Tensor, ...]
Function = Callable[[], Tensors]
WARM_UP = 2
"""Calls of a function that are launched as they are, before it is captured: the first creates handles and workspaces of
the libraries, which a capture must not."""


class Graphs:
    """The captured functions of a program: one graph for each key, all in one pool of memory.

    A function takes nothing, reads and changes tensors that stay where they are for as long as the program lives, and
    returns tensors that lie in the same memory at every replay: use them before the next call. Its first calls do their
    work kernel by kernel, and are the warm-up. Everything runs on the stream that is current, which should not be the
    default one, and should be the program's own: graphs of one stream share the workspaces of cuBLAS, which go with the
    first of them (pytorch#193402). So all are closed together, before a program that follows captures its own.
    """

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()
        self._calls: dict[Hashable, int] = {}
        self._graphs: dict[Hashable, tuple[torch.cuda.CUDAGraph, Tensors]] = {}
        self._plain = False

    def run(self, key: Hashable, function: Function) -> Tensors:
        """Call a function, or replay it; the same key always means the same work."""
        if key not in self._graphs:
            calls = self._calls[key] = self._calls.get(key, 0) + 1
            if calls <= WARM_UP or self._plain or not self._capture(key, function):
                return function()
        graph, outputs = self._graphs[key]
        graph.replay()
        return outputs

    def close(self) -> None:
        """Give the graphs and their memory back; what is run afterwards is captured anew."""
        for graph, _ in self._graphs.values():
            graph.reset()
        self._graphs.clear()
        self._calls.clear()

    def _capture(self, key: Hashable, function: Function) -> bool:
        """Capture a function, which computes nothing; returns False where it cannot be, as if it waits for the device.

        Raises what says that memory ran out, or that the device is broken.
        """
        graph, stream = torch.cuda.CUDAGraph(), torch.cuda.current_stream()
        try:
            with torch.cuda.graph(graph, pool=self._pool, stream=stream):
                outputs = function()
        except RuntimeError as error:
            torch.cuda.set_stream(stream)  # torch leaves its own current where the end of a capture fails
            note_failed_capture()
            if classify(error) is not Fault.PROGRAM:
                raise
            log.warning("the update cannot be captured as a CUDA graph, and is launched kernel by kernel: %s", error)
            self._plain = True
            return False
        self._graphs[key] = graph, outputs
        return True
