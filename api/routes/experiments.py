"""Experiments: post, list, show, cancel, pause, retry, delete; and their history."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import AwareDatetime
from sqlalchemy import select
from sqlalchemy.orm import Session

from api import jobs
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
from api.responses import REVALIDATED, revalidated, unchanged
from api.schemas import ExperimentList, ExperimentOut, PreviewOut
from core.errors import Conflict
from core.experiments import requests
from core.experiments.cohorts.events import events
from core.experiments.queries.lists import CURSOR, Filters, Sort, experiments
from core.experiments.queries.progress import progress_by_id, progress_of, progress_of_new
from core.experiments.requests import Draft
from core.failpoints import reached
from core.spec import Spec
from core.store import Experiment, after_commit

router = APIRouter(prefix="/experiments", tags=["experiments"])

Moment = Annotated[AwareDatetime | None, Query(description="a moment, with its offset from UTC")]

SECONDS, TIMES = 30.0, 3
"""For the checks of a spec, and its plan: these, or so many times those that the checks may be estimated at."""


@router.post("", status_code=202, openapi_extra=body_of(Spec))
async def create_experiment(
    request: Request,
    service: ServiceDep,
    caller: CallerDep,
    project: PostedTo,
    response: Response,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> ExperimentOut:
    """Accept an experiment: its runs are queued when the answer comes.

    The same `Idempotency-Key` makes one only, for 24 hours; after them it makes another.
    429 while as many runs as this API key may have are queued or running; 403 where its quota or the project's is used
    up, and for who is no member of the project.
    """
    key = None if idempotency_key is None else f"{caller.id or ''}:{idempotency_key}"
    given = await json_body(request), service.profile, key, project, caller.hidden
    draft = await service.pool.run(_seconds(service), jobs.draft, *given)
    made = await run_sync(partial(_store, service, draft, key, owner=caller.id, project=project))
    response.headers["Location"] = f"/experiments/{made.id}"
    return made


def _seconds(service: Service) -> float:
    return max(SECONDS, TIMES * service.settings.check_seconds)


def _store(service: Service, draft: Draft | None, key: str | None, *, owner: str | None, project: str) -> ExperimentOut:
    """Store a draft; where there is none, the experiment is there already under the key."""
    with service.database.transaction() as session:
        if draft is None:
            made = session.scalar(select(Experiment).where(Experiment.idempotency_key == key))
            if made is None:
                raise Conflict("the experiment of this Idempotency-Key was deleted meanwhile: post it again")
            return ExperimentOut.of(made, progress_of(session, made))
        limits = service.limits(owner)
        made, notifications = requests.submit(
            session, draft, service.paths, idempotency_key=key, owner=owner, project=project, limits=limits
        )
        _notify(session, service, notifications)
        return ExperimentOut.of(made, progress_of_new(made) if notifications else progress_of(session, made))


@router.post("/preview", openapi_extra=body_of(Spec), response_model=PreviewOut)
async def preview_experiment(request: Request, service: ServiceDep, caller: CallerDep) -> Response:
    """Preview a post of this spec: its runs, its steps, and the time and memory that its training would take.

    The checks are those of a post, and nothing is stored; how many runs wait already is not looked at.
    """
    body = await json_body(request)
    limits = service.limits(caller.id)
    found = await service.pool.run(_seconds(service), jobs.preview, body, service.profile, limits, caller.hidden)
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
    """Pause it where it is; 409 where it has ended. Its workers keep a checkpoint and give it back."""
    requests.pause(session, one, owner)
    return ExperimentOut.of(one, progress_of(session, one))


@router.post("/{experiment_id}/resume", status_code=202)
def resume_experiment(one: ExperimentToWrite, session: Writing, service: ServiceDep, owner: Owner) -> ExperimentOut:
    """Go on after a pause, from the same update; without one nothing changes."""
    _notify(session, service, requests.resume(session, one, owner))
    return ExperimentOut.of(one, progress_of(session, one))


@router.post("/{experiment_id}/retry", status_code=202)
def retry_experiment(one: ExperimentToWrite, session: Writing, service: ServiceDep, owner: Owner) -> ExperimentOut:
    """Run again what failed, and only that; 409 where nothing did, 429 as for a post."""
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

    def notify() -> None:
        reached("submit.committed")
        for queue, times in notifications.items():
            service.dispatcher.notify(queue, times)

    if notifications:
        after_commit(session, notify)
