"""A route that declares more arms, seeds and metrics of an external experiment, after its post."""

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response

from api.bodies import body_of, json_body, read_body
from api.callers import Caller
from api.deps import CallerDep, Id, Service, ServiceDep, experiment_to_write
from api.experiment_etag import etag_of
from api.schemas import ExperimentOut
from core.experiments import requests
from core.experiments.queries.progress import progress_of
from core.external import Growth

router = APIRouter(prefix="/experiments", tags=["external"])


@router.post("/{experiment_id}/declare", openapi_extra=body_of(Growth))
async def declare_more(
    experiment_id: Id, request: Request, service: ServiceDep, caller: CallerDep, response: Response
) -> ExperimentOut:
    """Declare more arms, seeds and metrics of an external experiment. What it has already changes nothing.

    So all of them may be declared each time, and the same again is the same. Each new arm gets a run of every seed, and
    each new seed one of every arm, which wait for their points: an experiment that had ended is running again. Runs
    that have ended take the points of new metrics, and of no others. Seeds that come after results could be seen are
    warned of. 409 for an experiment that is trained here, was cancelled or is fed by MLflow's clients; for another
    direction or config of what is there; for new arms and seeds where seeds are adaptive, or where a study has given
    its level and runs have begun. 403 and 429 as for a post.
    """
    await run_sync(_check, service, experiment_id, caller)
    body = await json_body(request)
    grown, response.headers["ETag"] = await run_sync(_grow, service, experiment_id, caller, body)
    return grown


def _check(service: Service, experiment_id: int, caller: Caller) -> None:
    """Raise `NotFound` and `Forbidden` before the body is looked at."""
    with service.database.reading() as session:
        experiment_to_write(experiment_id, session, caller)


def _grow(service: Service, experiment_id: int, caller: Caller, body: bytes) -> tuple[ExperimentOut, str]:
    growth = read_body(body, Growth)
    with service.database.transaction() as session:
        one = experiment_to_write(experiment_id, session, caller)
        requests.grow(session, one, growth, service.limits(one.owner), caller.id)
        progress = progress_of(session, one)
        return ExperimentOut.of(one, progress), etag_of(session, one, progress)
