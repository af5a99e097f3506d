"""The report."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from api.answers import etag, plain, preferred, unchanged
from api.deps import ExperimentToRead, Reading, ServiceDep
from api.schemas import ProblemOut
from core.analysis import markdown, report
from core.experiments import read

router = APIRouter(tags=["results"], responses={"default": {"model": ProblemOut, "description": "Problem"}})

MARKDOWN = "text/markdown"


@router.get("/experiments/{experiment_id}/report")
def show(
    one: ExperimentToRead,
    session: Reading,
    service: ServiceDep,
    request: Request,
    metric: Annotated[
        Literal["valid_accuracy", "valid_loss", "valid_r2", "train_accuracy", "train_loss", "train_r2"] | None,
        Query(description="the outcome judged; default valid_accuracy, in regression valid_loss"),
    ] = None,
    format: Annotated[  # noqa: A002 the query parameter's name
        Literal["json", "md"] | None, Query(description="json or md; else by Accept")
    ] = None,
) -> Response:
    """What the data supports: per arm the interval, paired comparisons, the verdict. JSON, or Markdown by `Accept`."""
    media = {"json": "application/json", "md": MARKDOWN}.get(
        format or "", preferred(request, ["application/json", MARKDOWN])
    )
    tag = etag(read.version(session, one.id), metric or "", media)
    answer = unchanged(request, tag)
    if answer is None:
        results = read.results(session, one, service.sources)
        found = report(results, metric)
        if media == MARKDOWN:
            text = markdown(found, results.spec)
            answer = Response(text, media_type=f"{MARKDOWN}; charset=utf-8", headers={"ETag": tag, "Vary": "Accept"})
        else:
            answer = plain(found, tag)
            answer.headers["Vary"] = "Accept"
    return answer
