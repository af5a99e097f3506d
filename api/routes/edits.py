"""Experiments edited, and many cancelled or deleted at once."""

import time
from collections.abc import Callable
from functools import partial
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Query, Request, Response
from sqlalchemy.orm import Session

from api.bodies import body_of, json_body, read_body
from api.callers import Caller
from api.deps import CallerDep, Id, Service, ServiceDep, StatusName, experiment_to_write
from api.edit_schemas import BulkOut, RefusedOut
from api.experiment_etag import etag_of, expected
from api.schemas import ExperimentOut
from core.errors import Conflict, Forbidden, NotFound
from core.experiments import requests
from core.experiments.cohorts.states import TERMINAL
from core.experiments.queries.lists import Filters, matching
from core.experiments.queries.progress import progress_of
from core.experiments.requests import ExperimentEdit
from core.store import Experiment

router = APIRouter(prefix="/experiments", tags=["experiments"])

MOST = 200
"""Experiments that one call looks at: each is changed in a transaction of its own, so that nobody waits for all."""
SECONDS = 10.0
"""After which a call ends with what it has done; a large experiment takes a while to delete."""

Tags = Annotated[list[str], Query(min_length=1, description="experiments with all of these tags, repeated")]
Statuses = Annotated[list[StatusName], Query(description="of those in any of these states, repeated; none: all")]
Cursor = Annotated[int, Query(ge=0, lt=2**63, description="`next` of the page before")]
Change = Callable[[Session, Experiment], None]


@router.patch("/{experiment_id}", openapi_extra=body_of(ExperimentEdit))
async def edit_experiment(
    experiment_id: Id,
    request: Request,
    service: ServiceDep,
    caller: CallerDep,
    response: Response,
    if_match: Annotated[str | None, Header(description="an `ETag` of the experiment, or several")] = None,
) -> ExperimentOut:
    """Change its name, tags or notes; what is left out stays as it is, and so does the spec. The history has each edit.

    With `If-Match` 412 where name, tags or notes have changed since the answer with that `ETag`; how far the training
    is does not count.
    """
    await run_sync(_check, service, experiment_id, caller)
    body = await json_body(request)
    edited, response.headers["ETag"] = await run_sync(
        partial(_edit, service, experiment_id, caller, body, expected(if_match))
    )
    return edited


def _check(service: Service, experiment_id: int, caller: Caller) -> None:
    """Raise `NotFound` and `Forbidden` before the body is looked at."""
    with service.database.reading() as session:
        experiment_to_write(experiment_id, session, caller)


def _edit(
    service: Service, experiment_id: int, caller: Caller, body: bytes, descriptions: list[str] | None
) -> tuple[ExperimentOut, str]:
    change = read_body(body, ExperimentEdit)
    with service.database.transaction() as session:
        one = experiment_to_write(experiment_id, session, caller)
        requests.edit(session, one, change, caller.id, descriptions)
        progress = progress_of(session, one)
        return ExperimentOut.of(one, progress), etag_of(session, one, progress)


@router.post("/cancel")
def cancel_experiments(
    tag: Tags,
    service: ServiceDep,
    caller: CallerDep,
    status: Statuses = [],  # noqa: B006 FastAPI copies it
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
    cursor: Cursor = 0,
) -> BulkOut:
    """Cancel the experiments with a tag, a page of them: which were, and of the others why not.

    Each is cancelled or refused by itself, as by its own call: what has ended, and what is another's, stays as it is.
    """

    def change(session: Session, one: Experiment) -> None:
        if one.status in TERMINAL:
            raise Conflict(f"experiment {one.id} is {one.status}: there is nothing to cancel")
        requests.cancel(session, one, caller.id)

    return _each(
        service, caller, Filters(tags=tag, status=status, hidden=caller.hidden), change, limit=limit, cursor=cursor
    )


@router.delete("")
def delete_experiments(
    tag: Tags,
    service: ServiceDep,
    caller: CallerDep,
    status: Statuses = [],  # noqa: B006 FastAPI copies it
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
    cursor: Cursor = 0,
) -> BulkOut:
    """Delete the experiments with a tag, a page of them, with all that they measured: which were, and why others not.

    Each is deleted or refused by itself, as by its own call: what has not ended, and what is another's, stays as it is.
    """
    filters = Filters(tags=tag, status=status, hidden=caller.hidden)
    return _each(service, caller, filters, requests.delete, limit=limit, cursor=cursor)


def _each(service: Service, caller: Caller, filters: Filters, change: Change, *, limit: int, cursor: int) -> BulkOut:
    with service.database.reading() as session:
        ids = matching(session, filters, after=cursor, limit=limit + 1)
    until = time.monotonic() + SECONDS
    done: list[int] = []
    refused: list[RefusedOut] = []
    looked_at = 0
    for one in ids[:limit]:
        try:
            with service.database.transaction() as session:
                change(session, experiment_to_write(one, session, caller))
            done.append(one)
        except (Forbidden, Conflict) as error:
            refused.append(RefusedOut.model_validate({"id": one, "status": error.status, "reason": error.detail}))
        except NotFound:
            pass  # deleted meanwhile: there is nothing to tell of
        looked_at += 1
        if time.monotonic() > until:
            break
    return BulkOut(done=done, refused=refused, next=ids[looked_at - 1] if looked_at < len(ids) else None)
