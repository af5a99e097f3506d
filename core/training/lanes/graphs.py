"""CUDA graphs: a step's hundreds of small kernels launched as one."""

import logging
from collections.abc import Callable, Sequence

import torch

log = logging.getLogger(__name__)

Tensors = tuple[torch.Tensor, ...]
Capture = Callable[[Callable[[], Tensors]], tuple[Tensors, Callable[[], None]]]
"""capture(run) -> (outputs, replay): `replay()` does again what `run()` did, into the same outputs."""


def cuda_capture(run: Callable[[], Tensors]) -> tuple[Tensors, Callable[[], None]]:
    """Capture as torch's manual says: warmed up on a stream of its own, then recorded; recording computes nothing."""
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = run()
    return outputs, graph.replay


class Graph:
    """A function of tensors that is captured for the shapes it is called with first, and called as it is for others.

    What it returns lies in the same memory at every replay: use it before the next call. `changed` are the tensors that
    the function changes in place; warming up leaves them as they were. Where the capture fails, as for a model that
    waits for the device in its forward pass, the function is called as it is.
    """

    def __init__(
        self, function: Callable[..., Tensors], changed: Sequence[torch.Tensor], capture: Capture = cuda_capture
    ) -> None:
        self._function = function
        self._changed = changed
        self._capture = capture
        self._inputs: Tensors | None = None
        self._outputs: Tensors = ()
        self._replay: Callable[[], None] | None = None

    def __call__(self, *inputs: torch.Tensor) -> Tensors:
        if self._inputs is None:
            self._record(inputs)
        own = self._inputs or ()
        if self._replay is None or [t.shape for t in inputs] != [t.shape for t in own]:
            return self._function(*inputs)
        for mine, given in zip(own, inputs, strict=True):
            mine.copy_(given)
        self._replay()
        return self._outputs

    def _record(self, inputs: Tensors) -> None:
        own = self._inputs = tuple(given.clone() for given in inputs)
        before = [value.clone() for value in self._changed]
        try:
            self._outputs, self._replay = self._capture(lambda: self._function(*own))
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            log.warning("the step cannot be captured as a CUDA graph, and is launched kernel by kernel: %s", error)
        finally:
            for value, was in zip(self._changed, before, strict=True):
                value.copy_(was)
