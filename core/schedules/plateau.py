"""Reduction on a plateau: the only schedule that answers to what is measured."""

import math
from typing import Annotated, Literal

from pydantic import Field

from core.metrics import EpochMetric, metrics
from core.registry import CountFromZero, NonNegative
from core.schedules import Reactive, Schedule, Span, State, schedules
from core.schedules._bounds import Floor
from core.schedules._peers import peers

Flavour = Literal["torch", "paddle", "keras", "optax"]
_Counted = tuple[float, float, bool]
"""Bad metrics in a row, epochs left to cool, and whether the rate is reduced now."""


def _torch(bad: float, cool: float, good: bool, patience: int) -> _Counted:
    bad = 0 if good or cool else bad + 1
    return bad, max(0, cool - 1), bad > patience


def _paddle(bad: float, cool: float, good: bool, patience: int) -> _Counted:
    if cool:
        return bad, cool - 1, bad > patience
    bad = 0 if good else bad + 1
    return bad, cool, bad > patience


def _keras(bad: float, cool: float, good: bool, patience: int) -> _Counted:
    bad, cool = (0, cool - 1) if cool else (bad, cool)
    bad = 0 if good else bad + 1
    return bad, cool, not good and not cool and bad >= patience


def _optax(bad: float, cool: float, good: bool, patience: int) -> _Counted:
    if cool:
        return 0, cool - 1, False
    bad = 0 if good else bad + 1
    return bad, cool, bad == patience


_COUNTS = {"torch": _torch, "paddle": _paddle, "keras": _keras, "optax": _optax}


@schedules.register(
    formula="after more than `patience` bad metrics in a row (keras, optax: after `patience`): lr = max(lr·factor, "
    "min_lr), unless that takes eps or less; good: m < best·(1 - threshold) (rel) | m < best - threshold (abs, and "
    "wherever best <= 0)",
    source="torch.optim.lr_scheduler.ReduceLROnPlateau; paddle.optimizer.lr.ReduceOnPlateau; Keras 3, "
    "keras.callbacks.ReduceLROnPlateau; optax.contrib.reduce_on_plateau",
    aliases=[
        "plateau",
        *peers(
            *("ReduceLROnPlateau", "reduce_lr_on_plateau"),  # torch
            refuses={
                "monitor": 'is Keras\': give it as metric, such as "valid_loss", and "flavour": "keras"',
                "min_delta": 'is Keras\': give it as threshold, and "flavour": "keras"',
            },
        ),
        *peers("ReduceOnPlateau", defaults={"flavour": "paddle"}, renames={"epsilon": "eps"}),
    ],
    presets={"flavour": {"keras": {"threshold_mode": "abs", "eps": 0.0}, "optax": {"eps": 0.0}}},
    unit=(Literal["epoch"], "epoch"),
)
def reduce_on_plateau(
    *,
    metric: EpochMetric = "valid_loss",
    mode: Literal["auto", "min", "max"] = "auto",
    factor: Annotated[float, Field(ge=0, lt=1)] = 0.1,
    patience: CountFromZero = 10,
    threshold: NonNegative = 1e-4,
    threshold_mode: Literal["rel", "abs"] = "rel",
    cooldown: CountFromZero = 0,
    min_lr: Floor = 0.0,
    eps: NonNegative = 1e-8,
    flavour: Flavour = "torch",
) -> Schedule:
    """B, multiplied by `factor` whenever `metric` has not improved for more than `patience` epochs.

    `mode` says which way the metric improves; "auto", as in Keras, is what the metric says itself: a loss downwards, an
    accuracy and R² upwards. For `cooldown` epochs after a reduction nothing counts as bad; there the torch flavour
    still takes note of a new best metric, and the paddle flavour looks away. The flavours keras and optax reduce an
    epoch sooner, after `patience` bad metrics. With keras the last epoch of a cooldown counts again, and where they are
    left out the threshold is absolute and eps 0; with optax eps is 0, and a metric that is to rise is refused. A metric
    that is not finite is a bad one and never becomes the best. The threshold is absolute wherever the best metric is 0
    or less: a relative one would take worse values for better.
    """
    falls = (metrics[metric].direction if mode == "auto" else mode) == "min"
    if flavour == "optax" and not falls:
        raise ValueError(f"optax takes smaller values for better, and {metric} is to rise: choose another flavour")
    if flavour == "optax" and patience == 0:
        raise ValueError("optax with a patience of 0 reduces whenever the metric improves: give 1 or more")

    def improves(value: float, best: float) -> bool:
        margin = threshold * best if threshold_mode == "rel" and best > 0 else threshold
        return value < best - margin if falls else value > best + margin

    count = _COUNTS[flavour]

    def react(state: State, _t: float, value: float) -> State:
        lr, bad, cool, *best = state
        good = math.isfinite(value) and (not best or improves(value, best[0]))
        if good and not (flavour == "paddle" and cool):
            best = [value]
        bad, cool, full = count(bad, cool, good, patience)
        if full:
            reduced = max(lr * factor, min_lr)
            bad, cool = 0, cooldown
            if lr - reduced > eps:
                lr = reduced
        return (lr, bad, cool, *best)

    def bind(base: float, _span: Span) -> Reactive:
        """Return the schedule; its state is (rate, bad metrics in a row, epochs left to cool), then any best metric."""
        return Reactive(metric, (base, 0, 0), lambda state, _t: state[0], react)

    return bind
