"""The workers, and the queue that they work on."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.deps import CallerDep, Reading, Writing
from api.keys import Scope
from api.responses import REVALIDATED, revalidated
from api.worker_schemas import QueueOut, WorkerList, WorkerOut
from core.errors import Forbidden, NotFound
from core.experiments import requests
from core.experiments.queries.statistics import queue_stats
from core.experiments.queries.workers import workers_now

router = APIRouter(prefix="/workers", tags=["workers"])


@router.get("", response_model=WorkerList, responses=REVALIDATED)
def list_workers(session: Reading, caller: CallerDep, request: Request) -> Response:
    """Return the training processes seen in the last minute, what they train that the caller sees, and what waits."""
    items = [WorkerOut.of(worker) for worker in workers_now(session, caller.hidden)]
    stats = queue_stats(session)
    queue = QueueOut(experiments=dict(stats.experiments), cohorts=dict(stats.cohorts), waited_seconds=stats.waited)
    return revalidated(request, WorkerList(items=items, queue=queue))


@router.post("/{name}/drain", status_code=202)
def drain_worker(name: Annotated[str, Path(max_length=200)], session: Writing, caller: CallerDep) -> WorkerOut:
    """Ask a training process to leave, for admins: it gives back what it trains, takes nothing more, and ends.

    Others go on from the checkpoint that it leaves, and no update is trained twice. Asking again changes nothing.
    """
    if caller.scope < Scope.ADMIN:
        raise Forbidden("only admins may drain a worker")
    requests.drain_worker(session, name)
    found = next((one for one in workers_now(session, caller.hidden) if one.name == name), None)
    if found is None:
        raise NotFound(f"there is no worker {name!r} any more")
    return WorkerOut.of(found)
