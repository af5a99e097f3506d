"""Previews of what is not trained yet: schedules, initializers, optimizers, layers, data sets, a network's signal."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api import jobs
from api.answer_cache import Answer
from api.bodies import body_of, json_body
from api.deps import CallerDep, ServiceDep
from api.previews import (
    PREVIEWS,
    DatasetLook,
    InitializerPreview,
    LayerPreview,
    OptimizerPreview,
    SchedulePreview,
    SignalPreview,
)
from api.previews.answers import (
    DatasetLookOut,
    InitializerPreviewOut,
    LayerPreviewOut,
    OptimizerPreviewOut,
    SchedulePreviewOut,
    SignalPreviewOut,
)
from api.responses import etag, preferred
from core.plots import Format, Theme

router = APIRouter(prefix="/previews", tags=["previews"])

PICTURES: dict[str, Format] = {"image/png": "png", "image/svg+xml": "svg"}
SECONDS, TIMES = 20.0, 4
"""For one preview: these, or so many times those that it may be estimated at."""
InTheme = Annotated[Theme, Query(description="of a picture: for paper, or for a dark room")]
EITHER: dict[int | str, dict[str, Any]] = {200: {"content": {media: {} for media in PICTURES}}}


@router.post("/schedule", response_model=SchedulePreviewOut, responses=EITHER, openapi_extra=body_of(SchedulePreview))
async def preview_schedule(request: Request, service: ServiceDep, theme: InTheme = "light") -> Response:
    """Return the rates of a schedule: `lr[t]` is in force during update t. JSON, or PNG or SVG by `Accept`."""
    return await _answer(request, service, "schedule", theme)


@router.post(
    "/initializer", response_model=InitializerPreviewOut, responses=EITHER, openapi_extra=body_of(InitializerPreview)
)
async def preview_initializer(request: Request, service: ServiceDep, theme: InTheme = "light") -> Response:
    """Draw one weight by each initializer, and compare its values with the theory. JSON, or PNG or SVG by `Accept`."""
    return await _answer(request, service, "initializer", theme)


@router.post(
    "/optimizer", response_model=OptimizerPreviewOut, responses=EITHER, openapi_extra=body_of(OptimizerPreview)
)
async def preview_optimizer(request: Request, service: ServiceDep, theme: InTheme = "light") -> Response:
    """Return the way of each optimizer down a valley of two weights. JSON, or PNG or SVG by `Accept`.

    `x[t]`, `y[t]` and `loss[t]` are the weights and the loss after t updates, those of a training; null where they
    overflow. `evaluated` has the weights that are evaluated where the optimizer keeps others than it trains.
    """
    return await _answer(request, service, "optimizer", theme)


@router.post("/layer", response_model=LayerPreviewOut, responses=EITHER, openapi_extra=body_of(LayerPreview))
async def preview_layer(request: Request, service: ServiceDep, theme: InTheme = "light") -> Response:
    """Return what each layer makes of the same examples, untrained: `after`, beside what comes in, `before`.

    `curve` is there where a layer makes a number of each number, as activations do. JSON, or PNG or SVG by `Accept`.
    """
    return await _answer(request, service, "layer", theme)


@router.post("/dataset", response_model=DatasetLookOut, responses=EITHER, openapi_extra=body_of(DatasetLook))
async def look_at_dataset(
    request: Request, service: ServiceDep, caller: CallerDep, theme: InTheme = "light"
) -> Response:
    """Return how a data set of the catalogue is split, its classes or targets, and some training examples.

    JSON, or PNG or SVG by `Accept`. `GET /datasets/{name}/preview` has the rows of a user's own file as they came.
    """
    return await _answer(request, service, "dataset", theme, caller.hidden)


@router.post("/signal", response_model=SignalPreviewOut, responses=EITHER, openapi_extra=body_of(SignalPreview))
async def preview_signal(
    request: Request, service: ServiceDep, caller: CallerDep, theme: InTheme = "light"
) -> Response:
    """Return forward and backward variance at update 0, layer by layer, untrained. JSON, or PNG or SVG by `Accept`.

    Of each of `initializers` its `layers`, `{name, fan_in, fan_out, forward, activation, backward}`: `forward` is the
    variance of the layer's outputs, `activation` that after the activation, `backward` that of the gradient which
    standard normal noise at the network's outputs sends back; each with `mean`, `low` and `high` over the seeds.
    `theory` is the expected value, for dense layers with (leaky) rectifiers or nothing between them.
    """
    return await _answer(request, service, "signal", theme, caller.hidden)


async def _answer(
    request: Request, service: ServiceDep, kind: str, theme: Theme, hidden: frozenset[str] = frozenset()
) -> Response:
    body, media = await json_body(request), preferred(request, ["application/json", *PICTURES])
    seconds = max(SECONDS, TIMES * service.settings.preview_seconds)

    draw = (PICTURES[media], theme) if media in PICTURES else None

    async def make() -> Answer:
        return await service.pool.run(seconds, jobs.preview_of, kind, body, draw, hidden)

    kept = PREVIEWS[kind].of_request
    found = await (service.answers.get(etag(kind, body, media, draw), make) if kept else make())
    return Response(found.body, media_type=media, headers={"Vary": "Accept"})
