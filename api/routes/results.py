"""The report."""

from functools import partial
from importlib.metadata import version as release
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response

from api import judging_jobs
from api.deps import Id, ServiceDep
from api.policies import REPORT, REPORT_IN_ONE
from api.responses import REVALIDATED, etag, preferred, unchanged
from core.analysis.shapes import Report
from core.errors import InvalidSpec, Problem
from core.experiments.queries.reports import code

router = APIRouter(tags=["results"])

JSON: Final = "application/json"
MARKDOWN: Final = "text/markdown"
HTML: Final = "text/html"
MEDIA: dict[str, judging_jobs.Media] = {"json": JSON, "md": MARKDOWN, "html": HTML}
SECONDS = 120.0
"""For one report."""
_DRAWN_BY = release("initlab")


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
    margin: Annotated[
        float | None,
        Query(
            gt=0,
            le=1e12,
            allow_inf_nan=False,
            description="the largest difference that does not matter, in the outcome's unit; default the spec's",
        ),
    ] = None,
    alpha: Annotated[
        float | None,
        Query(
            gt=0,
            le=0.5,
            description="the chance of a false win that the verdict allows; default the spec's. Chosen after the "
            "results were seen, it bounds nothing",
        ),
    ] = None,
    format: Annotated[  # noqa: A002 the query parameter's name
        Literal["json", "md", "html"] | None, Query(description="json, md or html; else by Accept")
    ] = None,
    pictures: Annotated[
        Literal["linked", "inline"],
        Query(description="of a page: linked beside it, or inside of it, so that it can be saved as one file"),
    ] = "linked",
) -> Response:
    """Return the report: outcomes with intervals, paired comparisons, the verdict. JSON, Markdown or HTML."""
    media = MEDIA[format] if format else preferred(request, [*MEDIA.values()])

    inline = pictures == "inline"
    if inline and media != HTML:
        raise InvalidSpec([Problem("pictures", "only a page has pictures inside: ask for format=html")])
    by = judging_jobs.Judged(metric, margin=margin, alpha=alpha)
    asked = (*by, media, _DRAWN_BY) if inline else (*by, media)

    def tag(version: str) -> str:
        return etag(version, code(), *asked)

    current = tag(await service.versions.get(experiment_id))
    known = unchanged(request, current)
    if known is not None:
        return known
    job = (
        partial(judging_jobs.whole_page, experiment_id, by)
        if inline
        else partial(judging_jobs.report, experiment_id, by, media)
    )
    make = partial(service.pool.run, SECONDS, job)
    found = await service.answers.get(current, make, turn=experiment_id)
    headers = {"ETag": tag(found.version), "Vary": "Accept"}  # of what was read: it may have changed since
    if media == HTML:
        headers["Content-Security-Policy"] = REPORT_IN_ONE if inline else REPORT
    return Response(found.body, media_type=media, headers=headers)
