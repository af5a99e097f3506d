"""Read-only links to one experiment."""

import time
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Path, Request, Response

from api import links
from api.bodies import body_of, json_body, read_body
from api.callers import Caller
from api.deps import CallerDep, ExperimentToRead, Service, ServiceDep
from api.identity import KEY_DIGITS
from api.keys import stored
from api.link_schemas import LinkOut, LinkSpec
from core.errors import Conflict, NotFound
from core.store import Experiment

router = APIRouter(prefix="/experiments/{experiment_id}/links", tags=["experiments"])


@router.post("", status_code=201, openapi_extra=body_of(LinkSpec))
async def create_link(
    one: ExperimentToRead, request: Request, service: ServiceDep, caller: CallerDep, response: Response
) -> LinkOut:
    """Make a link that opens this experiment to whoever has it: its page and all downloads but weights, to read.

    It ends after so many `hours`, with its maker's key, with its maker's sight of the project, and with the experiment.
    For those who may change the experiment; 409 where nobody needs a key.
    """
    asked = read_body(await json_body(request), LinkSpec)
    if caller.id is None:
        raise Conflict("this service asks nobody for a key: the page's own address opens it on this machine")
    _check(caller, one)
    key = None if (found := service.keys.get(caller.id)) is None else found.digest[:KEY_DIGITS]
    token, link = links.make(service.sessions, (one.id, one.project), caller.id, asked.hours, key, caller.groups)
    base = service.settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    response.headers["Cache-Control"] = "no-store"
    return LinkOut(
        id=link.id,
        experiment_id=one.id,
        url=f"{base}/#/shared/{token}",
        token=token,
        expires_at=link.expires_at,
    )


@router.delete("/{link_id}", status_code=204)
async def delete_link(
    one: ExperimentToRead, link_id: Annotated[str, Path(max_length=64)], service: ServiceDep, caller: CallerDep
) -> None:
    """End a link, as its `id` names it, before it expires. Ending one that has ended changes nothing."""
    _check(caller, one)
    if not links.ID.fullmatch(link_id):
        raise NotFound(f"no link is called {link_id!r}: give the `id` that it was made with")
    await run_sync(_end, service, link_id)
    await service.keys.refresh(at_once=True)


def _check(caller: Caller, one: Experiment) -> None:
    caller.check_may_change(f"experiment {one.id}", one.owner, one.project)


def _end(service: Service, link_id: str) -> None:
    with service.database.transaction() as session:
        stored.end_session(session, link_id, time.time() + links.MOST_HOURS * 3600)
