"""The work of a program on a GPU: captured as CUDA graphs, replayed with nothing but a moment that follows."""

from collections.abc import Callable, Hashable

import torch

from core.training.lanes.clock import Clock, Moment
from core.training.lanes.graphs import Graphs


class Captured:
    """A program's clock and graphs."""

    def __init__(self, device: str) -> None:
        self._clock = Clock(device)
        self._graphs = Graphs()
        self._inputs: dict[Hashable, torch.Tensor] = {}

    def update(
        self, kind: Hashable, work: Callable[[Moment], torch.Tensor | None], step: int, place: int, row: int
    ) -> torch.Tensor | None:
        """Do an update of some kind at a moment; what it returns is a copy."""

        def whole() -> tuple[torch.Tensor, ...]:
            found = work(self._clock.moment)
            self._clock.advance()
            return () if found is None else (found,)

        self._clock.set(step, place, row)
        found = self._graphs.run(("update", kind), whole)
        return found[0].clone() if found else None

    def predict(
        self, kind: Hashable, inputs: torch.Tensor, work: Callable[[torch.Tensor], torch.Tensor]
    ) -> torch.Tensor:
        """Return outputs of some kind for some inputs, a copy; the same work for all inputs of a shape."""
        kind = ("predict", kind, inputs.shape)
        if kind not in self._inputs:
            self._inputs[kind] = torch.empty_like(inputs)
        place = self._inputs[kind].copy_(inputs)
        (found,) = self._graphs.run(kind, lambda: (work(place),))
        return found.clone()

    def close(self) -> None:
        """Give the graphs and their memory back."""
        self._graphs.close()
