"""The events of an experiment while it runs, as server-sent events."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic import Field
from starlette.responses import Response

from api.deps import Chosen, Id, ServiceDep
from api.listener_groups import Listener
from core.errors import InvalidSpec
from core.experiments.queries.cursor import Choice

router = APIRouter(tags=["experiments"])
RETRY = 1000
"""Milliseconds after which a browser connects again."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Heard(Chosen):
    """The query parameters that choose what is heard of an experiment."""

    after: str | None = Field(None, description="as `Last-Event-ID`, which browsers cannot send with a first request")


@router.get(
    "/experiments/{experiment_id}/events",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "Events"},
        204: {"description": "`Last-Event-ID` was the end, and nothing has happened since"},
    },
)
async def stream_events(
    experiment_id: Id,
    wanted: Annotated[Heard, Query()],
    service: ServiceDep,
    last_event_id: Annotated[str | None, Header(description="the `id` of the last event, of the same choice")] = None,
) -> Response:
    """Stream the experiment as server-sent events that end with it.

    - `state`: `{"status", "paused", "cancelling", "attempt"}`, at once and whenever it changes; an end comes last.
    - `progress`: as the experiment has it.
    - `metric`: `{"run_id", "arm", "seed", "metric", "unit", "attempt", "first", "every", "values"}`: the points at
      step, or epoch, `first`, `first + every`, ...; `every` is 1 but for diagnostics. Null: a value that is not finite.
      What was measured elsewhere may have `steps` instead, not evenly spaced, and its `attempt` counts posts.
    - `look`: a look at adaptive seeds, as of the experiment's `looks`.
    - `rewind`: `{"runs", "attempt", "step", "epoch"}`: those runs' points at that update and later, by epoch at that
      epoch and later, are void and will come again: their training goes on from a checkpoint.

    Applied in order they make what `/metrics` gives. With `Last-Event-ID`, or `after`, they go on after that event,
    whichever process answers: nothing is left out, nothing comes twice. An id of another experiment, or of other query
    parameters, is refused with 422.
    """
    choice = Choice(tuple(wanted.metric), wanted.arm, wanted.seed, wanted.diagnostics)
    try:
        listener = service.listeners.add(experiment_id, choice, last_event_id or wanted.after or None)
    except InvalidSpec as refused:
        by = "Last-Event-ID" if last_event_id else "after"
        raise InvalidSpec([problem._replace(path=by) for problem in refused.problems]) from None
    if not await listener.begin():
        return Response(status_code=204)  # what tells a browser not to connect again
    return EventSourceResponse(_events(listener), headers=HEADERS)


async def _events(listener: Listener) -> AsyncIterator[bytes]:
    """Yield events until the experiment ends or is deleted, or this process leaves."""
    yield format_sse_event(retry=RETRY)
    while (events := await listener.events()) is not None:
        yield events
