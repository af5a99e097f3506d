"""Rectifiers that give 0 for every example.

Deep networks of rectifiers make all examples alike, so that near to half of the units give 0 for all of a batch
without being dead: hence the large bound.
"""

from core.analysis.findings import Bound, Bounds, Finding, LayerDiagnostics, Rule, rules
from core.analysis.findings._shares import share_finding


def check(run: LayerDiagnostics, bounds: Bounds) -> Finding | None:
    """Return the finding at the first point or, where it is not there yet, at the last."""
    return share_finding(run, bounds, "activation_dead")


rules.add(
    Rule(
        name="dead_relu",
        label="dead rectifiers",
        rank=12,
        looks_at=LayerDiagnostics,
        bounds={
            "activation_dead": Bound(0.75, "share of a layer's units that give 0 for all examples of a batch, at least")
        },
        check=check,
        explanation=(
            "Of the rectifiers of {layer} {activation_dead:%} give 0 for every example of the batch at update {step}. "
            "No gradient passes through them, so that their weights stand still; smaller learning rates or larger "
            "biases keep them alive."
        ),
        explains=frozenset({"vanishing_activations", "vanishing_gradients", "lr_too_small", "flat_loss"}),
    )
)
