"""Early stopping: a run ends before its last epoch because its metric no longer improves."""

import math
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from core.metrics import EpochMetric, metrics
from core.registry import CountFromZero, NonNegative


class Patience(NamedTuple):
    """Early stopping's state of a run: the best metric so far (None before the first finite one) and epochs since."""

    best: float | None = None
    bad: int = 0


class EarlyStopping(BaseModel):
    """A run ends after `patience` epochs in a row in which `metric` was not better than its best by over `min_delta`.

    The rule is that of Keras' `EarlyStopping` without `restore_best_weights`: the run ends with the weights of its last
    epoch. So a patience of 0 is one of 1, and no run ends with its first epoch. A loss improves downwards, an accuracy
    and R² upwards. A metric that is not finite is no improvement and never the best: with Keras, a first NaN would stay
    the best for ever.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    metric: EpochMetric = "valid_loss"
    patience: CountFromZero = 3
    min_delta: NonNegative = 0.0

    def after(self, state: Patience, value: float) -> Patience:
        """Return the state after one more epoch's metric."""
        sign = metrics[self.metric].sign
        if math.isfinite(value) and (state.best is None or sign * value - self.min_delta > sign * state.best):
            return Patience(value, 0)
        return Patience(state.best, state.bad + 1)

    def ends(self, state: Patience, epochs: int) -> bool:
        """Return whether a run in this state ends, having trained so many epochs."""
        return epochs > 1 and state.bad > 0 and state.bad >= self.patience
