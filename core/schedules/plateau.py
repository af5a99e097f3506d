"""Reduction on a plateau: the only schedule that answers to what is measured."""

import math
from typing import Annotated, Literal

from pydantic import Field

from core.metrics import EpochMetric, metrics
from core.registry import CountFromZero, NonNegative
from core.schedules import Reactive, Schedule, Span, State, schedules
from core.schedules._bounds import Floor


@schedules.register(
    formula="after more than `patience` bad metrics in a row: lr = max(lr·factor, min_lr), unless that takes less than "
    "eps; good: m < best·(1 - threshold) (rel) | m < best - threshold (abs, and wherever best <= 0)",
    source="torch.optim.lr_scheduler.ReduceLROnPlateau; paddle.optimizer.lr.ReduceOnPlateau",
    aliases=["plateau", "reduce_lr_on_plateau"],
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
    flavour: Literal["torch", "paddle"] = "torch",
) -> Schedule:
    """B, multiplied by `factor` whenever `metric` has not improved for more than `patience` epochs.

    `mode` says which way the metric improves; "auto", as in Keras, is what the metric says itself: a loss downwards, an
    accuracy and R² upwards. For `cooldown` epochs after a
    reduction nothing counts as bad; there the torch flavour still takes note of a new best metric, and the paddle
    flavour looks away. A metric that is not finite is a bad one and never becomes the best. The threshold is absolute
    wherever the best metric is 0 or less: a relative one would take worse values for better.
    """

    falls = (metrics[metric].direction if mode == "auto" else mode) == "min"

    def improves(value: float, best: float) -> bool:
        margin = threshold * best if threshold_mode == "rel" and best > 0 else threshold
        return value < best - margin if falls else value > best + margin

    def react(state: State, _t: float, value: float) -> State:
        lr, bad, cool, *best = state
        if not (flavour == "paddle" and cool):
            if math.isfinite(value) and (not best or improves(value, best[0])):
                best, bad = [value], 0
            else:
                bad += 1
        if cool:
            cool -= 1
            bad = 0 if flavour == "torch" else bad
        if bad > patience:
            bad, cool = 0, cooldown
            reduced = max(lr * factor, min_lr)
            lr = reduced if lr - reduced > eps else lr
        return (lr, bad, cool, *best)

    def bind(base: float, _span: Span) -> Reactive:
        """Return the schedule; its state is (rate, bad metrics in a row, epochs left to cool), then any best metric."""
        return Reactive(metric, (base, 0, 0), lambda state, _t: state[0], react)

    return bind
