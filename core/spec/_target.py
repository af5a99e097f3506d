"""A goal that runs are timed to."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from core.datasets import Task, epoch_metrics
from core.errors import Problem
from core.registry import unknown


class Target(BaseModel):
    """What a run is to reach: the report says how many updates that took, and how many runs did.

    An accuracy and an R² are to come up to `value`, a loss down to it. Only metrics by epoch can be targets: those of
    the whole training or validation split.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    metric: Annotated[str, Field(max_length=40)]
    value: float

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.metric.endswith("accuracy") and not 0 < self.value <= 1:
            message = f"is {self.value:g}, but an accuracy is a share of examples: above 0, at most 1 (0.9 is 90 %)"
        elif self.metric.endswith("r2") and self.value > 1:
            message = f"is {self.value:g}, but R² is at most 1"
        elif self.metric.endswith("loss") and self.value <= 0:
            message = f"is {self.value:g}, but a loss is above 0"
        else:
            return self
        raise PydanticCustomError("catalog", "cannot be reached", {"problems": [Problem("value", message)]})

    def problems(self, task: Task) -> list[Problem]:
        """What is wrong with it for a task."""
        known = epoch_metrics(task)
        return (
            [] if self.metric in known else [unknown(f"metric of a {task} task", self.metric, known, "target.metric")]
        )
