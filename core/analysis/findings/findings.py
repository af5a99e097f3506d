"""What is wrong with an arm and why: symptoms that most of its runs have, with their numbers, in a student's words."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from core.analysis.findings.rules import Curves, Finding, Floats, LayerDiagnostics, curve_rules, layer_rules
from core.analysis.wording import number
from core.datasets import DataError, epoch_metrics
from core.initializers import Initializer, Layer
from core.results import Results, RunResult, Series, is_diagnostic
from core.spec import DIAGNOSTICS, Treatment, size

ORDER = (
    *("symmetry", "vanishing_activations", "exploding_activations", "vanishing_gradients", "exploding_gradients"),
    *("dead_relu", "saturation", "lr_too_large", "lr_too_small", "overfitting"),
)
SHARES = ("activation_dead", "activation_saturated")
REASONS = frozenset({"symmetry", "vanishing_activations", "vanishing_gradients", "dead_relu", "saturation"})
"""Why a network may learn nothing at any rate."""


def findings(results: Results) -> list[dict[str, Any]]:
    """What is wrong with each arm, in the order of the arms and of `ORDER`; of each kind at most one an arm.

    `{arm, kind, layer, step, evidence, explanation}`: the layer that most runs have it in (None for what curves show),
    the update at which most of those show it, and in `evidence` the medians over them, the `threshold` that they pass,
    all `layers` that have it, and how many `seeds` have it `of` how many that could be judged: always more than half.
    The kinds about layers need a spec with `diagnostics`; `lr_too_large`, `lr_too_small` and `overfitting` need only
    curves, and finished runs. The bounds are in `core.analysis.findings.rules`. No number is NaN or infinite.
    """
    by_run: dict[int, dict[str, Series]] = defaultdict(dict)
    metrics = ("train_loss", "lr", *epoch_metrics(results.task), *(DIAGNOSTICS if results.spec.diagnostics else ()))
    for metric in metrics:
        for series in results.series(metric):
            by_run[series.run_id][series.metric] = _ends(series) if is_diagnostic(series.metric) else series
    found: list[dict[str, Any]] = []
    for arm in results.spec.expanded:
        runs = [run for run in results.runs if run.arm == arm.label]
        layers = _layers(results, arm.treatment, by_run[runs[0].id]) if runs else {}
        looks = [_looks(by_run[run.id], layers) for run in runs]
        seen = _most([[*layer_rules(one)] for one in looks if one is not None])
        over = [_curves(run, by_run[run.id], results, arm.treatment) for run in runs if run.status == "succeeded"]
        learned = _most([[*curve_rules(one)] for one in over if one is not None])
        if REASONS & seen.keys() or _starts_alike(arm.treatment, layers):
            learned.pop("lr_too_small", None)  # there is a better reason
        both = seen | learned
        found += [_finding(arm.label, *both[kind], results) for kind in ORDER if kind in both]
    return found


def _ends(series: Series) -> Series:
    """The first two points and the last, all that the rules look at: of every layer and run the rest is gigabytes."""
    points = sorted({0, 1, len(series.steps) - 1} & set(range(len(series.steps))))
    return series._replace(steps=series.steps[points], values=series.values[points])


def layers_by_arm(results: Results) -> dict[str, list[str]]:
    """Of each arm the names of its layers that were measured, from the data to the outputs."""
    found: dict[str, set[str]] = {arm.label: set() for arm in results.spec.expanded}
    for series in results.series("weight_norm"):
        found[series.arm].add(series.metric)
    return {
        arm.label: [
            name
            for name in _layers(results, arm.treatment, found[arm.label])
            if f"weight_norm/{name}" in found[arm.label]
        ]
        for arm in results.spec.expanded
    }


def _layers(results: Results, treatment: Treatment, found: Iterable[str]) -> Mapping[str, Layer | None]:
    """The model's layers in their order; of those found alone where the data set that shapes them is gone."""
    try:
        info = results.info(treatment)
    except DataError:
        named = {metric.partition("/")[2] for metric in found if metric.startswith("weight_norm/")}
        return dict.fromkeys(sorted(named, key=lambda name: [_counted(part) for part in re.split(r"(\d+)", name)]))
    return size(treatment.model, info.inputs, info.outputs).layers


def _counted(part: str) -> tuple[int, str]:
    return (int(part), "") if part.isdigit() else (-1, part)


def _looks(found: Mapping[str, Series], layers: Mapping[str, Layer | None]) -> LayerDiagnostics | None:
    """A run's diagnostics, None where there are none."""
    measured = {metric: series for metric, series in found.items() if is_diagnostic(metric)}
    if not measured or not layers:
        return None
    *hidden, output = layers
    values: dict[tuple[str, str], Floats] = {}
    for metric, series in measured.items():
        kind, _, layer = metric.partition("/")
        values[kind, layer] = series.values
    steps = min((series.steps for series in measured.values()), key=len).tolist()
    lasting = frozenset(name for name in hidden if not getattr(layers[name], "ends_branch", False))
    return LayerDiagnostics(steps, values, hidden, output, lasting) if steps else None


def _curves(run: RunResult, found: Mapping[str, Series], results: Results, treatment: Treatment) -> Curves | None:
    if "train_loss" not in found or "lr" not in found or not len(found["train_loss"].values):
        return None
    train, valid_loss, valid = (
        found[metric].values if metric in found else np.empty(0) for metric in epoch_metrics(results.task)
    )
    return Curves(
        found["train_loss"].values,
        found["lr"].values,
        treatment.batch_size,
        run.outcome == "diverged",
        train,
        valid_loss,
        valid,
        results.task == "regression",
        treatment.epochs,
    )


