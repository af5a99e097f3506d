"""The report."""

from functools import partial
from typing import Annotated, Final, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response

from api import jobs
from api.deps import Id, ServiceDep
from api.policies import REPORT
from api.responses import REVALIDATED, etag, preferred, unchanged
from core.analysis.shapes import Report
from core.experiments.queries.reports import code

router = APIRouter(tags=["results"])

JSON: Final = "application/json"
MARKDOWN: Final = "text/markdown"
HTML: Final = "text/html"
MEDIA: dict[str, jobs.Media] = {"json": JSON, "md": MARKDOWN, "html": HTML}
SECONDS = 120.0
"""For one report."""


@router.get(
    "/experiments/{experiment_id}/report",
    response_model=Report,
    responses={200: {"content": {MARKDOWN: {}, HTML: {}}}, **REVALIDATED},
)
async def get_report(
    experiment_id: Id,
    service: ServiceDep,
    request: Request,
    metric: Annotated[
        str | None,
        Query(
            max_length=40,
            description="the outcome judged: any that the report's arms list; default valid_accuracy, in regression "
            "valid_loss",
        ),
    ] = None,
    format: Annotated[  # noqa: A002 the query parameter's name
        Literal["json", "md", "html"] | None, Query(description="json, md or html; else by Accept")
    ] = None,
) -> Response:
    """Return the report: outcomes with intervals, paired comparisons, the verdict. JSON, Markdown or HTML."""
    media = MEDIA[format] if format else preferred(request, [*MEDIA.values()])

    def tag(version: str) -> str:
        return etag(version, code(), metric, media)

    current = tag(await run_sync(service.version, experiment_id))
    known = unchanged(request, current)
    if known is not None:
        return known
    make = partial(service.pool.run, SECONDS, jobs.report, experiment_id, metric, media)
    found = await service.answers.get(current, make, turn=experiment_id)
    headers = {"ETag": tag(found.version), "Vary": "Accept"}  # of what was read: it may have changed since
    if media == HTML:
        headers["Content-Security-Policy"] = REPORT
    return Response(found.body, media_type=media, headers=headers)
