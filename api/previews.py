"""`POST /previews/schedule` and `/previews/initializer`: the requests, the bounds of their work, and the answers."""

import math
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from core.errors import InvalidSpec, Problem, warned
from core.initializers import InitializerEntry, Layer, Role, preview, preview_seconds
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

MOST_VALUES = 4_000_000
"""Of one drawn weight."""
MOST_COMPARED = 11
"""Of schedules or initializers beside the one that is previewed."""


def check_seconds(seconds: float, most: float, path: str, advice: str) -> None:
    """Raise `InvalidSpec` where a preview would take more than `most` seconds of one core."""
    if seconds > most:
        message = f"takes some {seconds:,.0f} s; {most:g} s is the most of a preview here (INITLAB_PREVIEW_SECONDS)"
        raise InvalidSpec([Problem(path, f"{message}: {advice}")])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class SchedulePreview(_Body):
    """A schedule to preview; `lr` is the base rate B, an epoch has `steps_per_epoch` updates.

    `metrics` is for a schedule that answers to one: `metrics[e]` is reported after epoch e, null for NaN. `compare` are
    others, with the same rate and length, to draw on the same axes.
    """

    schedule: ScheduleEntry
    compare: Annotated[list[ScheduleEntry], Field(max_length=MOST_COMPARED)] = []
    lr: Positive = 0.1
    steps: Annotated[int, Field(ge=1, le=100_000)] = 100
    steps_per_epoch: Annotated[int, Field(ge=1, le=100_000)] = 1
    metrics: Annotated[list[float | None], Field(max_length=100_000)] | None = None


class InitializerPreview(_Body):
    """An initializer to preview for a weight of `shape`, in torch's layout: (out, in / groups, *kernel), and
    (in, out / groups, *kernel) where it is `transposed`.

    The rest tells of the layer what some initializers ask for: its name in the model, which also picks the stream that
    the weight is drawn from; whether it reads the data (`input`), gives the outputs (`output`), or both (`only`);
    whether it ends a residual branch, and how many branches the model has. `compare` are others, to draw below it.
    """

    initializer: InitializerEntry
    compare: Annotated[list[InitializerEntry], Field(max_length=MOST_COMPARED)] = []
    shape: Annotated[list[Annotated[int, Field(ge=1, le=1_000_000)]], Field(min_length=2, max_length=5)] = [256, 784]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    bins: Annotated[int, Field(ge=1, le=1_000)] = 50
    name: Annotated[str, Field(max_length=200)] = "layer"
    role: Role = "hidden"
    groups: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    ends_branch: bool = False
    branches: Annotated[int, Field(ge=0, le=100_000)] = 0
    transposed: bool = False


def schedule_of(body: SchedulePreview, most_seconds: float) -> dict[str, Any]:
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


def initializer_of(body: InitializerPreview, most_seconds: float) -> dict[str, Any]:
    """Draw one weight by each initializer, and compare its values with the theory.

    Raises `InvalidSpec` for a shape that cannot be, and where it would take more than `most_seconds`.
    """
    if math.prod(body.shape) > MOST_VALUES:
        raise InvalidSpec([Problem("shape", f"has more than {MOST_VALUES:,} values")])
    if body.shape[0] % body.groups:
        raise InvalidSpec([Problem("groups", f"should divide the {body.shape[0]} outputs")])
    layer = Layer(
        shape=tuple(body.shape),
        name=body.name,
        groups=body.groups,
        role=body.role,
        ends_branch=body.ends_branch,
        branches=body.branches,
        transposed=body.transposed,
    )
    every = (body.initializer, *body.compare)
    try:
        seconds = sum(preview_seconds(one, layer) for one in every)
        check_seconds(seconds, most_seconds, "shape", "take a smaller one, or fewer corrections or examples")
        found = [{"initializer": one.model_dump()} | preview(one, layer, body.seed, body.bins) for one in every]
    except ValueError as error:
        raise InvalidSpec([Problem("shape", str(error))]) from None
    return {"shape": body.shape, **found[0], "compared": found[1:]}


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
