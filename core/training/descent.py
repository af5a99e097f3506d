"""The way that an optimizer takes down a valley of two weights, by the updates that a training does."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from core.optimizers import Optimizer
from core.registry import Entry
from core.streams import generator
from core.training.lanes.optimizer import StackedOptimizer

SECONDS_OF_UPDATE = 2.5e-4
"""Of one core of an Intel Xeon of 2.6 GHz, with the costliest rule."""
_WEIGHT = "hidden.weight"


@dataclass(frozen=True)
class Valley:
    """The loss ½·(a·u² + b·v²) of two weights; u and v are their distances from the minimum, turned by an angle.

    It is what every smooth loss looks like near a minimum: `curvature` (a, b) are its two curvatures, their ratio its
    condition number. With an `angle`, in degrees, no weight lies along the valley: rules that scale each weight by
    itself do not see it then.
    """

    curvature: tuple[float, float]
    angle: float
    minimum: tuple[float, float]

    @cached_property
    def directions(self) -> NDArray[np.float64]:
        """The matrix (2, 2) whose rows are the directions of u and v."""
        turn = math.radians(self.angle)
        return np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])

    def loss(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the loss at weights (n, 2) as (n,)."""
        with np.errstate(over="ignore", invalid="ignore"):
            distance = (weights - np.array(self.minimum)) @ self.directions.T
            found: NDArray[np.float64] = (distance**2 @ np.array(self.curvature)) / 2
        return found

    def gradient(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the gradient (2,) at weights (2,)."""
        with np.errstate(over="ignore", invalid="ignore"):
            distance = self.directions @ (weights - np.array(self.minimum))
            found: NDArray[np.float64] = self.directions.T @ (np.array(self.curvature) * distance)
        return found


class Trajectory(NamedTuple):
    """Weights (updates + 1, 2), the first those of the start, and the loss (updates + 1,) at each."""

    weights: NDArray[np.float64]
    loss: NDArray[np.float64]
    evaluated: NDArray[np.float64] | None
    """The weights that are evaluated, where the rule keeps others than it trains."""


def descend(
    entry: Entry, valley: Valley, start: Sequence[float], steps: int, noise: float = 0.0, seed: int = 0
) -> Trajectory:
    """Return the way of an optimizer whose rate is constant, in float64.

    The two weights are the one matrix (1, 2) of a hidden layer, which Muon asks for. `noise` is the standard deviation
    of what is added to each number of every gradient, as a batch would; it is the same for every rule. Weights that
    overflow stay what they become.
    """
    rule: Optimizer = entry.build()
    stack = StackedOptimizer(
        {f"parameters/{_WEIGHT}": torch.tensor([[list(start)]], dtype=torch.float64)},
        orders={_WEIGHT: range(3)},
        optimizers=[rule],
        curves=[0],
        factors=[{}],
        device="cpu",
    )
    added = noise * torch.randn(steps, 2, generator=generator(seed, "descent"), dtype=torch.float64).numpy()
    rate = np.array([rule.hyper["lr"]])
    on_device = torch.from_numpy(rate)
    way, evaluated = [_numbers(stack.parameters[_WEIGHT])], [_numbers(stack.evaluated()[_WEIGHT])]
    with torch.no_grad():
        for t in range(steps):
            gradient = valley.gradient(way[-1]) + added[t]
            stack.step([torch.from_numpy(gradient).view(1, 1, 2)], t + 1, rate, on_device)
            way.append(_numbers(stack.parameters[_WEIGHT]))
            if rule.evaluated is not None:
                evaluated.append(_numbers(stack.evaluated()[_WEIGHT]))
    weights = np.array(way)
    return Trajectory(weights, valley.loss(weights), None if rule.evaluated is None else np.array(evaluated))


def _numbers(stack: torch.Tensor) -> NDArray[np.float64]:
    return stack.detach().flatten().numpy().copy()
