"""The norms of gradients from the last layer to the first."""

import math
from typing import NamedTuple

from core.analysis.findings._rule import Finding
from core.analysis.findings._runs import LayerDiagnostics


class Gradients(NamedTuple):
    """The gradient norms of the layers' weights at one point."""

    norms: dict[str, float]
    first: str
    """The name of the first layer that has a gradient norm."""
    output: str
    first_over_last: float
    """The first layer's norm over the last's, NaN where that is 0."""
    largest_over_weight: float
    """The largest norm of a gradient over that of the layer's own weights, NaN where one of them is."""


def gradients(run: LayerDiagnostics, point: int) -> Gradients | None:
    """Return the gradients at one point, None where a hidden layer's or the last layer's were not measured."""
    norms, weights = run.at("gradient_norm", run.layers, point), run.at("weight_norm", run.layers, point)
    first = next((layer for layer in run.hidden if layer in norms), None)
    relative = [norms[layer] / weights[layer] for layer in norms if weights[layer]]
    if first is None or run.output not in norms or not relative:
        return None
    return Gradients(
        norms=norms,
        first=first,
        output=run.output,
        first_over_last=norms[first] / norms[run.output] if norms[run.output] else math.nan,
        largest_over_weight=math.nan if any(map(math.isnan, relative)) else max(relative),
    )


def gradient_finding(run: LayerDiagnostics, point: int, found: Gradients, *, layer: str, bound: str) -> Finding:
    """Return the finding of gradients that pass a bound at one point, most of all in a layer."""
    return Finding(
        layer=layer,
        step=run.steps[point],
        numbers={
            "gradient_norm": found.norms[layer],
            "last_gradient_norm": found.norms[found.output],
            "first_over_last": found.first_over_last,
            "largest_over_weight": found.largest_over_weight,
        },
        bound=bound,
        layers=[layer],
    )
