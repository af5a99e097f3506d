"""The spread of activations from the first hidden layer to the last."""

import math
from typing import NamedTuple

from core.analysis.findings._rule import Finding
from core.analysis.findings._runs import LayerDiagnostics


class Signal(NamedTuple):
    """The standard deviation of the activations at one point, in the first hidden layer and in the last."""

    first: str
    last: str
    first_std: float
    last_std: float
    finite: bool
    """True where it is finite in all hidden layers."""

    @property
    def ratio(self) -> float:
        """The last over the first, NaN where the first is 0."""
        return self.last_std / self.first_std if self.first_std else math.nan


SIGNAL_FAULTS = frozenset(
    {
        "dead_relu",
        "saturation",
        "vanishing_activations",
        "exploding_activations",
        "vanishing_gradients",
        "exploding_gradients",
    }
)
"""The findings about what layers pass on: signs of a cause as often as the cause."""


def signal(run: LayerDiagnostics, point: int) -> Signal | None:
    """Return the signal at one point, None of a network with fewer than two hidden layers.

    The last layers of residual branches, which may start at zero on purpose, are left out.
    """
    std = run.at("activation_std", [layer for layer in run.hidden if layer in run.lasting], point)
    if len(std) < 2:
        return None
    (first, first_std), *_, (last, last_std) = std.items()
    return Signal(first, last, first_std, last_std, finite=all(map(math.isfinite, std.values())))


def signal_finding(run: LayerDiagnostics, point: int, found: Signal) -> Finding:
    """Return the finding of a ratio that passes its bound at one point."""
    return Finding(
        layer=found.last,
        step=run.steps[point],
        numbers={"first_std": found.first_std, "last_std": found.last_std, "ratio": found.ratio},
        bound="ratio",
        layers=[found.first, found.last],
    )