def _starts_alike(treatment: Treatment, layers: Mapping[str, Layer | None]) -> bool:
    """Whether all weights of hidden layers are the same constant: then the rate is not what to blame first."""
    initializer: Initializer = treatment.initializer.build()
    hidden = [layer for layer in layers.values() if layer is not None and layer.role in ("input", "hidden")]
    return bool(hidden) and all(initializer.weight(layer).distribution == "constant" for layer in hidden)


def _most(runs: Sequence[Sequence[Finding]]) -> dict[str, tuple[list[Finding], int]]:
    """The symptoms of each kind that more than half of the runs have, and the number of runs."""
    by_kind: dict[str, list[Finding]] = defaultdict(list)
    for run in runs:
        for symptom in run:
            by_kind[symptom.kind].append(symptom)
    return {kind: (found, len(runs)) for kind, found in by_kind.items() if 2 * len(found) > len(runs)}


def _finding(arm: str, found: Sequence[Finding], judged: int, results: Results) -> dict[str, Any]:
    layer = Counter(one.layer for one in found).most_common(1)[0][0]
    step = Counter(one.step for one in found if one.layer == layer).most_common(1)[0][0]
    same = [one for one in found if (one.layer, one.step) == (layer, step)]
    numbers = {name: _median(one.numbers[name] for one in same if name in one.numbers) for name in same[0].numbers}
    layers = [name for name, n in Counter(name for one in same for name in one.layers).items() if 2 * n > len(same)]
    kind = found[0].kind
    evidence: dict[str, Any] = {**numbers, "threshold": same[0].threshold, "seeds": len(found), "of": judged}
    if layer is not None:
        evidence |= {"layers": layers}
    words = {name: _word(name, value) for name, value in numbers.items()} | {"layer": layer, "step": step}
    if kind == "overfitting":
        train, _, valid = epoch_metrics(results.task)
        words |= {"train": number(train, numbers["train"]), "valid": number(valid, numbers["valid"])}
        words |= {"score": "R²" if results.task == "regression" else "accuracy"}
    sentence = DIVERGED if kind == "lr_too_large" and "updates" in numbers else EXPLANATIONS[kind]
    if kind == "lr_too_small" and results.spec.diagnostics is None:
        sentence += " Whether gradients reach the first layers, `diagnostics` in the spec would show."
    about = {"arm": arm, "kind": kind, "layer": layer, "step": step}
    return about | {"evidence": evidence, "explanation": sentence.format_map(words)}


def _median(values: Iterable[float]) -> float | None:
    """None where it is not finite."""
    middle = float(np.median([*values]))
    return middle if math.isfinite(middle) else None


def _word(name: str, value: float | None) -> str:
    if value is None:
        return "no finite number"
    return f"{100 * value:.3g} %" if name in SHARES else f"{value:.3g}"


EXPLANATIONS = {
    "symmetry": "The neurons of {layer} all have the same weights at update {step}, or weights in the same direction "
    "(mean absolute cosine {neuron_cosine}): they compute the same, so that the layer can do no more than one neuron. "
    "Random initial weights break this.",
    "vanishing_activations": "The signal shrinks on its way: at update {step} the standard deviation of the "
    "activations is {first_std} in the first layer and {last_std} in {layer}. Later layers see almost nothing of the "
    "input; the weights are too small for the number of inputs a neuron has.",
    "exploding_activations": "The signal grows on its way: at update {step} the standard deviation of the activations "
    "is {first_std} in the first layer and {last_std} in {layer}. The weights are too large for the number of inputs "
    "a neuron has.",
    "vanishing_gradients": "Hardly any gradient reaches {layer}: its norm is {gradient_norm} there at update {step}, "
    "and {last_gradient_norm} at the last layer. The first layers hardly learn; better scaled initial weights, or "
    "activations that do not flatten out, keep it alive.",
    "exploding_gradients": "Gradients are very large: the norm is {gradient_norm} at {layer} and "
    "{last_gradient_norm} at the last layer, at update {step}. One update can throw the weights far off; smaller "
    "initial weights, or a smaller rate, prevent it.",
    "dead_relu": "Of the rectifiers of {layer} {activation_dead} give 0 for every example of the batch at update "
    "{step}. No gradient passes through them, so that their weights stand still; smaller learning rates or larger "
    "biases keep them alive.",
    "saturation": "Of the activations of {layer} {activation_saturated} lie near their bounds at update {step}, where "
    "the curve is flat. Little gradient passes there; smaller weights keep them in the steep middle.",
    "lr_too_large": "The training loss ends at {last_loss}, above its start of {start_loss}: the learning rate (up to "
    "{largest_lr}) makes steps that overshoot. Try a tenth of it.",
    "lr_too_small": "The training loss hardly moved: it was {start_loss} in the first epoch and {last_loss} in the "
    "last. The learning rate (at most {largest_lr}) is probably too small; try ten times as much.",
    "overfitting": "The validation loss was lowest, {best_valid_loss}, after epoch {best_epoch} and then rose to "
    "{last_valid_loss}, while the {score} was {train} on the training split and {valid} on the validation split at "
    "the end. The network begins to learn its examples by heart; stop earlier, or use more data, dropout or weight "
    "decay.",
}
DIVERGED = (
    "The training loss became infinite or no number after {updates} updates: the learning rate (up to {largest_lr}) is "
    "too large for these initial weights. Try a tenth of it."
)
