"""The client's stream of events over connections that break, and what its parser takes."""

import json
from typing import Any

import pytest

from initlab import ApiError, Client, Event, Unreachable
from initlab.events import parse

RUNNING = {"status": "running", "paused": False, "cancelling": False, "attempt": 1}
ENDED = RUNNING | {"status": "succeeded"}


def _written(kind: str, event_id: str, data: dict[str, Any]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data)}\nid: {event_id}\n\n".encode()


def test_events_go_on_over_connections_until_the_end(server: Any, experiment: dict[str, Any]) -> None:
    """One that breaks off in mid event, one that is cut, a server that is busy: nothing is lost, nothing twice."""
    server.answer(200, experiment | {"status": "running"})
    server.answer(200, b"retry: 1000\n\n" + _written("state", "1", RUNNING) + _written("metric", "2", {"a": 1})[:-1])
    server.cut()
    server.answer(503, {"title": "Service unavailable"})
    server.answer(200, b": ping\n\n" + _written("metric", "2", {"a": 1}) + _written("state", "3", ENDED))
    found = list(Client().experiment(7).events(["lr", "train_loss"], arm="a/b", seed=0))
    assert found == [Event("1", "state", RUNNING), Event("2", "metric", {"a": 1}), Event("3", "state", ENDED)]
    asked = server.asked[1:]
    assert {one.path for one in asked} == {"/experiments/7/events?metric=lr&metric=train_loss&arm=a%2Fb&seed=0"}
    assert [one.headers.get("Last-Event-ID") for one in asked] == [None, "1", "1", "1"]


def test_a_program_goes_on_where_it_was(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment)
    server.answer(204)
    assert list(Client().experiment(7).events(last_event_id="1-ab-2-")) == []
    assert server.asked[1].headers["Last-Event-ID"] == "1-ab-2-"


def test_what_the_server_refuses_is_raised(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment)
    server.answer(404, {"title": "Not found", "detail": "there is no experiment 7"})
    with pytest.raises(ApiError, match="there is no experiment 7"):
        next(Client().experiment(7).events())


def test_patience_ends_with_a_server_that_has_nothing_to_say(
    server: Any, experiment: dict[str, Any], clock: Any
) -> None:
    server.answer(200, experiment)
    server.answer(200, b"retry: 1000\n\n")
    with pytest.raises(Unreachable, match="again and again"):
        next(Client(patience=0.5).experiment(7).events())
    assert clock.monotonic() <= 0.5
    assert len(server.asked) > 2


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["event: state", "data: {}", "id: 1", ""], [Event("1", "state", {})]),
        (["id:1", "event:state", "data:{", "data: }", ""], [Event("1", "state", {})]),
        (["event: state", "data: {}", "id: 1"], []),
        ([": ping", "", "retry: 5", "", "event: state", "", "id: 1", ""], []),
        (["data: {}", "", "event: state", "data: {}", ""], []),
    ],
)
def test_the_lines_of_a_stream(lines: list[str], found: list[Event]) -> None:
    assert list(parse(lines)) == found
