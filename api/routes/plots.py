"""Pictures of an experiment, and the data behind them."""

from typing import Any, Literal

from fastapi import APIRouter, Request, Response

from api.answers import etag, plain, unchanged
from api.deps import ExperimentToRead, Reading, ServiceDep
from api.pictures import Kept
from api.schemas import ProblemOut
from core.experiments import read
from core.plots import Plot, plots, render

router = APIRouter(tags=["plots"], responses={"default": {"model": ProblemOut, "description": "Problem"}})

MEDIA = {"png": "image/png", "svg": "image/svg+xml"}


_kept = Kept(64)


@router.get("/experiments/{experiment_id}/plots")
def index(one: ExperimentToRead) -> dict[str, Any]:
    """What can be drawn."""
    here = f"/experiments/{one.id}/plots"
    return {
        "items": [
            {
                "name": name,
                "summary": plots.describe(name)["summary"],
                "links": {extension: f"{here}/{name}.{extension}" for extension in ("png", "svg", "json")},
            }
            for name in plots
        ]
    }


@router.get(
    "/experiments/{experiment_id}/plots/{name}.{extension}",
    responses={200: {"content": {"image/png": {}, "image/svg+xml": {}, "application/json": {}}}},
)
def show(
    one: ExperimentToRead,
    name: str,
    extension: Literal["png", "svg", "json"],
    session: Reading,
    service: ServiceDep,
    request: Request,
) -> Response:
    """A picture as PNG or SVG, or its data as JSON."""
    plot: Plot = plots[name].model_validate({}).build()
    tag = etag(read.version(session, one.id), name, extension)
    answer = unchanged(request, tag)
    if answer is not None:
        return answer
    results = read.results(session, one, service.sources)
    if extension == "json":
        return plain(plot.data(results), tag)
    picture = _kept.get((tag, extension), lambda: render(plot.draw(plot.data(results)), extension))
    return Response(picture, media_type=MEDIA[extension], headers={"ETag": tag})
