"""The client for programs that await makes the calls of the one that blocks."""

import asyncio
import inspect
import json
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from initlab import ApiError, AsyncClient, AsyncExperiment, Client, Experiment


def run(what: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(what)


@pytest.mark.parametrize(("sync", "awaited"), [(Client, AsyncClient), (Experiment, AsyncExperiment)])
def test_it_has_every_call_with_its_arguments_and_its_words(sync: type, awaited: type) -> None:
    names = [name for name, _ in inspect.getmembers(sync) if not name.startswith("_")]
    missing = [name for name in names if not hasattr(awaited, name)]
    assert missing == (["pauses"] if sync is Experiment else [])
    for name in set(names) - {"pauses", "wait"}:
        call, other = getattr(sync, name), getattr(awaited, name)
        if callable(call):
            assert inspect.signature(other).parameters == inspect.signature(call).parameters, name
            assert other.__doc__, name


def test_experiments_are_posted_waited_for_and_read(server: Any, experiment: dict[str, Any]) -> None:
    running = experiment | {"status": "running"}
    answers: list[Any] = [running, running, running, experiment, {"series": []}, experiment | {"paused": True}]
    for answer in answers:
        server.answer(200, answer)
    looks: list[str] = []

    async def program() -> tuple[AsyncExperiment, list[Any], bool]:
        async with AsyncClient() as client:
            made = await client.submit({"seeds": 1})
            assert (made.id, made.status, made.url) == (7, "running", f"{server.url}/#/experiments/7")
            await made.wait(lambda one: looks.append(one.status))
            series = await made.metrics("lr", max_points=10)
            return made, series, (await made.pause()).paused

    made, series, paused = run(program())
    assert looks == ["running", "running", "succeeded"]
    assert (series, paused, made.paused) == ([], True, True)
    assert server.asked[4].path == "/experiments/7/metrics?metric=lr&max_points=10"


def test_waiting_ends_at_its_timeout(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment | {"status": "running"})

    async def program() -> None:
        await (await AsyncClient().experiment(7)).wait(timeout=0.15)

    with pytest.raises(TimeoutError, match=r"running after 0\.15 s"):
        run(program())


def test_lists_are_read_page_by_page(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, {"items": [experiment], "next": "c"})
    server.answer(200, {"items": [experiment | {"id": 8}], "next": None})

    async def program() -> list[Any]:
        return [one async for one in AsyncClient().experiments(tag="a")]

    found = run(program())
    assert [(type(one), one.id) for one in found] == [(AsyncExperiment, 7), (AsyncExperiment, 8)]
    assert [one.path for one in server.asked] == ["/experiments?tag=a", "/experiments?tag=a&cursor=c"]


def test_a_refusal_is_raised_where_it_is_awaited(server: Any) -> None:
    server.answer(404, {"title": "Not found"})
    with pytest.raises(ApiError):
        run(AsyncClient().experiment(9))


def _event(id: int, kind: str, **data: Any) -> bytes:  # noqa: A002 the field's word
    return f"id: {id}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode()


def test_events_come_until_the_end(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment)
    stream = _event(1, "metric", values=[1.0]) + _event(2, "state", status="succeeded")
    server.answer(200, stream, Content_Type="text/event-stream")

    async def program() -> list[str]:
        found = await AsyncClient().experiment(7)
        return [event.id async for event in found.events("lr", last_event_id="0")]

    assert run(program()) == ["1", "2"]
    assert server.asked[1].path == "/experiments/7/events?metric=lr"
    assert server.asked[1].headers["Last-Event-ID"] == "0"


def test_a_refused_stream_raises(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment)
    server.answer(404, {"title": "Not found"})

    async def program() -> None:
        async for _ in (await AsyncClient().experiment(7)).events():
            pass

    with pytest.raises(ApiError):
        run(program())


def test_whoever_stops_listening_leaves_no_thread_behind(server: Any, experiment: dict[str, Any]) -> None:
    server.answer(200, experiment)
    server.answer(200, b"".join(_event(i, "progress") for i in range(100)), Content_Type="text/event-stream")

    async def program() -> set[threading.Thread]:
        before = set(threading.enumerate())
        stream = (await AsyncClient().experiment(7)).events()
        async for _ in stream:
            break
        readers = {one for one in set(threading.enumerate()) - before if one.name.startswith("initlab-events")}
        assert len(readers) == 1
        await stream.aclose()  # type: ignore[attr-defined]  # it is a generator
        for one in readers:
            await asyncio.to_thread(one.join, 10)
        return {one for one in readers if one.is_alive()}

    assert run(program()) == set()
