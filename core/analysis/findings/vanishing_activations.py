"""A signal that shrinks from layer to layer."""

from core.analysis.findings import Bound, Bounds, Finding, LayerDiagnostics, Rule, rules
from core.analysis.findings._signal import signal, signal_finding


def check(run: LayerDiagnostics, bounds: Bounds) -> Finding | None:
    """Return the finding at the first point or, where it is not there yet, at the last."""
    for point in run.ends:
        found = signal(run, point)
        if found is not None and found.ratio < bounds["ratio"]:
            return signal_finding(run, point, found)
    return None


rules.add(
    Rule(
        name="vanishing_activations",
        label="vanishing activations",
        rank=20,
        looks_at=LayerDiagnostics,
        bounds={
            "ratio": Bound(0.01, "standard deviation of the last hidden layer's activations over the first's, below")
        },
        check=check,
        explanation=(
            "The signal shrinks on its way: at update {step} the standard deviation of the activations is {first_std} "
            "in the first layer and {last_std} in {layer}. Later layers see almost nothing of the input; the weights "
            "are too small for the number of inputs a neuron has."
        ),
        explains=frozenset({"vanishing_gradients", "lr_too_small", "flat_loss"}),
    )
)
