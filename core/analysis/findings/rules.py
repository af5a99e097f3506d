"""What is wrong with one run, from its layers' diagnostics and from its curves: each a rule with stated bounds."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ALIKE = 0.99
"""Mean absolute cosine of a layer's neurons."""
VANISHED, EXPLODED = 0.01, 100.0
"""Standard deviation of the last hidden layer's activations, over the first's."""
FLAT, STEEP = 1e-3, 1e3
"""Gradient norm of the first layer's weights, over the last's."""
WEAK, STRONG = 1e-6, 100.0
"""Gradient norm of a layer's weights, over their own norm: of the layer with the largest."""
DEAD, SATURATED = 0.75, 0.5
"""Share of a layer's units, and of its values. Deep networks of rectifiers make all examples alike, so that near to
half of the units give 0 for all of a batch without being dead."""
ABOVE_START = 1.2
"""Training loss in the last tenth of the updates, over that of the first."""
STILL, MOVED = 0.01, 0.1
"""Relative change of the mean training loss from the first epoch to the last, in which every example counts once; and
from the first updates, which are few and noisy, to the last epoch."""
RISEN, RISE = 1.1, 0.02
"""Validation loss after the last epoch, over its lowest; and by how much at least (of a regression, in R²)."""
FEWEST_UPDATES, FEWEST_EPOCHS, EXAMPLES = 10, 3, 32

Floats = NDArray[np.float64]


class Finding(NamedTuple):
    """A run's: the layer that has it the most, where there is one, all that have it, and its numbers."""

    kind: str
    layer: str | None
    step: int
    numbers: Mapping[str, float]
    threshold: float
    layers: Sequence[str] = ()


@dataclass(frozen=True)
class LayerDiagnostics:
    """One run's diagnostics: `values[metric, layer]` at each of `steps`."""

    steps: Sequence[int]
    values: Mapping[tuple[str, str], Floats]
    hidden: Sequence[str]
    """The layers but the last, in the order of the model."""
    output: str
    lasting: frozenset[str]
    """Hidden layers whose zeros at the start would not be deliberate."""

    def at(self, metric: str, layers: Sequence[str], point: int) -> dict[str, float]:
        """Of those of the layers that have it."""
        found = {layer: self.values.get((metric, layer)) for layer in layers}
        return {layer: float(values[point]) for layer, values in found.items() if values is not None}

    @property
    def ends(self) -> list[int]:
        """The first point and the last."""
        return sorted({0, len(self.steps) - 1})


@dataclass(frozen=True)
class Curves:
    """One run's losses by update, and its epoch metrics."""

    losses: Floats
    rates: Floats
    batch_size: int
    diverged: bool
    train: Floats
    """Accuracy, or R²."""
    valid_loss: Floats
    valid: Floats
    regression: bool
    epochs: int


def layer_rules(looks: LayerDiagnostics) -> Iterator[Finding]:
    """What the diagnostics show."""
    for rule in (_symmetry, _activations, _vanishing, _exploding, _dead, _saturated):
        yield from rule(looks)


def curve_rules(curves: Curves) -> Iterator[Finding]:
    """What the curves show."""
    for rule in (_too_large, _too_small, _overfitting):
        yield from rule(curves)


def _symmetry(looks: LayerDiagnostics) -> Iterator[Finding]:
    """All layers at the start, as zeros and ones do it: without dropout that stays so for ever. Of some layers only
    where they are so at the last look too: the other layers may tell their neurons apart.
    """
    start = looks.at("neuron_cosine", [*looks.hidden, looks.output], 0)
    hidden = [layer for layer in looks.hidden if start.get(layer, 0.0) >= ALIKE]
    if not hidden:
        return
    if all(cosine >= ALIKE for cosine in start.values()):
        yield Finding("symmetry", hidden[0], looks.steps[0], {"neuron_cosine": start[hidden[0]]}, ALIKE, hidden)
        return
    last = looks.at("neuron_cosine", hidden, len(looks.steps) - 1)
    still = [layer for layer in hidden if last[layer] >= ALIKE and len(looks.steps) > 1]
    if still:
        yield Finding("symmetry", still[0], looks.steps[-1], {"neuron_cosine": last[still[0]]}, ALIKE, still)


def _activations(looks: LayerDiagnostics) -> Iterator[Finding]:
    layers = [layer for layer in looks.hidden if layer in looks.lasting]
    told = set()
    for point in looks.ends:
        std = looks.at("activation_std", layers, point)
        if len(std) < 2:
            return
        (first, there), *_, (last, here) = std.items()
        ratio = here / there if there else math.nan
        numbers = {"first_std": there, "last_std": here, "ratio": ratio}
        about = (last, looks.steps[point], numbers)
        if ratio < VANISHED and "vanishing" not in told:
            yield Finding("vanishing_activations", *about, VANISHED, [first, last])
            told.add("vanishing")
        burst = any(not math.isfinite(one) for one in std.values())
        if (ratio > EXPLODED or burst) and "exploding" not in told:
            yield Finding("exploding_activations", *about, EXPLODED, [first, last])
            told.add("exploding")


def _pulls(looks: LayerDiagnostics, point: int) -> tuple[dict[str, float], float, float] | None:
    """Gradient norms, the first layer's over the last's, and the largest over the norm of its own weights."""
    layers = [*looks.hidden, looks.output]
    pull, weight = looks.at("gradient_norm", layers, point), looks.at("weight_norm", layers, point)
    first = next((layer for layer in looks.hidden if layer in pull), None)
    against = [pull[layer] / weight[layer] for layer in pull if weight[layer]]
    if first is None or looks.output not in pull or not against:
        return None
    depth = pull[first] / pull[looks.output] if pull[looks.output] else math.nan
    largest = math.nan if any(math.isnan(one) for one in against) else max(against)
    return pull, depth, largest


