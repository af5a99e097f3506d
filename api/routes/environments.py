"""The environments that an experiment was trained in."""

from fastapi import APIRouter, Request, Response

from api.deps import ExperimentToRead, Reading
from api.environment_schemas import EnvironmentList
from api.responses import REVALIDATED, revalidated
from core.experiments.cohorts.environments import trained_in

router = APIRouter(tags=["experiments"])


@router.get("/experiments/{experiment_id}/environments", response_model=EnvironmentList, responses=REVALIDATED)
def list_environments(one: ExperimentToRead, session: Reading, request: Request) -> Response:
    """Return the environments of its attempts, each once: packages, commit, machine, threads, settings that matter."""
    return revalidated(request, EnvironmentList.of(trained_in(session, one.id)))
