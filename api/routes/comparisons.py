"""Comparisons of arms that different experiments trained."""

from typing import Final

from fastapi import APIRouter, Request, Response

from api import judging_jobs
from api.answers import ComparisonReport
from api.bodies import body_of, json_body
from api.deps import CallerDep, ServiceDep
from api.responses import preferred
from core.experiments.queries.comparisons import ComparisonSpec

router = APIRouter(prefix="/comparisons", tags=["results"])

JSON: Final = "application/json"
MARKDOWN: Final = "text/markdown"
SECONDS = 120.0
"""For one comparison."""


@router.post(
    "",
    response_model=ComparisonReport,
    responses={200: {"content": {MARKDOWN: {}}}},
    openapi_extra=body_of(ComparisonSpec),
)
async def compare_arms(request: Request, service: ServiceDep, caller: CallerDep) -> Response:
    """Compare arms of experiments, each under the label `ID/arm`: a report, as JSON or Markdown by `Accept`.

    `paired` says whether runs were compared seed by seed, and `reason` why or why not: they are where data set, split
    and seeds agree, and else are taken as independent runs. Arms of different data sets, or of one data set that was
    split differently, are refused. What changed of the software between their trainings is among the `warnings`.
    Nothing is stored.
    """
    body, media = await json_body(request), preferred(request, [JSON, MARKDOWN])
    made = await service.pool.run(SECONDS, judging_jobs.comparison, body, caller.hidden, as_markdown=media == MARKDOWN)
    return Response(made, media_type=media, headers={"Vary": "Accept"})
