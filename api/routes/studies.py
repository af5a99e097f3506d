"""Studies: chains of experiments that share the error which their verdicts may make."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api import judging_jobs
from api.deps import CallerDep, Reading, ServiceDep
from api.responses import REVALIDATED, revalidated
from api.study_schemas import StudyList, StudyOut, StudySummary
from core.errors import NotFound
from core.experiments.projects import DEFAULT, studies

router = APIRouter(prefix="/studies", tags=["results"])

SECONDS = 120.0
"""For the verdicts of one study."""


@router.get("", response_model=StudyList, responses=REVALIDATED)
def list_studies(session: Reading, caller: CallerDep, request: Request) -> Response:
    """Return the studies of the projects that one sees, the newest first.

    A study begins with the first experiment whose spec names it.
    """
    found = studies.studies(session, caller.hidden)
    items = [StudySummary.of(one, studies.entries(session, one)) for one in found]
    return revalidated(request, StudyList(items=items))


@router.get("/{name}", response_model=StudyOut, responses=REVALIDATED)
async def get_study(
    name: Annotated[str, Path(max_length=80)],
    service: ServiceDep,
    caller: CallerDep,
    request: Request,
    project: Annotated[str, Query(max_length=40, description="the project that it belongs to")] = DEFAULT,
) -> Response:
    """Return a study: the verdicts of its experiments in the order of their posts, and the error spent and left.

    Each verdict is keep, discard or inconclusive, at the level that its experiment was given when it was posted, by
    what was known then; experiments that have ended since are decided first. Of what a study keeps, a share of at most
    `alpha` is expected to be no better than the baseline it was compared with (LORD++, an online control of the false
    discovery rate).
    """
    if project in caller.hidden:
        raise NotFound(f"there is no study {name!r} in the project {project!r}")
    return revalidated(request, await service.pool.run(SECONDS, judging_jobs.study, name, project))
