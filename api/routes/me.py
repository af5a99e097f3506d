"""The one who asks, and what it may do."""

from fastapi import APIRouter, Request, Response

from api.callers import Caller
from api.deps import CallerDep, Service, ServiceDep
from api.project_schemas import MeOut, MyLimitsOut, QuotasOut
from api.responses import REVALIDATED, revalidated
from api.sessions import BrowserSession
from core.experiments import projects
from core.experiments.projects import Amount, Quotas
from core.experiments.projects.usage import NOBODY

router = APIRouter(prefix="/me", tags=["who"])


@router.get("", response_model=MeOut, responses=REVALIDATED)
def get_me(caller: CallerDep, service: ServiceDep, request: Request) -> Response:
    """Return who asks: its scope, its roles in projects, its limits, and what it has stored beside its quotas."""
    return revalidated(request, me_of(service, caller, caller.session))


def me_of(service: Service, caller: Caller, session: BrowserSession | None) -> MeOut:
    """Return what is known of a caller. Of the maker of a link nothing is told to who comes with it."""
    if caller.link is not None:
        nothing = MyLimitsOut(unfinished_runs=0, priority=None, requests=None)
        return MeOut(
            id=None,
            scope="read",
            groups=[],
            projects=[],
            limits=nothing,
            quotas=QuotasOut.of(Quotas(), Amount()),
            session_expires_at=caller.link.expires_at,
            link=caller.link.experiment,
        )
    with service.database.reading() as reading:
        used = projects.used(reading).get(("owner", caller.id or NOBODY), Amount())
    key, limits = service.keys.get(caller.id), service.limits(caller.id)
    seen = [(name, caller.role(name)) for name in caller.projects]
    return MeOut.model_validate(
        {
            "id": caller.id,
            "scope": caller.scope.word,
            "groups": list(caller.groups),
            "projects": [{"name": name, "role": role.word} for name, role in seen if role is not None],
            "limits": {
                "unfinished_runs": limits.unfinished_runs,
                "priority": limits.priority,
                "requests": str(key.requests) if key and key.requests else None,
            },
            "quotas": QuotasOut.of(limits.quotas, used),
            "session_expires_at": session and session.expires_at,
        }
    )
