"""Experiments: post, list, show, cancel, pause, retry, delete; and their history."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import AwareDatetime
from sqlalchemy.orm import Session

from api import jobs, posting_jobs
from api.bodies import body_of, json_body
from api.deps import (
    ME,
    CallerDep,
    ExperimentToRead,
    ExperimentToWrite,
    Owner,
    PostedTo,
    Reading,
    Service,
    ServiceDep,
    StatusName,
    Writing,
)
from api.experiment_etag import etag_of
from api.history_schemas import EventList, EventOut
from api.preview_schemas import PreviewOut
from api.responses import REVALIDATED, revalidated, unchanged
from api.schemas import ExperimentList, ExperimentOut
from core.experiments import requests
from core.experiments.cohorts.events import events
from core.experiments.projects import DEFAULT
from core.experiments.queries.lists import CURSOR, Filters, Sort, experiments
from core.experiments.queries.progress import progress_by_id, progress_of
from core.external import ExternalSpec
from core.failpoints import reached
from core.spec import Spec
from core.store import after_commit

router = APIRouter(prefix="/experiments", tags=["experiments"])

Moment = Annotated[AwareDatetime | None, Query(description="a moment, with its offset from UTC")]

SECONDS, TIMES = 30.0, 3
"""For the checks of a spec, and its plan: these, or so many times those that the checks may be estimated at."""


@router.post("", status_code=202, openapi_extra=body_of(Spec, ExternalSpec), response_model=ExperimentOut)
async def create_experiment(
    request: Request,
    service: ServiceDep,
    caller: CallerDep,
    project: PostedTo,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> Response:
    """Accept an experiment: its runs are queued when the answer comes. Those of an external one wait for their points.

    The same `Idempotency-Key` makes one only, for 24 hours; after them it makes another.
    429 while as many runs as this API key may have are queued or running; 403 where its quota or the project's is used
    up, and for who is no member of the project.
    """
    key = None if idempotency_key is None else f"{caller.id or ''}:{idempotency_key}"
    body = await json_body(request)
    sender = posting_jobs.Sender(caller.id, project, caller.hidden, key, service.limits(caller.id))
    posted = await service.pool.run(_seconds(service), posting_jobs.post, body, service.profile, sender)
    _send(service, posted.wake_ups)
    headers = {"Location": f"/experiments/{posted.id}"}
    return Response(posted.body, 202, headers, media_type="application/json")


def _seconds(service: Service) -> float:
    return max(SECONDS, TIMES * service.settings.check_seconds)


@router.post("/preview", openapi_extra=body_of(Spec, ExternalSpec), response_model=PreviewOut)
async def preview_experiment(
    request: Request,
    service: ServiceDep,
    caller: CallerDep,
    project: Annotated[str, Query(max_length=40, description="the project that a post would go to")] = DEFAULT,
) -> Response:
    """Preview a post of this spec: its runs, its steps, and the time and memory that its training would take.

    The checks are those of a post, and nothing is stored; how many runs wait already is not looked at.
    """
    body = await json_body(request)
    seen = service.limits(caller.id), caller.hidden, project
    found = await service.pool.run(_seconds(service), jobs.preview, body, service.profile, *seen)
    return Response(found, media_type="application/json")


@router.get("", response_model=ExperimentList, responses=REVALIDATED)
def list_experiments(
    session: Reading,
    request: Request,
    caller: CallerDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(pattern=CURSOR, description="`next` of the page before")] = None,
    status: Annotated[list[StatusName], Query(description="any of these, repeated; none: all")] = [],  # noqa: B006 FastAPI copies it
    tag: Annotated[list[str], Query(description="all of these, repeated")] = [],  # noqa: B006
    name: Annotated[str | None, Query(description="a part of the name")] = None,
    owner: Annotated[str | None, Query(description="the id of who posted it; `me`: oneself")] = None,
    project: str | None = None,
    created_after: Moment = None,
    created_before: Moment = None,
    sort: Annotated[
        Sort | None, Query(description="which come first; by default one's own for who has a key, then the newest")
    ] = None,
    reverse: Annotated[bool, Query(description="the other way round")] = False,
    mine_first: Annotated[
        bool | None, Query(description="one's own before all others; by default without `sort`")
    ] = None,
) -> Response:
    """Return a page of the experiments; `total` counts those on all pages.

    `sort` by `newest` or `oldest` post, by `name`, by the end (`finished`, the last one first and what has not ended at
    the end), or by the part of the updates that is done (`progress`, the most first).
    """
    own = caller.id if (sort is None if mine_first is None else mine_first) else None
    filters = Filters(
        status=status,
        tags=tag,
        name=name,
        owner=caller.id if owner == ME else owner,
        project=project,
        hidden=caller.hidden,
        created_after=None if created_after is None else created_after.timestamp(),
        created_before=None if created_before is None else created_before.timestamp(),
    )
    page = experiments(session, filters, limit=limit, cursor=cursor, sort=sort or "newest", reverse=reverse, first=own)
    progress = progress_by_id(session, page.items)
    items = [ExperimentOut.of(one, progress[one.id]) for one in page.items]
    return revalidated(request, ExperimentList(items=items, next=page.following, total=page.total))


@router.get("/{experiment_id}", response_model=ExperimentOut, responses=REVALIDATED)
def get_experiment(
    one: ExperimentToRead, session: Reading, request: Request, response: Response
) -> ExperimentOut | Response:
    """Return one experiment with its progress. Its `ETag` is what a PATCH takes as `If-Match`."""
    progress = progress_of(session, one)
    response.headers["ETag"] = tag = etag_of(session, one, progress)
    return unchanged(request, tag) or ExperimentOut.of(one, progress)


@router.post("/{experiment_id}/cancel", status_code=202)
def cancel_experiment(one: ExperimentToWrite, session: Writing, owner: Owner) -> ExperimentOut:
    """Stop it and keep what was measured. Asking again, or too late, changes nothing."""
    requests.cancel(session, one, owner)
    return ExperimentOut.of(one, progress_of(session, one))


@router.post("/{experiment_id}/pause", status_code=202)
def pause_experiment(one: ExperimentToWrite, session: Writing, owner: Owner) -> ExperimentOut:
    """Pause it where it is; 409 where it has ended, or is trained elsewhere.

    Its workers keep a checkpoint and give it back.
    """
    requests.pause(session, one, owner)
    return ExperimentOut.of(one, progress_of(session, one))


@router.post("/{experiment_id}/resume", status_code=202)
def resume_experiment(one: ExperimentToWrite, session: Writing, service: ServiceDep, owner: Owner) -> ExperimentOut:
    """Go on after a pause, from the same update; without one nothing changes."""
    _notify(session, service, requests.resume(session, one, owner))
    return ExperimentOut.of(one, progress_of(session, one))


@router.post("/{experiment_id}/retry", status_code=202)
def retry_experiment(one: ExperimentToWrite, session: Writing, service: ServiceDep, owner: Owner) -> ExperimentOut:
    """Run again what failed, and only that; 409 where nothing did, 429 as for a post.

    An external run waits for its first point again: those that it had are gone.
    """
    _notify(session, service, requests.retry(session, one, service.limits(one.owner), owner))
    return ExperimentOut.of(one, progress_of(session, one))


@router.get("/{experiment_id}/history", response_model=EventList, responses=REVALIDATED)
def get_experiment_history(
    one: ExperimentToRead,
    session: Reading,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: Annotated[int, Query(ge=0, lt=2**63, description="`next` of the page before")] = 0,
) -> Response:
    """Return what happened to it and why, the oldest first."""
    found = events(session, one.id, cursor, limit + 1)
    items = [EventOut.of(event) for event in found[:limit]]
    return revalidated(request, EventList(items=items, next=items[-1].id if len(found) > limit else None))


@router.delete("/{experiment_id}", status_code=204)
def delete_experiment(one: ExperimentToWrite, session: Writing) -> None:
    """Remove a finished experiment and all that it measured; 409 while it is not finished."""
    requests.delete(session, one)


def _notify(session: Session, service: Service, notifications: Mapping[str, int]) -> None:
    """Notify the workers once the commit is durable; the sweeper notifies again where a task is lost."""

    if notifications:
        after_commit(session, partial(_send, service, notifications))


def _send(service: Service, notifications: Mapping[str, int]) -> None:
    reached("submit.committed")
    for queue, times in notifications.items():
        service.dispatcher.notify(queue, times)
