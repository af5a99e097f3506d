"""Gradients that are very large, or not finite."""

import math

from core.analysis.findings import Bound, Bounds, Finding, LayerDiagnostics, Rule, rules
from core.analysis.findings._gradients import gradient_finding, gradients


def check(run: LayerDiagnostics, bounds: Bounds) -> Finding | None:
    """Return the finding at the first point or, where it is not there yet, at the last."""
    for point in run.ends:
        found = gradients(run, point)
        if found is None:
            return None
        steep = found.first_over_last > bounds["first_over_last"]
        burst = [layer for layer, norm in found.norms.items() if not math.isfinite(norm)]
        if steep or found.largest_over_weight > bounds["largest_over_weight"] or burst:
            layer = burst[0] if burst else max(found.norms, key=lambda one: found.norms[one])
            bound = "first_over_last" if steep else "largest_over_weight"
            return gradient_finding(run, point, found, layer=layer, bound=bound)
    return None


rules.add(
    Rule(
        name="exploding_gradients",
        label="exploding gradients",
        rank=50,
        looks_at=LayerDiagnostics,
        bounds={
            "first_over_last": Bound(1e3, "gradient norm of the first layer's weights over the last's, above"),
            "largest_over_weight": Bound(
                100.0, "gradient norm of a layer's weights over their own norm, of the layer with the largest, above"
            ),
        },
        check=check,
        explanation=(
            "Gradients are very large: the norm is {gradient_norm} at {layer} and {last_gradient_norm} at the last "
            "layer, at update {step}. One update can throw the weights far off; smaller initial weights, or a smaller "
            "rate, prevent it."
        ),
        explains=frozenset({"lr_too_large"}),
    )
)
