"""Runs that are trained elsewhere: their points, their signs of life and their end."""

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from api.auth import MAX_POINTS_BODY
from api.bodies import body_of, json_body, read_body
from api.callers import Caller
from api.deps import CallerDep, Id, Service, ServiceDep
from api.external_schemas import FinishIn, HeardOut, PointsIn, ReceivedOut, columns_of
from core.errors import Forbidden
from core.experiments.queries import read
from core.experiments.requests.external import finish, heartbeat, receive
from core.store import Experiment

router = APIRouter(prefix="/runs", tags=["external"])


@router.post("/{run_id}/points", openapi_extra=body_of(PointsIn), max_body_size=MAX_POINTS_BODY)
async def post_points(run_id: Id, request: Request, service: ServiceDep, caller: CallerDep) -> ReceivedOut:
    """Store points of a run that is trained elsewhere, of many metrics at once; they are a sign of life too.

    Points have places, 0, 1, ... of each metric, without gaps: what is sent again is told from what is new. The same
    again changes nothing (`known`); other values at a place that has some are refused with 409, and so is a gap, with
    the place of the next point. 422 for a metric that was not declared. The first sign of a run begins it. Points of
    one that has failed are refused, and of one that counts as lost revive it; those of one that was cancelled are not
    kept, and the answer says `stop`.
    """
    body = await _body(request, service, run_id)
    return await run_sync(_points, service, caller, run_id, body)


@router.post("/{run_id}/heartbeat")
def post_heartbeat(run_id: Id, service: ServiceDep, caller: CallerDep) -> HeardOut:
    """Take a sign of life of a run that is trained elsewhere: without one for `silent_seconds` it counts as lost."""
    with service.database.transaction() as session:
        _owner(session, caller, run_id)
        return HeardOut.model_validate(heartbeat(session, run_id)._asdict())


@router.post("/{run_id}/finish", openapi_extra=body_of(FinishIn), max_body_size=MAX_POINTS_BODY)
async def finish_run(run_id: Id, request: Request, service: ServiceDep, caller: CallerDep) -> HeardOut:
    """End a run that is trained elsewhere, with its last points: as completed, diverged or failed.

    The last value of each metric is what the run came to. The same again changes nothing, another outcome is refused
    with 409. A run that was cancelled stays so.
    """
    body = await _body(request, service, run_id)
    return await run_sync(_finish, service, caller, run_id, body)


async def _body(request: Request, service: Service, run_id: int) -> bytes:
    """Return the body; a run that is not there is told of before a body that is none, and looked for only then."""
    try:
        return await json_body(request)
    except HTTPException:
        await run_sync(_must_be_there, service, run_id)
        raise


def _must_be_there(service: Service, run_id: int) -> None:
    with service.database.reading() as session:
        read.run(session, run_id)


def _points(service: Service, caller: Caller, run_id: int, body: bytes) -> ReceivedOut:
    columns = columns_of(read_body(body, PointsIn).points)
    with service.database.transaction() as session:
        owner = _owner(session, caller, run_id)
        found = receive(session, run_id, columns, service.quotas(owner))
    return ReceivedOut.model_validate(found._asdict())


def _finish(service: Service, caller: Caller, run_id: int, body: bytes) -> HeardOut:
    asked = read_body(body, FinishIn)
    columns = columns_of(asked.points)
    with service.database.transaction() as session:
        owner = _owner(session, caller, run_id)
        quotas = service.quotas(owner)
        found = finish(session, run_id, asked.outcome, error=asked.error, columns=columns, quotas=quotas)
    return HeardOut.model_validate(found._asdict())


def _owner(session: Session, caller: Caller, run_id: int) -> str | None:
    """Return the owner of a run's experiment; raises `Forbidden` for who may neither change it nor post beside it."""
    one: Experiment = read.experiment(session, read.run(session, run_id).experiment_id)
    try:
        caller.check_may_change(f"experiment {one.id}", one.owner, one.project)
    except Forbidden:
        caller.check_may_post(one.project)
    return one.owner
