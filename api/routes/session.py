"""A browser's session: begun by who sends a key, and ended."""

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response

from api import links
from api.deps import CallerDep, Service, ServiceDep
from api.identity import KEY_DIGITS
from api.keys import stored
from api.project_schemas import MeOut
from api.routes.me import me_of
from api.sessions import COOKIE, LINK_COOKIE
from core.errors import Conflict

router = APIRouter(prefix="/session", tags=["who"])


@router.post("", status_code=201)
def create_session(caller: CallerDep, service: ServiceDep, request: Request, response: Response) -> MeOut:
    """Sign a browser in with the API key that it sends once: the answer sets a cookie, which no script can read.

    Or with the token of a link, in a key's place: until the link ends the browser may read its experiment.

    It ends with the key, with `DELETE /session`, and after some hours. What changes something is then taken from pages
    of this service alone. 409 where nobody needs a key, or who asks comes without one.
    """
    if caller.link is not None:
        links.keep(service.sessions, response, request.scope, caller.link)
        return me_of(service, caller, None)
    key = service.keys.get(caller.id)
    if caller.id is None or key is None or caller.session is not None:
        raise Conflict("a session begins with an API key: send one as Authorization: Bearer <key>")
    session = service.sessions.begin(response, request.scope, caller.id, key.digest[:KEY_DIGITS])
    return me_of(service, caller, session)


@router.delete("", status_code=204)
async def delete_session(caller: CallerDep, service: ServiceDep, request: Request) -> Response:
    """Sign the browser out: its session ends in every process, wherever else its cookie may lie."""
    response = Response(status_code=204)
    if caller.session is not None:
        await run_sync(_end, service, caller.session.id, caller.session.expires_at)
        await service.keys.refresh(at_once=True)
    for cookie in (COOKIE, LINK_COOKIE):
        service.sessions.forget(response, request.scope, cookie)
    return response


def _end(service: Service, session_id: str, expires_at: int) -> None:
    with service.database.transaction() as session:
        stored.end_session(session, session_id, expires_at)
