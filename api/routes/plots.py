"""Pictures of an experiment, and the data behind them."""

import json
from functools import partial
from importlib.metadata import version as release
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from api import jobs
from api.answer_cache import Answer
from api.answers import PlotDataOut, PlotList
from api.deps import Id, Service, ServiceDep
from api.policies import NEVER_CHANGES, SVG
from api.responses import REVALIDATED, compact, etag, revalidated, unchanged
from core.errors import InvalidSpec, Problem
from core.plots import By, Look, Theme, plots
from core.plots.loss import MOST_FIRST
from core.registry import Entry, invalid

router = APIRouter(tags=["plots"])

MEDIA = {"png": "image/png", "svg": "image/svg+xml", "json": "application/json"}
OWN = ("first", "x", "axes")
"""Options that some plots have, and are parameters in the catalogue."""
ZIP = "application/zip"
BINARY = {"type": "string", "format": "binary"}
ALL_SECONDS = 180.0
"""For all pictures in one file."""
SECONDS = 60.0
"""For the data of one picture, as long for the picture, and for the list of all."""


def _first(given: Any) -> Any:
    """Return a number of updates, or "all", from a query."""
    text = str(given)
    if text == "all":
        return text
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:20]) <= MOST_FIRST):
        raise ValueError(f"should be a number of updates from 1 to {MOST_FIRST:,}, or all")
    return int(text)


First = Annotated[
    int | Literal["all"],
    BeforeValidator(_first),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": MOST_FIRST}, {"const": "all"}]}),
]


class Options(BaseModel):
    """The look of a picture. JSON has the data behind it, which `arm`, `log`, `first`, `x` and `axes` change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: Annotated[int, Field(ge=100, le=4000)] | None = Field(
        None, description="pixels across; without `height` the picture keeps its proportions"
    )
    height: Annotated[int, Field(ge=100, le=4000)] | None = Field(None, description="pixels down")
    dpi: Annotated[int, Field(ge=30, le=600)] | None = Field(
        None,
        description="dots an inch, default 144: with `width` or `height` only what a PNG says of its size in print",
    )
    theme: Theme = Field("light", description="for paper, or for a dark room")
    arm: Annotated[list[Annotated[str, Field(max_length=120)]], Field(max_length=256)] = Field(
        [], description="labels of the arms to draw, repeated; none: all"
    )
    log: bool | None = Field(
        None, description="whether the axis of values is logarithmic; default: where the values ask for it"
    )
    first: First | None = Field(None, description="`loss`: so many updates, default 100, or all")
    x: By | None = Field(None, description="`loss`: what its axis counts; default updates")
    axes: Literal["shared", "own"] | None = Field(
        None, description="`weights`: one axis of weights for each layer, the default, or one for each histogram"
    )
    version: Annotated[str, Field(max_length=40)] | None = Field(
        None, description="as the list of plots has it: what is answered under a version never changes"
    )


@router.get("/experiments/{experiment_id}/plots", response_model=PlotList, responses=REVALIDATED)
async def list_plots(experiment_id: Id, service: ServiceDep, request: Request) -> Response:
    """Return the pictures that suit this experiment. Other plots of the catalogue say in theirs why they are empty."""
    make = partial(service.pool.run, SECONDS, jobs.list_plots, experiment_id)
    version = await service.versions.get(experiment_id)
    found = await service.answers.get(etag(version, "plots"), make)
    return revalidated(request, compact(json.loads(found.body) | {"version": _shown(found.version)}))


@router.get(
    "/experiments/{experiment_id}/plots.zip",
    response_class=Response,
    responses={
        200: {"content": {ZIP: {"schema": BINARY}, "application/octet-stream": {"schema": BINARY}}},
        **REVALIDATED,
    },
)
async def get_all_plots(
    experiment_id: Id,
    service: ServiceDep,
    request: Request,
    theme: Annotated[Theme, Query(description="for paper, or for a dark room")] = "light",
) -> Response:
    """Return all pictures that suit this experiment in one ZIP: each as PNG and SVG, with its data as JSON."""

    def tag(version: str) -> str:
        return etag(version, "plots.zip", theme, release("initlab"))

    current = tag(await service.versions.get(experiment_id))
    known = unchanged(request, current)
    if known is not None:
        return known
    make = partial(service.pool.run, ALL_SECONDS, jobs.all_pictures, experiment_id, theme)
    found = await service.answers.get(current, make, turn=experiment_id)
    named = f'attachment; filename="experiment-{experiment_id}-pictures.zip"'
    return Response(found.body, media_type=ZIP, headers={"ETag": tag(found.version), "Content-Disposition": named})


@router.get(
    "/experiments/{experiment_id}/plots/{name}.{extension}",
    response_model=PlotDataOut,
    responses={200: {"content": {MEDIA[picture]: {} for picture in ("png", "svg")}}, **REVALIDATED},
)
async def get_plot(
    experiment_id: Id,
    name: str,
    extension: Literal["png", "svg", "json"],
    options: Annotated[Options, Query()],
    service: ServiceDep,
    request: Request,
) -> Response:
    """Return a picture as PNG or SVG, or its data as JSON."""
    entry, asked = _entry(name, options), options.model_copy(update={"version": None})

    def headers_of(version: str) -> dict[str, str]:
        fixed = NEVER_CHANGES if options.version == _shown(version) else {}
        return {"ETag": etag(version, entry.name, extension, asked)} | fixed

    version = await service.versions.get(experiment_id)
    current = headers_of(version)["ETag"]
    answer = unchanged(request, current)
    if answer is None:
        found = service.answers.named(current) or await _make(service, experiment_id, entry, extension, asked, current)
        version = found.version or version
        answer = Response(found.body, media_type=MEDIA[extension])
        if extension == "svg":
            answer.headers["Content-Security-Policy"] = SVG
    answer.headers.update(headers_of(version))
    return answer


def _shown(version: str) -> str:
    """Return the version of the pictures of an experiment's version, as this release of the service draws them."""
    return etag(version, release("initlab")).strip('"')


async def _make(
    service: Service,
    experiment_id: int,
    entry: Entry,
    extension: Literal["png", "svg", "json"],
    options: Options,
    tag: str,
) -> Answer:
    """Gather a picture's data, and draw them where nobody has yet: many versions of an experiment have the same."""
    own, run = entry.parameters(), partial(service.pool.run, SECONDS)
    gather = partial(run, jobs.data_of_plot, experiment_id, entry.name, own, options.arm, options.log)
    data = await service.answers.get(f"{tag} data", gather)
    if extension == "json":
        return data
    look = Look(options.theme, options.width, options.height, options.dpi)
    draw = partial(run, jobs.draw_plot, entry.name, own, data.body, extension, look)
    drawn = await service.answers.get(etag(data.body, entry.name, extension, look), draw, name=tag)
    return Answer(data.version, drawn.body)


def _entry(name: str, options: Options) -> Entry:
    """Return the plot with its own options; raises `NotFound`, and `InvalidSpec` for an option that it lacks."""
    schema = plots[name]
    given = {name: value for name in OWN if (value := getattr(options, name)) is not None}
    for option in given:
        if option not in schema.model_fields:
            having = ", ".join(other for other in plots if option in plots[other].model_fields)
            raise InvalidSpec([Problem(option, f"{name} has no such option; it is one of {having}")])
    try:
        return schema.model_validate(given)
    except ValidationError as error:
        raise invalid(error, schema) from None
