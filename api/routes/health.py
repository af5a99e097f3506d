"""The health of the service: liveness and readiness."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.exc import SQLAlchemyError

from api.answers import LivenessOut, ReadinessOut
from api.deps import Leaving, ServiceDep
from core.experiments.cohorts.heartbeat import workers_alive
from core.queue import broker_error
from core.store import revision

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=LivenessOut)
async def get_liveness() -> dict[str, str]:  # by the event loop itself: no thread is waited for
    """Answer that the process is alive."""
    return {"status": "alive"}


@router.get("/readyz", response_model=ReadinessOut, responses={503: {"model": ReadinessOut}})
def get_readiness(service: ServiceDep, leaving: Leaving, response: Response) -> dict[str, Any]:
    """Answer 200 `ready`, or `degraded` while work is accepted but waits.

    503 `down` when nothing can be stored, and `leaving` when this process is about to end: send no more here.
    """
    if leaving.is_set():
        response.status_code = 503
        response.headers["Retry-After"] = "1"
        return {"status": "leaving", "workers": 0, "checks": {}}
    checks: dict[str, str] = {}
    workers = 0
    try:
        with service.database.reading() as session:
            found, needed = revision(session.connection())
            checks["database"] = "ok" if found == needed else f"at revision {found}, this code needs {needed}"
            workers = workers_alive(session) if found == needed else 0
    except SQLAlchemyError as error:
        checks["database"] = f"cannot be reached: {type(error).__name__}"
    broker = broker_error(service.broker)
    checks["broker"] = "ok" if broker is None else f"cannot be reached: {broker}"
    checks["files"] = service.files.state()
    checks["workers"] = "ok" if workers else "none has given a sign of life"
    down = checks["database"] != "ok"
    if down:
        response.status_code = 503
        response.headers["Retry-After"] = "1"
    status = "down" if down else "ready" if all(text == "ok" for text in checks.values()) else "degraded"
    return {"status": status, "workers": workers, "checks": checks}
