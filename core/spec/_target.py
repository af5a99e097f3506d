"""A goal that runs are timed to."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from core.errors import Problem
from core.metrics import Task, epoch_metrics, metrics
from core.registry import Real, unknown


class Target(BaseModel):
    """A goal for runs: the report says how many updates it took to reach, and how many runs did.

    An accuracy and an R² are to come up to `value`, a loss down to it. Only metrics by epoch can be targets: those of
    the whole training or validation split.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    metric: Annotated[str, Field(max_length=40)]
    value: Real

    @model_validator(mode="after")
    def _possible(self) -> Self:
        metric = next((one for one in metrics.values() if one.name == self.metric), None)
        low, high = (None, None) if metric is None else metric.bounds
        if metric is not None and metric.share and not 0 < self.value <= 1:
            what = f"{metric.label} is a share of examples: above 0, at most 1 (0.9 is 90 %)"
        elif metric is not None and high is not None and self.value > high:
            what = f"{metric.label} is at most {high:g}"
        elif metric is not None and low is not None and self.value <= low and metric.direction == "min":
            what = f"{metric.label} is above {low:g}"
        else:
            return self
        problem = Problem("value", f"is {self.value:g}, but the {what}")
        raise PydanticCustomError("catalog", "cannot be reached", {"problems": [problem]})

    def problems(self, task: Task, outputs: int, averaged: bool) -> list[Problem]:
        """Return the problems of the target in a task, of models of so many outputs.

        With `averaged` some arm keeps a mean of its weights.
        """
        known = epoch_metrics(task, outputs, averaged)
        if self.metric in known:
            return []
        if self.metric in epoch_metrics(task, outputs, averaged=True):
            message = f"{self.metric} is of averaged weights, which no arm keeps: give ema_decay, such as 0.999"
            return [Problem("target.metric", message)]
        return [unknown(f"metric of a {task} task", self.metric, known, "target.metric")]
