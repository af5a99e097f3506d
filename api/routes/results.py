"""The report."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from api.deps import ExperimentToRead, Reading, ServiceDep
from api.responses import REVALIDATED, etag, plain, preferred, unchanged
from core.analysis import build_report, html, markdown
from core.experiments.queries import read
from core.plots import suitable

router = APIRouter(tags=["results"])

MARKDOWN, HTML = "text/markdown", "text/html"
POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
"""The page needs no scripts and nothing from elsewhere, whatever a label smuggled in."""


@router.get(
    "/experiments/{experiment_id}/report",
    responses={200: {"content": {"application/json": {}, MARKDOWN: {}, HTML: {}}}, **REVALIDATED},
)
def show(
    one: ExperimentToRead,
    session: Reading,
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
    media = {"json": "application/json", "md": MARKDOWN, "html": HTML}.get(
        format or "", preferred(request, ["application/json", MARKDOWN, HTML])
    )
    tag = etag(read.version(session, one.id), metric or "", media)
    answer = unchanged(request, tag)
    if answer is None:
        results = read.results(session, one, service.paths)
        found = build_report(results, metric)
        headers = {"ETag": tag, "Vary": "Accept"}
        if media == MARKDOWN:
            answer = Response(markdown(found, results), media_type=f"{MARKDOWN}; charset=utf-8", headers=headers)
        elif media == HTML:
            page = html(found, results, suitable(results.design))
            answer = HTMLResponse(page, headers=headers | {"Content-Security-Policy": POLICY})
        else:
            answer = plain(found, tag)
            answer.headers["Vary"] = "Accept"
    return answer
