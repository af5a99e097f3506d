"""`POST /previews/schedule`: the request, the bounds of its work, and the answer."""

import math
from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.previews._bounds import ASKED, MOST_COMPARED, check_seconds
from core.datasets import DatasetPaths
from core.errors import InvalidSpec, Problem, warned
from core.registry import Entry, Positive, join_path
from core.schedules import (
    SECONDS_OF_RATE,
    Reactive,
    ScheduleEntry,
    bind,
    lint_schedule,
    rates,
    reported_rates,
    work_of,
)


class SchedulePreview(BaseModel):
    """A schedule to preview; `lr` is the base rate B, an epoch has `steps_per_epoch` updates.

    `metrics` is for a schedule that answers to one: `metrics[e]` is reported after epoch e, null for NaN. `compare` are
    others, with the same rate and length, to draw on the same axes.
    """

    model_config = ASKED

    schedule: ScheduleEntry
    compare: Annotated[list[ScheduleEntry], Field(max_length=MOST_COMPARED)] = []
    lr: Positive = 0.1
    steps: Annotated[int, Field(ge=1, le=100_000)] = 100
    steps_per_epoch: Annotated[int, Field(ge=1, le=100_000)] = 1
    metrics: Annotated[list[float | None], Field(max_length=100_000)] | None = None


def schedule_of(body: SchedulePreview, _paths: DatasetPaths, most_seconds: float) -> dict[str, Any]:
    """Return the rates of a schedule, `lr[t]` that of update t, and what to beware of.

    Raises `InvalidSpec` where it would take more than `most_seconds`.
    """
    rates_made = sum(work_of(one, body.steps, body.steps) for one in (body.schedule, *body.compare))
    check_seconds(
        SECONDS_OF_RATE * rates_made, most_seconds, "steps", "ask for fewer, or give the schedule fewer parts"
    )
    entry: Entry = body.schedule
    return {
        "schedule": entry.model_dump(),
        "steps_per_epoch": body.steps_per_epoch,
        "lr": _rates(body),
        "compared": [
            {"schedule": other.model_dump(), "lr": _rates(body.model_copy(update={"schedule": other, "metrics": None}))}
            for other in body.compare
        ],
        "warnings": warned(
            problem._replace(path=join_path("schedule", problem.path))
            for problem in lint_schedule(entry, body.lr, body.steps, body.steps_per_epoch)
        ),
    }


def _rates(body: SchedulePreview) -> list[float]:
    try:
        bound = bind(body.schedule, body.lr, body.steps, body.steps_per_epoch)
        if body.metrics is None:
            return rates(bound, range(body.steps))
        if not isinstance(bound, Reactive):
            raise InvalidSpec([Problem("metrics", f"{body.schedule.name} answers to no metric")])
        epochs = math.ceil(body.steps / body.steps_per_epoch)
        if len(body.metrics) > epochs:
            raise InvalidSpec([Problem("metrics", f"has {len(body.metrics)}, one an epoch; there are {epochs} epochs")])
        metrics = [math.nan if metric is None else metric for metric in body.metrics]
        return reported_rates(bound, body.steps, body.steps_per_epoch, metrics)
    except ValueError as error:
        raise InvalidSpec([Problem("schedule", str(error))]) from None
