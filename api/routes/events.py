"""The events of an experiment while it runs, as server-sent events."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Query
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.responses import Response

from api.deps import Chosen, Id, Leaving, Service, ServiceDep
from core.errors import NotFound
from core.experiments.queries.cursor import Choice
from core.experiments.queries.stream import Stream, StreamEvent

router = APIRouter(tags=["experiments"])
log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
"""Seconds between two reads of the database."""
LEAVE_SECONDS = 0.1
"""Seconds within which a stream notices that its process leaves."""
KEEPALIVE_SECONDS = 15.0
"""Seconds after which a comment says that the stream is alive: proxies close what is silent for a minute."""
RETRY = 1000
"""Milliseconds after which a browser connects again."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
READERS = CapacityLimiter(4)
"""Reads at the same time: however many clients watch, the other calls keep their threads and connections."""


@router.get(
    "/experiments/{experiment_id}/events",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "Events"},
        204: {"description": "`Last-Event-ID` was the end, and nothing has happened since"},
    },
)
async def events(
    experiment_id: Id,
    chosen: Annotated[Chosen, Query()],
    service: ServiceDep,
    leaving: Leaving,
    last_event_id: Annotated[str | None, Header(description="the `id` of the last event, of the same URL")] = None,
) -> Response:
    """Stream the experiment as server-sent events that end with it.

    - `state`: `{"status", "paused", "cancelling", "attempt"}`, at once and whenever it changes; an end comes last.
    - `progress`: as the experiment has it.
    - `metric`: `{"run_id", "arm", "seed", "metric", "unit", "attempt", "first", "every", "values"}`: the points at
      step, or epoch, `first`, `first + every`, ...; `every` is 1 but for diagnostics. Null: a value that is not finite.
    - `rewind`: `{"runs", "attempt", "step", "epoch"}`: those runs' points at that update and later, by epoch at that
      epoch and later, are void and will come again: their training goes on from a checkpoint.

    Applied in order they make what `/metrics` gives. With `Last-Event-ID` they go on after that event, whichever
    process answers: nothing is left out, nothing comes twice. An id of another experiment, or of other query
    parameters, is refused with 422.
    """
    chosen.check()
    choice = Choice(tuple(chosen.metric), chosen.arm, chosen.seed, chosen.diagnostics)
    stream = Stream(experiment_id, choice, last_event_id or None, secret=service.secret)
    if await run_sync(_in_a_session, service, stream.is_over, limiter=READERS):
        return Response(status_code=204)  # what tells a browser not to connect again
    return EventSourceResponse(_stream(service, stream, leaving.is_set), headers=HEADERS)


async def _stream(service: Service, stream: Stream, leaving: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Yield the stream until the experiment ends or is deleted, or this process leaves."""
    yield format_sse_event(retry=RETRY)
    spoke_at = time.monotonic()
    while not (stream.ended or leaving()):
        news = await _new_events(service, stream)
        if news is None:
            return
        if not news and time.monotonic() - spoke_at > KEEPALIVE_SECONDS:
            news = [KEEPALIVE_COMMENT]
        for event in news:
            yield event
            spoke_at = time.monotonic()
            if leaving():
                return
        if not (stream.ended or (news and stream.more)):
            await _pause(leaving)


async def _new_events(service: Service, stream: Stream) -> list[bytes] | None:
    """Return the new events; None once the experiment is deleted."""
    try:
        return await run_sync(_encoded, service, stream, limiter=READERS)
    except NotFound:
        return None
    except (DBAPIError, PoolTimeout) as error:  # the viewer waits here as well as it would by connecting again
        log.warning("a stream of events could not read the database: %s", error)
        return []


async def _pause(leaving: Callable[[], bool]) -> None:
    until = time.monotonic() + POLL_SECONDS
    while not leaving() and (left := until - time.monotonic()) > 0:
        await asyncio.sleep(min(LEAVE_SECONDS, left))


def _encoded(service: Service, stream: Stream) -> list[bytes]:
    sent: list[StreamEvent] = _in_a_session(service, stream.poll)
    return [format_sse_event(data_str=json.dumps(one.data, allow_nan=False), event=one.kind, id=one.id) for one in sent]


def _in_a_session(service: Service, poll: Callable[..., Any]) -> Any:
    with service.database.reading() as session:
        return poll(session)
