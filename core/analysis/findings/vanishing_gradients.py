"""Gradients that hardly reach the first layers."""

from core.analysis.findings import Bound, Bounds, Finding, LayerDiagnostics, Rule, rules
from core.analysis.findings._gradients import Gradients, gradient_finding, gradients


def check(run: LayerDiagnostics, bounds: Bounds) -> Finding | None:
    """Return the finding where the first point shows it and the next one too.

    Later points say nothing: of a network that has learned all there is gradients vanish as well. Nor does the first
    alone where the last layer starts at zero: behind it there are none in the first update.
    """
    if run.last == 0 and not run.at("weight_norm", [run.output], 0).get(run.output):
        return None
    found = [gradients(run, point) for point in range(min(2, len(run.steps)))]
    start = found[0]
    if start is None or not all(one is not None and _vanish(one, bounds) for one in found):
        return None
    bound = "first_over_last" if start.first_over_last < bounds["first_over_last"] else "largest_over_weight"
    return gradient_finding(run, 0, start, layer=start.first, bound=bound)


def _vanish(found: Gradients, bounds: Bounds) -> bool:
    return (
        found.first_over_last < bounds["first_over_last"] or found.largest_over_weight < bounds["largest_over_weight"]
    )


rules.add(
    Rule(
        name="vanishing_gradients",
        label="vanishing gradients",
        rank=40,
        looks_at=LayerDiagnostics,
        bounds={
            "first_over_last": Bound(1e-3, "gradient norm of the first layer's weights over the last's, below"),
            "largest_over_weight": Bound(
                1e-6, "gradient norm of a layer's weights over their own norm, of the layer with the largest, below"
            ),
        },
        check=check,
        explanation=(
            "Hardly any gradient reaches {layer}: its norm is {gradient_norm} there at update {step}, and "
            "{last_gradient_norm} at the last layer. The first layers hardly learn; better scaled initial weights, or "
            "activations that do not flatten out, keep it alive."
        ),
        explains=frozenset({"lr_too_small", "flat_loss"}),
    )
)
