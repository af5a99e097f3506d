"""The workers, and the queue that they work on."""

from fastapi import APIRouter, Request, Response

from api.deps import CallerDep, Reading
from api.responses import REVALIDATED, revalidated
from api.worker_schemas import QueueOut, WorkerList, WorkerOut
from core.experiments.queries.statistics import queue_stats
from core.experiments.queries.workers import workers_now

router = APIRouter(prefix="/workers", tags=["workers"])


@router.get("", response_model=WorkerList, responses=REVALIDATED)
def list_workers(session: Reading, caller: CallerDep, request: Request) -> Response:
    """Return the training processes seen in the last minute, what they train that the caller sees, and what waits."""
    items = [WorkerOut.model_validate(vars(worker)) for worker in workers_now(session, caller.hidden)]
    stats = queue_stats(session)
    queue = QueueOut(experiments=dict(stats.experiments), cohorts=dict(stats.cohorts), waited_seconds=stats.waited)
    return revalidated(request, WorkerList(items=items, queue=queue))
