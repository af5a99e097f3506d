"""Activations that lie near their bounds, where the curve is flat."""

from core.analysis.findings import Bound, Bounds, Finding, LayerDiagnostics, Rule, rules
from core.analysis.findings._shares import share_finding


def check(run: LayerDiagnostics, bounds: Bounds) -> Finding | None:
    """Return the finding at the first point or, where it is not there yet, at the last."""
    return share_finding(run, bounds, "activation_saturated")


rules.add(
    Rule(
        name="saturation",
        label="saturated activations",
        rank=14,
        looks_at=LayerDiagnostics,
        bounds={
            "activation_saturated": Bound(0.5, "share of a layer's activations that lie near their bounds, at least")
        },
        check=check,
        explanation=(
            "Of the activations of {layer} {activation_saturated:%} lie near their bounds at update {step}, where the "
            "curve is flat. Little gradient passes there; smaller weights keep them in the steep middle."
        ),
        explains=frozenset({"vanishing_gradients", "exploding_gradients", "lr_too_large", "lr_too_small", "flat_loss"}),
    )
)
