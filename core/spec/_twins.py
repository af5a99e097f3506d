"""Warnings about arms that train alike, though they were asked for as if they differed."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from core.errors import Problem
from core.metrics import metrics
from core.spec._arms import Arm
from core.spec._body import Spec
from core.spec._check import ArmInfo, where_of
from core.spec._run_rates import Length, lr_of, metric_read, rates_of
from core.spec._treatment import Treatment

_FIRST = ("schedule", "optimizer")
"""The settings that are named first where arms of one curve differ in several."""


def twins(spec: Spec, infos: Sequence[ArmInfo]) -> Iterator[Problem]:
    """Name the arms whose every rate is that of an arm before them, and which otherwise differ in nothing that counts.

    A mean of the weights does not, where nothing in training answers to its metrics; neither does a setting that
    changes no number, such as which parameters decay where none does.
    """
    first: dict[object, Arm] = {}
    lengths = [Length(info.steps, info.steps_per_epoch) for info in infos]
    others = [
        _all_but_rates(arm.treatment, info, length)
        for arm, info, length in zip(spec.expanded, infos, lengths, strict=True)
    ]
    alike = Counter(others)
    for i, (arm, length) in enumerate(zip(spec.expanded, lengths, strict=True)):
        if alike[others[i]] == 1:
            continue
        treatment: Treatment = arm.treatment
        key = (others[i], _fingerprint(treatment, length))
        if key not in first:
            first[key] = arm
            continue
        other = first[key]
        differing = [f for f in Treatment.model_fields if getattr(treatment, f) != getattr(other.treatment, f)]
        field = _named(arm, differing)
        path = where_of(spec, i, arm)(field)
        whose = "" if path.startswith("arms[") else f'of "{arm.label}" '
        yield Problem(path, f"{whose}{_said(other, field, differing)}")


def _said(other: Arm, field: str, differing: Sequence[str]) -> str:
    if field == "ema_decay":
        return f'leaves the training as it is in "{other.label}": compare the two by a metric that ends in _ema'
    if field not in _FIRST:
        return f'changes nothing of what "{other.label}" trains, and nothing else differs: the two train alike'
    how = "has every rate" if "schedule" in differing else "is that"
    return f'{how} of "{other.label}", and nothing else differs: the two train alike'


def _named(arm: Arm, differing: Sequence[str]) -> str:
    """Return the field to name: a mean that is kept, a schedule or an optimizer first, set by the arm."""
    order = [f for f in ("ema_decay", *_FIRST, *differing) if f in differing]
    return next((f for f in order if f in arm.replaced), next(iter([*order, *arm.replaced]), "schedule"))


def _all_but_rates(treatment: Treatment, info: ArmInfo, length: Length) -> str:
    """Return what is equal for treatments that differ in nothing but their rates, or in settings that do not count."""
    optimizer = {k: v for k, v in treatment.optimizer.model_dump().items() if k != "lr"}
    own = {f: getattr(treatment, f) for f in Treatment.model_fields if f not in ("schedule", "optimizer")}
    if not _answers_to_means(treatment, length):
        own["ema_decay"] = None
    return repr((optimizer, own | _without_effect(treatment, info)))


def _without_effect(treatment: Treatment, info: ArmInfo) -> dict[str, Any]:
    """Return the settings that change nothing of this training, each as if it were not given."""
    found: dict[str, Any] = {}
    hyper = treatment.optimizer.parameters()
    if not any(value for name, value in hyper.items() if name.endswith("weight_decay")):
        found["weight_decay_on"] = "all"
    weights, focal = treatment.class_weights, treatment.focal_loss
    if isinstance(weights, list) and len(set(weights)) == 1 and (info.data.task == "multiclass" or weights[0] == 1):
        found["class_weights"] = None
    if focal is not None and focal.gamma == 0 and focal.alpha is None:
        found["focal_loss"] = None
    if treatment.layer_lr_decay == 1:
        found["layer_lr_decay"] = None
    if treatment.lr_per_layer is not None and set(treatment.lr_per_layer.values()) == {1.0}:
        found["lr_per_layer"] = None
    if treatment.micro_batch_size is not None and treatment.micro_batch_size >= treatment.batch_size:
        found["micro_batch_size"] = None
    if info.data.train % treatment.batch_size == 0:
        found["drop_last"] = False
    if treatment.early_stopping is not None and treatment.early_stopping.patience >= treatment.epochs:
        found["early_stopping"] = None
    return found


def _answers_to_means(treatment: Treatment, length: Length) -> bool:
    """Return whether something in training answers to a metric of averaged weights."""
    read = {metric_read(treatment.schedule, lr_of(treatment), length)}
    if treatment.early_stopping is not None:
        read.add(treatment.early_stopping.metric)
    return any(metrics[metric].averaged for metric in read if metric is not None)


def _fingerprint(treatment: Treatment, length: Length) -> object:
    """Return what is equal for arms whose rates are: those, rounded; of one that answers to a metric itself."""
    lr = lr_of(treatment)
    if metric_read(treatment.schedule, lr, length) is not None:
        return treatment.schedule, lr, length
    return tuple(float(f"{rate:.9e}") for rate in rates_of(treatment.schedule, lr, length)), length
