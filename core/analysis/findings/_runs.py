"""The data of one run that the rules judge: the diagnostics of its layers, and its curves."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EXAMPLES = 32
"""The fewest examples whose mean loss means something."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LayerDiagnostics:
    """One run's diagnostics: `values[metric, layer]` at each of `steps`."""

    steps: Sequence[int]
    values: Mapping[tuple[str, str], Floats]
    hidden: Sequence[str]
    """The layers but the last, in the order of the model."""
    output: str
    lasting: frozenset[str]
    """Hidden layers whose zeros at the start would not be deliberate."""

    @property
    def layers(self) -> list[str]:
        """All layers, in the order of the model."""
        return [*self.hidden, self.output]

    @property
    def last(self) -> int:
        """The last point."""
        return len(self.steps) - 1

    @property
    def ends(self) -> list[int]:
        """The first point and the last."""
        return sorted({0, self.last})

    def at(self, metric: str, layers: Sequence[str], point: int) -> dict[str, float]:
        """Return a metric at one point, by layer, for those of the layers that have it."""
        found = {layer: self.values.get((metric, layer)) for layer in layers}
        return {layer: float(values[point]) for layer, values in found.items() if values is not None}


@dataclass(frozen=True, kw_only=True)
class Curves:
    """One finished run's losses and learning rates by update, and its metrics by epoch."""

    losses: Floats
    learning_rates: Floats
    usual_lr: float
    """The learning rate that the optimizer has by default."""
    batch_size: int
    epochs: int
    diverged: bool
    regression: bool
    train_score: Floats
    """Accuracy, or R²; so is `valid_score`."""
    valid_score: Floats
    valid_loss: Floats

    @property
    def start_loss(self) -> float:
        """The loss before training, of enough examples to mean something."""
        return float(self.losses[: max(1, math.ceil(EXAMPLES / self.batch_size))].mean())

    @property
    def largest_lr(self) -> float:
        """The largest learning rate of all updates."""
        return float(self.learning_rates.max())
