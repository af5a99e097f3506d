"""Neurons of a layer that are all alike, as zeros and ones make them."""

from core.analysis.findings import Bound, Bounds, Finding, LayerDiagnostics, Rule, rules
from core.analysis.findings._signal import SIGNAL_FAULTS


def check(run: LayerDiagnostics, bounds: Bounds) -> Finding | None:
    """Return the finding where neurons are alike in all layers at the start: without dropout that stays so for ever.

    Where only some layers begin so, the others may tell their neurons apart: then the last point has to show it too.
    """
    alike = bounds["neuron_cosine"]
    start = run.at("neuron_cosine", run.layers, 0)
    hidden = [layer for layer in run.hidden if start.get(layer, 0.0) >= alike]
    if not hidden:
        return None
    if all(cosine >= alike for cosine in start.values()):
        return _finding(run, point=0, layers=hidden)
    last = run.at("neuron_cosine", hidden, run.last)
    still = [layer for layer in hidden if last[layer] >= alike and run.last > 0]
    return _finding(run, point=run.last, layers=still) if still else None


def _finding(run: LayerDiagnostics, *, point: int, layers: list[str]) -> Finding:
    numbers = run.at("neuron_cosine", layers[:1], point)
    return Finding(
        layer=layers[0],
        step=run.steps[point],
        numbers={"neuron_cosine": numbers[layers[0]]},
        bound="neuron_cosine",
        layers=layers,
    )


rules.add(
    Rule(
        name="symmetry",
        label="neurons that are all alike",
        rank=10,
        looks_at=LayerDiagnostics,
        bounds={"neuron_cosine": Bound(0.99, "mean absolute cosine between a layer's neurons, at least")},
        check=check,
        explanation=(
            "The neurons of {layer} all have the same weights at update {step}, or weights in the same direction "
            "(mean absolute cosine {neuron_cosine}): they compute the same, so that the layer can do no more than one "
            "neuron. Random initial weights break this."
        ),
        explains=SIGNAL_FAULTS | {"lr_too_large", "lr_too_small", "flat_loss"},
    )
)
