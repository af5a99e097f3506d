"""Optimizers: an update rule for stacked lanes, beside the torch.optim class that is its specification."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch

from core.registry import Registry

optimizers = Registry("optimizer", __name__)
OptimizerEntry = optimizers.field()

Update = Callable[[torch.Tensor, torch.Tensor, Mapping[str, torch.Tensor], int, Mapping[str, torch.Tensor]], None]
"""update(parameter, gradient, state, t, hyper): in place.

`parameter` and `gradient` are stacked over lanes, (lanes, *shape); every tensor of `state` has that shape; `t` counts
updates from 1; every tensor of `hyper` (with `lr` among them) is (lanes, 1, ..., 1), so that each lane has its own; it
should be float64 also where the parameter is not, since 1 - 0.999 loses four digits in float32.
"""


@dataclass(frozen=True)
class Optimizer:
    """One family's rule and one arm's numbers for it.

    `hyper` are the numbers that may differ between lanes, `lr` among them; `slots` names the state's tensors, zero at
    the start; `reference` makes the torch.optim optimizer that `update` must equal.
    """

    hyper: Mapping[str, float]
    slots: tuple[str, ...]
    update: Update
    reference: Callable[[Iterable[torch.nn.Parameter]], torch.optim.Optimizer]


__all__ = ["Optimizer", "OptimizerEntry", "Update", "optimizers"]
