"""Previews of a schedule, an initializer or a network's signal before any training."""

import math
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.deps import ServiceDep
from api.picture_cache import PictureCache
from api.responses import etag, plain, preferred
from api.signal_propagation import SignalPreview, signal_of
from core.errors import InvalidSpec, Problem, warned
from core.initializers import InitializerEntry, Layer, Role, preview
from core.plots import draw_initializer_preview, draw_schedule_preview, draw_signal_preview, render
from core.registry import Entry, Positive, join_path
from core.schedules import Reactive, ScheduleEntry, bind, lint_schedule, rates, reported_rates

router = APIRouter(prefix="/previews", tags=["previews"])

PNG = "image/png"
MOST_VALUES = 4_000_000
_cache = PictureCache(16 * 2**20)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class SchedulePreview(_Body):
    """A schedule to preview; `lr` is the base rate B, an epoch has `steps_per_epoch` updates.

    `metrics` is for a schedule that answers to one: `metrics[e]` is reported after epoch e, null for NaN.
    """

    schedule: ScheduleEntry
    lr: Positive = 0.1
    steps: Annotated[int, Field(ge=1, le=100_000)] = 100
    steps_per_epoch: Annotated[int, Field(ge=1, le=100_000)] = 1
    metrics: Annotated[list[float | None], Field(max_length=100_000)] | None = None


class InitializerPreview(_Body):
    """An initializer to preview for a weight of `shape`, in torch's layout: (out, in / groups, *kernel), and
    (in, out / groups, *kernel) where it is `transposed`.

    The rest tells of the layer what some initializers ask for: its name in the model, which also picks the stream that
    the weight is drawn from; whether it reads the data (`input`), gives the outputs (`output`), or both (`only`);
    whether it ends a residual branch, and how many branches the model has.
    """

    initializer: InitializerEntry
    shape: Annotated[list[Annotated[int, Field(ge=1, le=1_000_000)]], Field(min_length=2, max_length=5)] = [256, 784]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    bins: Annotated[int, Field(ge=1, le=1_000)] = 50
    name: Annotated[str, Field(max_length=200)] = "layer"
    role: Role = "hidden"
    groups: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    ends_branch: bool = False
    branches: Annotated[int, Field(ge=0, le=100_000)] = 0
    transposed: bool = False


@router.post("/schedule", responses={200: {"content": {PNG: {}}}})
def schedule(body: SchedulePreview, request: Request) -> Response:
    """Return the rates of a schedule: `lr[t]` is in force during update t. JSON, or a PNG by `Accept`."""
    entry: Entry = body.schedule
    found: dict[str, Any] = {
        "schedule": entry.model_dump(),
        "steps_per_epoch": body.steps_per_epoch,
        "lr": _rates(body),
        "warnings": warned(
            problem._replace(path=join_path("schedule", problem.path))
            for problem in lint_schedule(entry, body.lr, body.steps, body.steps_per_epoch)
        ),
    }
    return _answer(request, found, draw_schedule_preview)


@router.post("/initializer", responses={200: {"content": {PNG: {}}}})
def initializer(body: InitializerPreview, request: Request) -> Response:
    """Draw one weight, and compare its values with the theory. JSON, or a PNG by `Accept`."""
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
    try:
        found = preview(body.initializer, layer, body.seed, body.bins)
    except ValueError as error:
        raise InvalidSpec([Problem("shape", str(error))]) from None
    return _answer(
        request, {"initializer": body.initializer.model_dump(), "shape": body.shape} | found, draw_initializer_preview
    )


@router.post("/signal", responses={200: {"content": {PNG: {}}}})
def signal(body: SignalPreview, request: Request, service: ServiceDep) -> Response:
    """Return forward and backward variance at update 0, layer by layer, untrained. JSON, or a PNG by `Accept`.

    Of each of `initializers` its `layers`, `{name, fan_in, fan_out, forward, activation, backward}`: `forward` is the
    variance of the layer's outputs, `activation` that after the activation, `backward` that of the gradient which
    standard normal noise at the network's outputs sends back; each with `mean`, `low` and `high` over the seeds.
    `theory` is the expected value, for dense layers with (leaky) rectifiers or nothing between them.
    """
    found = signal_of(body, service.paths)
    return _answer(request, found, draw_signal_preview)


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


def _answer(request: Request, found: dict[str, Any], draw: Any) -> Response:
    if preferred(request, ["application/json", PNG]) == PNG:
        picture = _cache.get(etag(draw.__name__, found), lambda: render(draw(found), "png"))
        return Response(picture, media_type=PNG, headers={"Vary": "Accept"})
    return plain(found)
