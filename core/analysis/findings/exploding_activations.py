"""A signal that grows from layer to layer."""

from core.analysis.findings import Bound, Bounds, Finding, LayerDiagnostics, Rule, rules
from core.analysis.findings._signal import signal, signal_finding


def check(run: LayerDiagnostics, bounds: Bounds) -> Finding | None:
    """Return the finding, also of a standard deviation that is not finite, at the first point or else at the last."""
    for point in run.ends:
        found = signal(run, point)
        if found is not None and (found.ratio > bounds["ratio"] or not found.finite):
            return signal_finding(run, point, found)
    return None


rules.add(
    Rule(
        name="exploding_activations",
        label="exploding activations",
        rank=30,
        looks_at=LayerDiagnostics,
        bounds={
            "ratio": Bound(100.0, "standard deviation of the last hidden layer's activations over the first's, above")
        },
        check=check,
        explanation=(
            "The signal grows on its way: at update {step} the standard deviation of the activations is {first_std} in "
            "the first layer and {last_std} in {layer}. The weights are too large for the number of inputs a neuron "
            "has."
        ),
        explains=frozenset({"dead_relu", "exploding_gradients", "lr_too_large", "flat_loss"}),
    )
)
