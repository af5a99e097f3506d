"""Pictures of an experiment, and the data behind them."""

import json
from typing import Annotated, Any, Literal

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from sqlalchemy.orm import Session

from api.deps import ExperimentToRead, Id, Reading, Service, ServiceDep
from api.picture_cache import PictureCache
from api.responses import REVALIDATED, etag, plain, unchanged
from core.errors import InvalidSpec, Problem
from core.experiments.queries import read
from core.plots import Look, Plot, picture, plot_data, plots, suitable
from core.plots.loss import MOST_FIRST
from core.registry import Entry, invalid
from core.store import Experiment

router = APIRouter(tags=["plots"])

MEDIA = {"png": "image/png", "svg": "image/svg+xml", "json": "application/json"}
CACHE_BYTES = 64 * 2**20
DRAWING = CapacityLimiter(2)
"""Pictures under way: however many are asked for, the other calls keep their threads and connections."""

_cache = PictureCache(CACHE_BYTES)


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
    """The look of a picture. JSON has the data behind it: `arm`, `log` and `first` change it, the others do not."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: Annotated[int, Field(ge=100, le=4000)] | None = Field(
        None, description="pixels across; without `height` the picture keeps its proportions"
    )
    height: Annotated[int, Field(ge=100, le=4000)] | None = Field(None, description="pixels down")
    dpi: Annotated[int, Field(ge=30, le=600)] | None = Field(
        None,
        description="dots an inch, default 144: with `width` or `height` only what a PNG says of its size in print",
    )
    theme: Literal["light", "dark"] = Field("light", description="for paper, or for a dark room")
    arm: Annotated[list[Annotated[str, Field(max_length=120)]], Field(max_length=256)] = Field(
        [], description="labels of the arms to draw, repeated; none: all"
    )
    log: bool | None = Field(
        None, description="whether the axis of values is logarithmic; default: where the values ask for it"
    )
    first: First | None = Field(None, description="`loss`: so many updates, default 100, or all")


@router.get("/experiments/{experiment_id}/plots")
def index(one: ExperimentToRead, session: Reading, service: ServiceDep) -> dict[str, Any]:
    """Return the pictures that suit this experiment. Other plots of the catalogue say in theirs why they are empty."""
    here = f"/experiments/{one.id}/plots"
    return {
        "items": [
            {
                "name": name,
                "summary": summary,
                "links": {extension: f"{here}/{name}.{extension}" for extension in ("png", "svg", "json")},
            }
            for name, summary in suitable(read.design(session, one, service.paths)).items()
        ]
    }


@router.get(
    "/experiments/{experiment_id}/plots/{name}.{extension}",
    response_class=Response,
    responses={200: {"content": {media: {} for media in MEDIA.values()}}, **REVALIDATED},
)
async def show(
    experiment_id: Id,
    name: str,
    extension: Literal["png", "svg", "json"],
    options: Annotated[Options, Query()],
    service: ServiceDep,
    request: Request,
) -> Response:
    """Return a picture as PNG or SVG, or its data as JSON."""
    entry = _entry(name, options)
    tag = await run_sync(_current_tag, service, experiment_id, entry.name, extension, options)
    known = unchanged(request, tag)
    if known is not None:
        return known
    kept = _cache.named(tag)
    if kept is None:
        return await run_sync(_draw, service, experiment_id, entry, extension, options, limiter=DRAWING)
    return Response(kept, media_type=MEDIA[extension], headers={"ETag": tag})


def _entry(name: str, options: Options) -> Entry:
    """Return the plot with its own options; raises `NotFound`, and `InvalidSpec` for an option that it lacks."""
    schema = plots[name]
    given = {} if options.first is None else {"first": options.first}
    for option in given:
        if option not in schema.model_fields:
            having = ", ".join(other for other in plots if option in plots[other].model_fields)
            raise InvalidSpec([Problem(option, f"{name} has no such option; it is one of {having}")])
    try:
        return schema.model_validate(given)
    except ValidationError as error:
        raise invalid(error, schema) from None


def _current_tag(service: Service, experiment_id: int, *asked: object) -> str:
    with service.database.reading() as session:
        return _tag(session, read.experiment(session, experiment_id), *asked)


def _tag(session: Session, one: Experiment, *asked: object) -> str:
    return etag(read.version(session, one.id), *asked)


def _draw(
    service: Service, experiment_id: int, entry: Entry, extension: Literal["png", "svg", "json"], options: Options
) -> Response:
    plot: Plot = entry.build()
    with service.database.reading() as session:
        one = read.experiment(session, experiment_id)
        tag = _tag(session, one, entry.name, extension, options)  # of what is read here: it may have changed since
        data = plot_data(plot.data, read.results(session, one, service.paths), options.arm, options.log)
    if extension == "json":
        return plain(data, tag)
    look = Look(options.theme, options.width, options.height, options.dpi)
    key = etag(json.dumps(data, allow_nan=False), entry.name, extension, look)
    drawn = _cache.get(key, lambda: picture(plot.draw, data, extension, look), tag)
    return Response(drawn, media_type=MEDIA[extension], headers={"ETag": tag})
