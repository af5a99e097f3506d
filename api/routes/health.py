"""Whether the service is alive, and whether it can work."""

from typing import Any

from fastapi import APIRouter, Response
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.exc import DBAPIError

from api.deps import ServiceDep
from core.experiments.presence import workers_alive
from core.queue import reachable
from core.store import revision

router = APIRouter(tags=["health"])


@router.get("/healthz")
def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/readyz")
def ready(service: ServiceDep, response: Response) -> dict[str, Any]:
    """200 `ready`, or `degraded` while work is accepted but waits; 503 `down` when nothing can be stored."""
    checks: dict[str, str] = {}
    workers = 0
    try:
        with service.database.reading() as session:
            found, needed = revision(session.connection())
            checks["database"] = "ok" if found == needed else f"at revision {found}, this code needs {needed}"
            workers = workers_alive(session) if found == needed else 0
    except DBAPIError as error:
        checks["database"] = f"cannot be reached: {type(error).__name__}"
    try:
        reachable()
        checks["broker"] = "ok"
    except (BrokerError, OSError) as error:
        checks["broker"] = f"cannot be reached: {type(error).__name__}"
    checks["workers"] = "ok" if workers else "none has given a sign of life"
    down = checks["database"] != "ok"
    if down:
        response.status_code = 503
        response.headers["Retry-After"] = "1"
    status = "down" if down else "ready" if all(text == "ok" for text in checks.values()) else "degraded"
    return {"status": status, "workers": workers, "checks": checks}
