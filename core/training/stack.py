"""The runs of a cohort as lanes of one program: every parameter stacked over lanes, one update for all."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch.func import functional_call, vmap

from core.optimizers import Optimizer
from core.registry import Entry
from core.training.factors import Factors
from core.training.network import Network
from core.training.objective import Objective
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

    def __init__(
        self,
        lanes: Sequence[Lane],
        network: Network,
        objective: Objective,
        states: Sequence[Tensors],
        factors: Sequence[Mapping[str, Factors]],
        device: str,
    ) -> None:
        """`states` are the lanes' initial values by name, on the CPU; `factors` each lane's that are not 1."""
        self._module = network.module
        self._objective = objective
        self._widest = network.widest
        self._lanes = len(lanes)
        trained = [name for name, _ in self._module.named_parameters()]
        self.parameters = {
            name: _stacked([values[name] for values in states]).to(device).requires_grad_() for name in trained
        }
        self.buffers = {
            name: torch.stack([values[name] for values in states]).to(device)
            for name in states[0]
            if name not in self.parameters
        }
        optimizers: list[Optimizer] = [lane.treatment.optimizer.build() for lane in lanes]
        self._rule = optimizers[0]
        hyper = {
            name: torch.tensor([optimizer.hyper[name] for optimizer in optimizers], device=device, dtype=torch.float64)
            for name in self._rule.hyper
        }
        self._rates = [(hyper["lr"], torch.ones_like(hyper["lr"]))]
        """The learning rates that the parameters' updates read, and their factors."""
        self._forward: dict[str, torch.Tensor] = {}
        curves = [(lane.treatment.optimizer, lane.treatment.schedule) for lane in lanes]
        self._pieces: list[_Piece] = []
        for i, (name, values) in enumerate(self.parameters.items()):
            mine = [lane.get(name, Factors()) for lane in factors]
            column = [-1, *[1] * (values.ndim - 1)]
            if any(factor.forward != 1 for factor in mine):
                forward = torch.tensor([factor.forward for factor in mine], device=device, dtype=values.dtype)
                self._forward[name] = forward.view(column)
            rows = self._own_rates(hyper, mine) if any(factor.lr != 1 for factor in mine) else hyper
            views = {key: row.view(column) for key, row in rows.items()}
            self._pieces += self._cut(i, _in_memory_order(values.detach()), views, curves)
        self._updates = 0

    def update(self, x: torch.Tensor, y: torch.Tensor, masks: Tensors, rates: torch.Tensor) -> torch.Tensor:
        """One update of every lane; its losses, (lanes,), before the update.

        x is (lanes, batch, *shape), y (lanes, batch), each mask (lanes, batch, *units), rates (lanes,).
        """
        given = {f"{layer}.mask": mask for layer, mask in masks.items()}
        outputs = vmap(self._outputs)(self._scaled(self.parameters), self.buffers, given, x)
        losses = self._objective.losses(outputs, y).mean(1)
        gradients = torch.autograd.grad(losses.sum(), list(self.parameters.values()))
        self._updates += 1
        for lr, factor in self._rates:
            torch.mul(factor, rates, out=lr)
        for piece in self._pieces:
            gradient = _in_memory_order(gradients[piece.parameter])[piece.lanes]
            self._rule.update(piece.values, gradient, piece.state, self._updates, piece.hyper)
        return losses.detach()

    def evaluate(self, x: torch.Tensor, y: torch.Tensor, check: Callable[[], None]) -> torch.Tensor:
        """Mean loss and score of every lane on a split, (2, lanes) in float64, dropout off and norms frozen.

        `check` is called before every chunk and may raise.
        """
        chunk = max(1, EVALUATION_BYTES // (self._lanes * self._widest * x.element_size()))
        totals = torch.zeros(2, self._lanes, dtype=torch.float64, device=x.device)
        weights = self._scaled(self._evaluated())
        self._module.eval()
        try:
            for part, labels in zip(torch.split(x, chunk), torch.split(y, chunk), strict=True):
                check()
                with torch.no_grad():
                    outputs = vmap(self._outputs, (0, 0, None, None))(weights, self.buffers, {}, part)
                    each = labels.expand(self._lanes, *labels.shape)
                    totals[0] += self._objective.losses(outputs, each).sum(1)
                    totals[1] += self._objective.scores(outputs, each, y).sum(1)
        finally:
            self._module.train()
        return totals / len(x)

    def _outputs(self, parameters: Tensors, buffers: Tensors, masks: Tensors, x: torch.Tensor) -> torch.Tensor:
        """One lane's outputs for a batch, (batch, outputs)."""
        outputs: torch.Tensor = functional_call(self._module, {**parameters, **buffers, **masks}, (x,))
        return outputs

    def _scaled(self, weights: Tensors) -> Tensors:
        """The weights as the forward pass uses them."""
        return {**weights, **{name: weights[name] * factor for name, factor in self._forward.items()}}

    def _evaluated(self) -> Tensors:
        """The weights to evaluate with, where the rule keeps others to train."""
        if self._rule.evaluated is None:
            return self.parameters
        found = {name: torch.empty_like(values) for name, values in self.parameters.items()}
        views = [_in_memory_order(values) for values in found.values()]
        for piece in self._pieces:
            views[piece.parameter][piece.lanes] = self._rule.evaluated(piece.values, piece.state, piece.hyper)
        return found

    def _own_rates(self, hyper: Tensors, factors: Sequence[Factors]) -> dict[str, torch.Tensor]:
        """The numbers of a parameter that has learning rates of its own."""
        factor = torch.tensor([factor.lr for factor in factors], device=hyper["lr"].device, dtype=torch.float64)
        own = {**hyper, "lr": torch.empty_like(hyper["lr"])}
        if "weight_decay" in hyper:
            own["weight_decay"] = hyper["weight_decay"] / factor
        self._rates.append((own["lr"], factor))
        return own

    def _cut(
        self, index: int, values: torch.Tensor, hyper: Tensors, curves: Sequence[tuple[Entry, Entry]]
    ) -> Iterator[_Piece]:
        state = {slot: torch.zeros_like(values) for slot in self._rule.slots}
        state |= {scalar: torch.zeros_like(hyper["lr"]) for scalar in self._rule.scalars}
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


def _stacked(values: Sequence[torch.Tensor]) -> torch.Tensor:
    """(lanes, *shape), in the memory order of the gradients: the batched product's are input-major for dense layers."""
    if values[0].ndim != 2:
        return torch.stack(list(values))
    return torch.stack([value.T for value in values]).transpose(1, 2)


def _in_memory_order(stacked: torch.Tensor) -> torch.Tensor:
    """The view of a stacked parameter or gradient that is contiguous: a kernel then passes over it once, in order."""
    return stacked.transpose(1, 2) if stacked.ndim == 3 else stacked