def _vanishing(looks: LayerDiagnostics) -> Iterator[Finding]:
    """At the start and at the next look: of a network that has learned all there is gradients vanish too, and behind a
    last layer that starts at zero there are none in the first update."""
    if len(looks.steps) == 1 and not looks.at("weight_norm", [looks.output], 0).get(looks.output):
        return
    found = []
    for point in range(min(2, len(looks.steps))):
        pulls = _pulls(looks, point)
        if pulls is None or not (pulls[1] < FLAT or pulls[2] < WEAK):
            return
        found.append(pulls)
    pull, depth, _ = found[0]
    layer = next(layer for layer in looks.hidden if layer in pull)
    yield _of_gradients("vanishing_gradients", looks, layer, 0, found[0], FLAT if depth < FLAT else WEAK)


def _exploding(looks: LayerDiagnostics) -> Iterator[Finding]:
    for point in looks.ends:
        pulls = _pulls(looks, point)
        if pulls is None:
            return
        pull, depth, largest = pulls
        burst = [layer for layer, value in pull.items() if not math.isfinite(value)]
        if depth > STEEP or largest > STRONG or burst:
            layer = burst[0] if burst else max(pull, key=lambda one: pull[one])
            threshold = STEEP if depth > STEEP else STRONG
            yield _of_gradients("exploding_gradients", looks, layer, point, pulls, threshold)
            return


def _of_gradients(
    kind: str,
    looks: LayerDiagnostics,
    layer: str,
    point: int,
    pulls: tuple[dict[str, float], float, float],
    threshold: float,
) -> Finding:
    pull, depth, largest = pulls
    numbers = {"gradient_norm": pull[layer], "last_gradient_norm": pull[looks.output]}
    numbers |= {"first_over_last": depth, "largest_over_weight": largest}
    return Finding(kind, layer, looks.steps[point], numbers, threshold, [layer])


def _dead(looks: LayerDiagnostics) -> Iterator[Finding]:
    yield from _share(looks, "dead_relu", "activation_dead", DEAD)


def _saturated(looks: LayerDiagnostics) -> Iterator[Finding]:
    yield from _share(looks, "saturation", "activation_saturated", SATURATED)


def _share(looks: LayerDiagnostics, kind: str, metric: str, threshold: float) -> Iterator[Finding]:
    for point in looks.ends:
        shares = looks.at(metric, [*looks.hidden, looks.output], point)
        layers = [layer for layer, share in shares.items() if share >= threshold]
        if layers:
            worst = max(layers, key=lambda layer: shares[layer])
            yield Finding(kind, worst, looks.steps[point], {metric: shares[worst]}, threshold, layers)
            return


def _start(curves: Curves) -> float:
    """The loss before training, of enough examples to mean something."""
    return float(curves.losses[: max(1, math.ceil(EXAMPLES / curves.batch_size))].mean())


def _too_large(curves: Curves) -> Iterator[Finding]:
    losses = curves.losses
    if curves.diverged:
        finite = losses[np.isfinite(losses)]
        numbers = {"start_loss": float(losses[0]), "last_loss": float(finite[-1]) if len(finite) else math.nan}
        numbers |= {"largest_lr": float(curves.rates.max()), "updates": len(losses)}
        yield Finding("lr_too_large", None, len(losses) - 1, numbers, ABOVE_START)
    elif len(losses) >= FEWEST_UPDATES:
        start, end = _start(curves), float(np.median(losses[-max(1, len(losses) // 10) :]))  # a spike moves no median
        if end > ABOVE_START * start > 0:
            numbers = {"start_loss": start, "last_loss": end, "largest_lr": float(curves.rates.max())}
            yield Finding("lr_too_large", None, len(losses) - 1, numbers, ABOVE_START)


def _too_small(curves: Curves) -> Iterator[Finding]:
    if curves.diverged or curves.epochs < 2 or len(curves.losses) < curves.epochs:
        return
    epoch = len(curves.losses) // curves.epochs
    start, first, end = _start(curves), curves.losses[:epoch].mean(), curves.losses[-epoch:].mean()
    if abs(end - first) < STILL * first and abs(end - start) < MOVED * start:
        numbers = {"start_loss": float(first), "last_loss": float(end), "largest_lr": float(curves.rates.max())}
        yield Finding("lr_too_small", None, len(curves.losses) - 1, numbers, STILL)


def _overfitting(curves: Curves) -> Iterator[Finding]:
    losses = curves.valid_loss
    if curves.diverged or len(losses) < FEWEST_EPOCHS or not np.isfinite(losses).all():
        return
    best = int(losses.argmin())
    scores = curves.valid if curves.regression else -losses
    fell = float(scores[best] - scores[-1])
    if losses[-1] > RISEN * losses[best] and fell > RISE and curves.train[-1] >= curves.train[best]:
        numbers = {"best_valid_loss": float(losses[best]), "last_valid_loss": float(losses[-1])}
        numbers |= {"best_epoch": best, "train": float(curves.train[-1]), "valid": float(curves.valid[-1])}
        yield Finding("overfitting", None, len(curves.losses) - 1, numbers, RISEN)
