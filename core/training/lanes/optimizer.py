"""The optimizer of a cohort: every lane's parameters and state, and one update for all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from core.optimizers import VECTOR, Alike, Hyper, Optimizer
from core.training.lanes.forward import Tensors
from core.training.lanes.parameter_blocks import SMALL, Block
from core.training.scaling import ParameterScaling

PIECE = 2**19
"""Numbers of a parameter's stack that the CPU updates at once: with gradient, state and temporaries they stay in cache,
1.8 times faster for Adam than whole stacks of 7 million."""

Kind = tuple[tuple[float, ...], tuple[float, ...]]
"""Factors of the learning rate and of the weight decay, both of every lane, that parameters have in common."""


@dataclass(frozen=True)
class _Piece:
    """Some lanes of a block, with what their update needs; all tensors are views."""

    block: int
    lanes: slice
    values: torch.Tensor
    state: dict[str, torch.Tensor]
    hyper: Hyper
    rates: Sequence[tuple[int, float]]
    """The column of the rates that each of `hyper.alike` follows, and its factor."""

    def set_rates(self, rates: NDArray[np.float64] | None) -> None:
        """Give the lanes that agree the rate of an update; None where it is known on the device alone."""
        for alike, (curve, factor) in zip(self.hyper.alike, self.rates, strict=True):
            alike.rate = None if rates is None else float(rates[curve]) * factor


class StackedOptimizer:
    """Parameters, optimizer state and numbers of all lanes. `parameters` are leaves, (lanes, *shape) each."""

    def __init__(
        self,
        state: Tensors,
        *,
        orders: Mapping[str, Sequence[int]],
        optimizers: Sequence[Optimizer],
        curves: Sequence[int],
        factors: Sequence[Mapping[str, ParameterScaling]],
        device: str,
        skips: bool = False,
    ) -> None:
        """Restore `state`, as `state()` returns it; missing slots and scalars are zero, as at the start.

        `orders` permutes a parameter's stack to the memory order of its gradient, and has the model's order: where a
        parameter lies decides how products round, and must not depend on the order of `state`. `curves` and `factors`
        are each lane's column of the rates, and those of its parameters' factors that are not 1. With `skips` lanes may
        leave out updates, so that each has a number of its own.
        """
        self._rule = optimizers[0]
        self._device = device
        self._skips = skips
        self._curves = list(curves)
        self._columns = torch.tensor(self._curves, device=device)
        self._numbers = {name: [optimizer.hyper[name] for optimizer in optimizers] for name in self._rule.hyper}
        self._rates: list[tuple[torch.Tensor, torch.Tensor | None]] = []
        """The learning rates that updates read, (lanes,), and their factors."""
        stacks = {name: state[f"parameters/{name}"] for name in orders}
        kinds = {name: _kind([lane.get(name, ParameterScaling()) for lane in factors]) for name in stacks}
        self._names = list(stacks)
        self._blocks = [
            Block({name: stacks[name] for name in names}, None if len(names) > 1 else orders[names[0]], device)
            for names in self._block_names(stacks, kinds)
        ]
        views = self._views([block.memory for block in self._blocks])
        self.parameters = {name: views[name].detach().requires_grad_() for name in self._names}
        self._slots: list[dict[str, torch.Tensor]] = []
        self._scalars: list[dict[str, torch.Tensor]] = []
        self._pieces: list[_Piece] = []
        rows = {kind: self._hyper(kind) for kind in set(kinds.values())}
        for i, block in enumerate(self._blocks):
            self._restore(block, state)
            kind = kinds[next(iter(block.shapes))]
            self._pieces += self._cut(i, rows[kind], kind)

    def step(
        self,
        gradients: Sequence[torch.Tensor],
        number: int | torch.Tensor,
        rates: NDArray[np.float64] | None,
        on_device: torch.Tensor,
        finite: torch.Tensor | None = None,
    ) -> None:
        """Do an update, the `number`-th from 1, of every lane by `gradients`, in the order of `parameters`.

        `rates` are the curves', (curves,), also `on_device`; None where they are known there alone. Where lanes may
        skip updates, `finite`, (lanes,), says which do not, and `number` is (lanes,) in float64.
        """
        per_lane = on_device.index_select(0, self._columns)
        for lr, factor in self._rates:
            lr.copy_(per_lane if factor is None else per_lane * factor)
        by_name = dict(zip(self._names, gradients, strict=True))
        packed = [self._packed(block, [by_name[name] for name in block.shapes]) for block in self._blocks]
        for piece in self._pieces:
            piece.set_rates(rates)
            gradient = packed[piece.block][piece.lanes]
            if finite is None:
                self._rule.update(piece.values, gradient, piece.state, number, piece.hyper)
            else:
                self._update_some(piece, gradient, torch.as_tensor(number)[piece.lanes], finite[piece.lanes])

    def _update_some(self, piece: _Piece, gradient: torch.Tensor, numbers: torch.Tensor, finite: torch.Tensor) -> None:
        """Update the lanes of a piece whose gradients are finite, all other values stay what they are."""
        stacks = [piece.values, *piece.state.values()]
        before = [stack.clone() for stack in stacks]
        numbers, finite = (row.view(-1, *[1] * (piece.values.ndim - 1)) for row in (numbers, finite))
        self._rule.update(piece.values, gradient, piece.state, numbers, piece.hyper)
        for stack, old in zip(stacks, before, strict=True):
            torch.where(finite, stack, old, out=stack)

    def evaluated(self) -> Tensors:
        """Return the weights to evaluate with: those in training, unless the rule keeps others for evaluation."""
        if self._rule.evaluated is None:
            return self.parameters
        found = [torch.empty_like(block.memory) for block in self._blocks]
        for piece in self._pieces:
            seen = self._seen(self._blocks[piece.block], found[piece.block])
            seen[piece.lanes] = self._rule.evaluated(piece.values, piece.state, piece.hyper)
        return self._views(found)

    def state(self) -> dict[str, torch.Tensor]:
        """Return the state that the next update depends on, as views, which that update changes.

        Stacked over lanes: `parameters/<name>`, `slots/<slot>/<name>` and `scalars/<scalar>/<name>`.
        """
        found = {f"parameters/{name}": values.detach() for name, values in self.parameters.items()}
        for block, slots, scalars in zip(self._blocks, self._slots, self._scalars, strict=True):
            for slot, memory in slots.items():
                found |= {f"slots/{slot}/{name}": view for name, view in block.views(memory).items()}
            for scalar, numbers in scalars.items():
                found |= {f"scalars/{scalar}/{name}": numbers.flatten() for name in block.shapes}
        return found

    def _views(self, memories: Sequence[torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return each parameter's stack inside memories laid out like the blocks'."""
        found: dict[str, torch.Tensor] = {}
        for block, memory in zip(self._blocks, memories, strict=True):
            found |= block.views(memory)
        return found

    def _packed(self, block: Block, gradients: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return a block's gradients as the rule sees them."""
        return gradients[0] if self._rule.as_a_whole else block.packed(gradients)

    def _seen(self, block: Block, memory: torch.Tensor) -> torch.Tensor:
        """Return memory laid out like a block's as the rule sees it, which may ask for the parameter's own shape."""
        return next(iter(block.views(memory).values())) if self._rule.as_a_whole else memory

    def _block_names(self, stacks: Tensors, kinds: Mapping[str, Kind]) -> Iterator[list[str]]:
        """Yield the names of each block: small parameters of a kind together, on a GPU all, unless each is a whole."""
        together: set[str] = set()
        for kind in dict.fromkeys(kinds.values()):
            small = [
                name
                for name, values in stacks.items()
                if kinds[name] == kind
                and not self._rule.as_a_whole
                and (self._device != "cpu" or values[0].numel() <= SMALL)
            ]
            if len(small) > 1:
                together.update(small)
                yield small
        yield from ([name] for name in stacks if name not in together)

    def _restore(self, block: Block, state: Tensors) -> None:
        """Create the block's slots and scalars, with the values of `state`."""
        names = list(block.shapes)
        slots = {slot: torch.zeros_like(block.memory) for slot in self._rule.slots}
        for slot, memory in slots.items():
            for name, view in block.views(memory).items():
                if (key := f"slots/{slot}/{name}") in state:
                    view.copy_(state[key])
        column = (len(self._curves), *[1] * (block.memory.ndim - 1))
        scalars = {
            scalar: torch.zeros(column, dtype=torch.float64, device=self._device) for scalar in self._rule.scalars
        }
        for scalar, numbers in scalars.items():
            if (key := f"scalars/{scalar}/{names[0]}") in state:
                numbers.copy_(state[key].view(column))
        self._slots.append(slots)
        self._scalars.append(scalars)

    def _hyper(self, kind: Kind) -> dict[str, torch.Tensor]:
        """Create the hyperparameters' rows of parameters of a kind, (lanes,) in float64."""
        rows = {
            name: torch.tensor(values, dtype=torch.float64, device=self._device)
            for name, values in self._scaled(kind).items()
        }
        rates, _ = kind
        factor = torch.tensor(rates, dtype=torch.float64, device=self._device) if set(rates) != {1.0} else None
        self._rates.append((rows["lr"], factor))
        return rows

    def _scaled(self, kind: Kind) -> dict[str, list[float]]:
        """Return the lanes' numbers for parameters of a kind; their rates are what updates make of them."""
        _, decays = kind
        numbers = dict(self._numbers)
        if "weight_decay" in numbers:
            numbers["weight_decay"] = [w * f for w, f in zip(numbers["weight_decay"], decays, strict=True)]
        return numbers

    def _cut(self, index: int, rows: Tensors, kind: Kind) -> Iterator[_Piece]:
        block = self._blocks[index]
        column = [-1, *[1] * (block.memory.ndim - 1)]
        numbers = self._scaled(kind)
        rates, _ = kind
        whole, state = self._seen(block, block.memory), self._slots[index]
        agreed = [name for name in numbers if name != "lr"]
        keys = list(zip(self._curves, rates, *(numbers[name] for name in agreed), strict=True))
        for lanes in cuts(block.numbers, len(keys), PIECE if self._device == "cpu" else None):
            values = whole[lanes]
            slots = {name: self._seen(block, memory)[lanes] for name, memory in state.items()}
            groups: dict[tuple[float, ...], list[int]] = {}
            for lane, key in enumerate(keys[lanes]):
                groups.setdefault(key, []).append(lane)
            hyper = Hyper({name: row.view(column)[lanes] for name, row in rows.items()})
            reads = self._device == "cpu" or values.dtype == torch.float32  # a GPU's kernels read a rate in float32
            if reads and not self._skips:
                hyper.alike = [
                    _alike(values, slots, mine, dict(zip(agreed, numbers_of, strict=True)))
                    for (_, _, *numbers_of), mine in groups.items()
                ]
            scalars = {name: numbers[lanes] for name, numbers in self._scalars[index].items()}
            yield _Piece(
                block=index,
                lanes=lanes,
                values=values,
                state={**slots, **scalars},
                hyper=hyper,
                rates=[(int(curve), factor) for curve, factor, *_ in groups] if hyper.alike else [],
            )


def _kind(lanes: Sequence[ParameterScaling]) -> Kind:
    return tuple(one.lr for one in lanes), tuple(one.weight_decay for one in lanes)


def _alike(values: torch.Tensor, slots: Tensors, lanes: Sequence[int], numbers: Mapping[str, float]) -> Alike:
    whole = len(lanes) == len(values) and (len(values) == 1 or values[0].numel() % VECTOR == 0)
    found = Alike(None if whole else lanes, [], {}, numbers)
    found.values = found.of(values)
    found.state = {name: found.of(slot) for name, slot in slots.items()}
    return found


def cuts(size: int, lanes: int, most: int | None) -> Iterator[slice]:
    """Yield slices of lanes that are updated together, of `most` numbers each where there is such a bound.

    A block has `size` numbers a lane.
    """
    width = lanes if most is None else max(1, most // size)
    yield from (slice(first, min(first + width, lanes)) for first in range(0, lanes, width))
