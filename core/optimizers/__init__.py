"""Optimizers: an update rule for stacked lanes, beside the torch.optim class that is its specification."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import Field

from core.registry import Registry

optimizers = Registry("optimizer", __name__)
OptimizerEntry = optimizers.field()

UpdateNumber = int | torch.Tensor
"""The number of an update, from 1; on a device, where a captured update reads it, a tensor, (), in float64."""
Decay = Annotated[float, Field(ge=0, lt=1)]
"""The share of a running mean or sum that remains after a step."""


class Hyper(dict[str, torch.Tensor]):
    """The numbers of an update by name, each (lanes, 1, ..., 1), so that every lane has its own.

    `same` has them as plain numbers where all lanes agree, and is None elsewhere: a rule may then have a faster way,
    and need not look at what lies on a device. The lanes' rate is then `rate`, on a device a tensor, (), in float32.
    """

    same: Mapping[str, float] | None = None
    rate: float | torch.Tensor = 0.0


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


__all__ = ["Decay", "Evaluated", "Hyper", "Optimizer", "OptimizerEntry", "Update", "UpdateNumber", "optimizers"]
