"""The runs of a cohort as lanes of one program: every parameter stacked over lanes, one update for all."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch.func import functional_call, vmap
from torch.nn.functional import cross_entropy

from core.optimizers import Optimizer
from core.registry import Entry
from core.training.network import Network
from core.training.recorder import Lane

Tensors = Mapping[str, torch.Tensor]

PIECE = 2**19
"""Numbers of a parameter's stack that the CPU updates at once: with gradient, state and temporaries they stay in cache,
1.8 times faster for Adam than whole stacks of 7 million."""
ALIKE = 2**16
"""From this size of one lane's parameter on, a piece holds lanes with the same optimizer and schedule only: a rule may
have a faster way for one rate, and that pays for the further pieces."""
EVALUATION_BYTES = 2**24
"""Memory for one layer's values in evaluation."""


class _Piece(NamedTuple):
    """Some lanes of one parameter, with what its update needs; all are views."""

    parameter: int
    lanes: slice
    values: torch.Tensor
    state: dict[str, torch.Tensor]
    hyper: dict[str, torch.Tensor]


class Stack:
    """Parameters, buffers and optimizer state of all lanes, (lanes, *shape) each."""

    def __init__(self, lanes: Sequence[Lane], network: Network, states: Sequence[Tensors], device: str) -> None:
        """`states` are the lanes' initial values by name, on the CPU."""
        self._module = network.module
        self._widest = network.widest
        self._lanes = len(lanes)
        trained = [name for name, _ in self._module.named_parameters()]
        state = {name: _stacked([values[name] for values in states]).to(device) for name in states[0]}
        self.parameters = {name: state[name].requires_grad_() for name in trained}
        self.buffers = {name: values for name, values in state.items() if name not in self.parameters}
        optimizers: list[Optimizer] = [lane.treatment.optimizer.build() for lane in lanes]
        self._hyper = {
            name: torch.tensor([optimizer.hyper[name] for optimizer in optimizers], device=device, dtype=torch.float64)
            for name in optimizers[0].hyper
        }
        self._rule = optimizers[0].update
        curves = [(lane.treatment.optimizer, lane.treatment.schedule) for lane in lanes]
        self._pieces = [
            piece
            for i, values in enumerate(self.parameters.values())
            for piece in self._cut(i, _in_memory_order(values.detach()), optimizers[0].slots, curves)
        ]
        self._updates = 0

    def update(self, x: torch.Tensor, y: torch.Tensor, masks: Tensors, rates: torch.Tensor) -> torch.Tensor:
        """One update of every lane; its losses, (lanes,), before the update.

        x is (lanes, batch, *shape), y (lanes, batch), each mask (lanes, batch, *units), rates (lanes,).
        """
        given = {f"{layer}.mask": mask for layer, mask in masks.items()}
        logits = vmap(self._logits)(self.parameters, self.buffers, given, x)
        losses = _cross_entropy(logits, y).mean(1)
        gradients = torch.autograd.grad(losses.sum(), list(self.parameters.values()))
        self._updates += 1
        self._hyper["lr"].copy_(rates)
        for piece in self._pieces:
            gradient = _in_memory_order(gradients[piece.parameter])[piece.lanes]
            self._rule(piece.values, gradient, piece.state, self._updates, piece.hyper)
        return losses.detach()

    def evaluate(self, x: torch.Tensor, y: torch.Tensor, check: Callable[[], None]) -> torch.Tensor:
        """Mean loss and accuracy of every lane on a split, (2, lanes) in float64, dropout off and norms frozen.

        `check` is called before every chunk and may raise.
        """
        chunk = max(1, EVALUATION_BYTES // (self._lanes * self._widest * x.element_size()))
        totals = torch.zeros(2, self._lanes, dtype=torch.float64, device=x.device)
        self._module.eval()
        try:
            for part, labels in zip(torch.split(x, chunk), torch.split(y, chunk), strict=True):
                check()
                with torch.no_grad():
                    logits = vmap(self._logits, (0, 0, None, None))(self.parameters, self.buffers, {}, part)
                    totals[0] += _cross_entropy(logits, labels.expand(self._lanes, -1)).sum(1)
                    totals[1] += (logits.argmax(2) == labels).sum(1)
        finally:
            self._module.train()
        return totals / len(x)

    def _logits(self, parameters: Tensors, buffers: Tensors, masks: Tensors, x: torch.Tensor) -> torch.Tensor:
        """One lane's outputs for a batch, (batch, classes)."""
        logits: torch.Tensor = functional_call(self._module, {**parameters, **buffers, **masks}, (x,))
        return logits

    def _cut(
        self, index: int, values: torch.Tensor, slots: Sequence[str], curves: Sequence[tuple[Entry, Entry]]
    ) -> Iterator[_Piece]:
        state = {slot: torch.zeros_like(values) for slot in slots}
        hyper = {name: row.view(-1, *[1] * (values.ndim - 1)) for name, row in self._hyper.items()}
        for lanes in _cuts(math.prod(values.shape[1:]), curves) if values.device.type == "cpu" else [slice(None)]:
            mine = {slot: numbers[lanes] for slot, numbers in state.items()}
            yield _Piece(index, lanes, values[lanes], mine, {name: row[lanes] for name, row in hyper.items()})


def _cuts(size: int, curves: Sequence[tuple[Entry, Entry]]) -> Iterator[slice]:
    """Consecutive lanes to update together, for a parameter of `size` numbers a lane."""
    first = 0
    for lane in range(1, len(curves) + 1):
        full = lane == len(curves) or (lane + 1 - first) * size > PIECE
        if full or (size >= ALIKE and curves[lane] != curves[first]):
            yield slice(first, lane)
            first = lane


def _cross_entropy(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The loss of every example, (lanes, batch), of logits (lanes, batch, classes) and labels (lanes, batch)."""
    # Not under vmap: its rule is a decomposition in Python that also loads sympy (0.4 s).
    return cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none").view(y.shape)


def _stacked(values: Sequence[torch.Tensor]) -> torch.Tensor:
    """(lanes, *shape), in the memory order of the gradients: the batched product's are input-major for dense layers."""
    if values[0].ndim != 2:
        return torch.stack(list(values))
    return torch.stack([value.T for value in values]).transpose(1, 2)


def _in_memory_order(stacked: torch.Tensor) -> torch.Tensor:
    """The view of a stacked parameter or gradient that is contiguous: a kernel then passes over it once, in order."""
    return stacked.transpose(1, 2) if stacked.ndim == 3 else stacked
