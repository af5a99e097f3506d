"""The server's events of an experiment, read to its end over as many connections as that takes."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import takewhile
from typing import Any, Literal, NamedTuple, cast

import httpx2 as httpx

from initlab.errors import Unreachable
from initlab.transport import FIRST_PAUSE, LONGEST_PAUSE, Transport

ENDS = frozenset({"succeeded", "failed", "cancelled"})


class Event(NamedTuple):
    """An event of an experiment; `events(last_event_id=id)` goes on after it."""

    id: str
    kind: Literal["state", "progress", "metric", "rewind", "look"]
    data: dict[str, Any]

    @property
    def is_end(self) -> bool:
        """True when the experiment has ended, and nothing comes after this."""
        return self.kind == "state" and self.data["status"] in ENDS


def follow(
    transport: Transport,
    path: str,
    asked: Mapping[str, Any],
    last_event_id: str | None,
    listened: Callable[[], bool] = lambda: True,
) -> Iterator[Event]:
    """Yield events until the end. A connection that is lost, or closed by the server, is made again from the last one.

    It ends too once nobody `listened` any more at the next line that comes, of which a quiet server sends some as well.
    Raises `Unreachable` when the server has been silent for the transport's patience, and `ApiError` for a refusal: 404
    once the experiment is deleted.
    """
    last, heard_at, pause = last_event_id, time.monotonic(), FIRST_PAUSE
    while True:
        headers = {"Accept": "text/event-stream"} | ({} if last is None else {"Last-Event-ID": last})
        lost: httpx.TransportError | None = None
        heard, since = False, time.monotonic()
        with transport.stream(path, asked, headers) as response:
            if response.status_code == 204:
                return
            try:
                for event in parse(takewhile(lambda _: listened(), response.iter_lines())):
                    last, heard = event.id, True
                    yield event
                    if event.is_end:
                        return
            except httpx.TransportError as error:
                lost = error
        if not listened():
            return
        now = time.monotonic()
        if heard or now - since > LONGEST_PAUSE:  # a quiet experiment has no events, but a connection that lasts
            heard_at, pause = now, FIRST_PAUSE
        if now - heard_at + pause > transport.patience:
            raise Unreachable(f"{transport.url} ended the stream of events again and again") from lost
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def parse(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the events of a `text/event-stream`. One that breaks off before its empty line is none."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line:
            if "data" in fields:
                with suppress(KeyError):  # one without a kind or an id is none of ours
                    kind = cast(Literal["state", "progress", "metric", "rewind", "look"], fields["event"])
                    yield Event(fields["id"], kind, json.loads(fields["data"]))
            fields = {}
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        fields[name] = f"{fields[name]}\n{value}" if name == "data" and name in fields else value
