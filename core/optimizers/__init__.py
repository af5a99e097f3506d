"""Optimizers: an update rule for stacked lanes, beside the torch.optim class that is its specification."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import Field

from core.optimizers._meanings import MEANINGS
from core.optimizers._peers import read_peers
from core.registry import Registry

optimizers = Registry("optimizer", __name__, rewrite=read_peers, meanings=MEANINGS)
OptimizerEntry = optimizers.field()

UpdateNumber = int | torch.Tensor
"""The number of an update, from 1; a tensor in float64 on a device, where a captured update reads it, (), and where
lanes have numbers of their own, (lanes, 1, ..., 1)."""
Decay = Annotated[float, Field(ge=0, lt=1)]
"""The share of a running mean or sum that remains after a step."""


@dataclass
class Alike:
    """Lanes of a stack that agree on all numbers, so that a kernel for plain numbers can update them.

    Which lanes those are must change no bit of any: a lane is a tensor of its own wherever its size would have a kernel
    treat its last numbers apart (`VECTOR`).
    """

    lanes: Sequence[int] | None
    """Their places in the stack; None: all of it, as one tensor."""
    values: list[torch.Tensor]
    """Views of the parameter."""
    state: Mapping[str, list[torch.Tensor]]
    """Views of every slot."""
    numbers: Mapping[str, float]
    """All but the rate."""
    rate: float | None = None
    """The rate of this update; None: it is known on the device alone."""

    @property
    def first(self) -> int:
        """The place of the first of them."""
        return 0 if self.lanes is None else self.lanes[0]

    def of(self, stack: torch.Tensor) -> list[torch.Tensor]:
        """Return these lanes of a stack, contiguous, as `values` are."""
        whole = stack.contiguous()
        return [whole] if self.lanes is None else [whole[lane] for lane in self.lanes]


VECTOR = 16
"""Numbers that a CPU's kernels compute at once, at most: what is left of a tensor may round in another way."""


class Hyper(dict[str, torch.Tensor]):
    """The numbers of an update by name, each (lanes, 1, ..., 1), so that every lane has its own.

    `alike` has the lanes grouped by their numbers, for rules that have a faster way for plain ones; none where a kernel
    could not take them.
    """

    alike: Sequence[Alike] = ()


Update = Callable[[torch.Tensor, torch.Tensor, Mapping[str, torch.Tensor], UpdateNumber, Hyper], None]
"""update(parameter, gradient, state, t, hyper): in place.

`parameter` and `gradient` are stacked over lanes, (lanes, *shape); every slot of `state` has that shape, every scalar
of it (lanes, 1, ..., 1) in float64; `t` counts updates from 1; `hyper` has `lr` among its numbers, in float64 also
where the parameter is not: 1 - 0.999 loses four digits in float32.
"""
Evaluated = Callable[[torch.Tensor, Mapping[str, torch.Tensor], Mapping[str, torch.Tensor]], torch.Tensor]
"""evaluated(parameter, state, hyper) -> the values to evaluate with, a new tensor; shapes as in `Update`."""


@dataclass(frozen=True)
class Optimizer:
    """One family's rule and one arm's numbers for it.

    `hyper` are the numbers that may differ between lanes, `lr` among them (and `weight_decay`, where there is one);
    `slots` names the state's tensors and `scalars` its numbers, all zero at the start. Lanes share a program where
    `update`, `slots` and `scalars` are the same objects, so a choice that is no number is another function. `reference`
    makes the torch.optim optimizer, or its authors' one, that `update` must equal; it takes parameters or groups of
    them. `steps` says how a step grows with the gradient. `evaluated` is there where the rule evaluates with other
    weights than it trains. A rule that looks at a parameter `as_a_whole`, such as at its length, is given each in its
    own shape; others may be given several side by side. `others` updates all but the weights of hidden layers, where
    `update` is for these alone; its rate keeps its ratio to that of `hyper`.
    """

    hyper: Mapping[str, float]
    slots: tuple[str, ...]
    update: Update
    reference: Callable[[Iterable[Any]], torch.optim.Optimizer]
    scalars: tuple[str, ...] = ()
    steps: Literal["adam", "sgd"] = "adam"
    evaluated: Evaluated | None = None
    as_a_whole: bool = False
    others: "Optimizer | None" = None


__all__ = [
    "VECTOR",
    "Alike",
    "Decay",
    "Evaluated",
    "Hyper",
    "Optimizer",
    "OptimizerEntry",
    "Update",
    "UpdateNumber",
    "optimizers",
]
