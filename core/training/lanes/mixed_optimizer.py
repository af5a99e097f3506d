"""The optimizers of a cohort where hidden layers' weights have a rule of their own, as Muon's."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.optimizers import Optimizer
from core.training.lanes.forward import Tensors
from core.training.lanes.optimizer import StackedOptimizer
from core.training.scaling import ParameterScaling, scaled


class MixedOptimizer:
    """A `StackedOptimizer` for the weights of hidden layers, and one for all other parameters; used as one is."""

    def __init__(
        self,
        state: Tensors,
        *,
        orders: Mapping[str, Sequence[int]],
        optimizers: Sequence[Optimizer],
        factors: Sequence[Mapping[str, ParameterScaling]],
        hidden: Container[str],
        **common: Any,
    ) -> None:
        """Restore `state`; `hidden` names the weights of hidden layers, all else is `StackedOptimizer`'s.

        Without others' rules in `optimizers` it has all parameters in one.
        """
        others = [optimizer.others for optimizer in optimizers if optimizer.others is not None]
        mine = [name for name in orders if not others or name in hidden]
        theirs = [name for name in orders if name not in mine]
        slower = [
            {name: scaled(lane.get(name), lr=other.hyper["lr"] / optimizer.hyper["lr"]) for name in theirs}
            for lane, optimizer, other in zip(factors, optimizers, others, strict=bool(others))
        ]
        self._parts = [
            StackedOptimizer(
                state, orders={name: orders[name] for name in names}, optimizers=rules, factors=ratios, **common
            )
            for names, rules, ratios in ((mine, optimizers, factors), (theirs, others, slower))
            if names
        ]
        found = {name: stack for part in self._parts for name, stack in part.parameters.items()}
        self.parameters = {name: found[name] for name in orders}

    def step(
        self,
        gradients: Sequence[torch.Tensor],
        number: int | torch.Tensor,
        rates: NDArray[np.float64] | None,
        on_device: torch.Tensor,
        finite: torch.Tensor | None = None,
    ) -> None:
        """Do an update as `StackedOptimizer.step` does, each part of its own parameters."""
        by_name = dict(zip(self.parameters, gradients, strict=True))
        for part in self._parts:
            part.step([by_name[name] for name in part.parameters], number, rates, on_device, finite)

    def evaluated(self) -> Tensors:
        """Return the weights to evaluate with."""
        return {name: stack for part in self._parts for name, stack in part.evaluated().items()}

    def state(self) -> dict[str, torch.Tensor]:
        """Return the state that the next update depends on, as views, which that update changes."""
        return {name: stack for part in self._parts for name, stack in part.state().items()}
