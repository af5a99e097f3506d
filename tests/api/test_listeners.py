"""Listeners of one process: read for together, each exactly, and none at the others' cost."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text

from api import listener_groups, listeners
from api.listener_groups import Listener
from api.listeners import Listeners
from core.experiments.queries import stream
from core.experiments.queries.cursor import EVERYTHING, Choice
from core.experiments.requests import pause
from core.store import ChangeWatch, Database, Experiment, announce
from tests.core.experiments.claims import queued, taken
from tests.core.experiments.fake_worker import Hand
from tests.core.experiments.viewer import Viewer, stored


@asynccontextmanager
async def process(database: Database, leaving: Callable[[], bool] = lambda: False) -> AsyncIterator[Listeners]:
    """The listeners of one API process."""
    watch = ChangeWatch(database)
    made = Listeners(database, watch, leaving, b"secret")
    try:
        yield made
    finally:
        made.close()
        watch.close()


def apply(viewer: Viewer, body: bytes) -> None:
    for event in body.decode().strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in event.splitlines())
        viewer.apply(fields["event"], json.loads(fields["data"]), fields["id"])


async def hear(listener: Listener, viewer: Viewer, until: Callable[[Viewer], bool]) -> None:
    """Apply events until the viewer has what it waits for."""
    while not until(viewer):
        body = await listener.events()
        assert body is not None, "the stream ended first"
        apply(viewer, body)


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.01)


async def at_most(seconds: float, what: Awaitable[Any]) -> None:
    async with asyncio.timeout(seconds):
        await what


def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The positions of the streams that the database was read for, in order."""
    seen: list[str] = []
    poll = stream.Stream.poll

    def counted(self: stream.Stream, session: Any) -> Any:
        seen.append(str(self.cursor))
        return poll(self, session)

    monkeypatch.setattr(stream.Stream, "poll", counted)
    return seen


def test_listeners_are_read_for_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are: one read for all that come at once, and one for what is new."""
    experiment = queued(database)
    hand = Hand.of(database, taken(database))
    hand.train(20)
    seen = reads(monkeypatch)
    monkeypatch.setattr(listeners, "SURE_SECONDS", 3600)
    monkeypatch.setattr(listeners, "POLL_SECONDS", 3600)
    everybody = [Viewer() for _ in range(50)]

    async def main() -> None:
        async with process(database) as made:
            all_there = [made.add(experiment, EVERYTHING, None) for _ in everybody]
            pairs = list(zip(all_there, everybody, strict=True))
            assert all(await asyncio.gather(*(one.begin() for one in all_there)))
            await asyncio.gather(*(hear(one, viewer, lambda v: bool(v.progress)) for one, viewer in pairs))
            await until(lambda: made.hears)
            for done in (30, 40):  # the first may be seen in the read that the watch asks for as it begins
                before = len(seen)
                await asyncio.to_thread(hand.train, 10)
                has = [hear(one, viewer, lambda v, done=done: v.received >= done * 4) for one, viewer in pairs]  # type: ignore[misc]
                await asyncio.gather(*has)
                assert len(seen) - before <= 2

    asyncio.run(at_most(30, main()))
    for viewer in everybody:
        assert viewer.whole() == stored(database, experiment)


def test_one_that_comes_later_joins_the_others(database: Database) -> None:
    """It is read for by itself until it has what they have; from then on it is sent what they are, the same bytes."""
    experiment = queued(database)
    hand = Hand.of(database, taken(database))
    hand.train(20)

    async def main() -> None:
        async with process(database) as made:
            early, late = Viewer(), Viewer()
            first = made.add(experiment, EVERYTHING, None)
            await hear(first, early, lambda v: bool(v.progress))
            await asyncio.to_thread(hand.train, 5)
            await until(lambda: first.group.end > first.next)  # nothing more is read for it until it has that
            await asyncio.to_thread(hand.train, 5)
            second = made.add(experiment, EVERYTHING, None)
            await hear(second, late, lambda v: v.received >= 30 * 4)
            await hear(first, early, lambda v: v.received >= 30 * 4)
            await asyncio.to_thread(hand.train, 10)
            both = ((first, early), (second, late))
            await asyncio.gather(*(hear(one, viewer, lambda v: v.received >= 40 * 4) for one, viewer in both))
            assert first.group is second.group
            hand.mark_lost()
            again = Hand.of(database, await asyncio.to_thread(taken, database))
            await asyncio.to_thread(again.train, 60)
            await asyncio.to_thread(again.finish, "succeeded")
            ends = lambda v: v.state.get("status") == "succeeded"  # noqa: E731
            await asyncio.gather(*(hear(one, viewer, ends) for one, viewer in both))
            assert [await one.events() for one, _ in both] == [None, None]
            for viewer in (early, late):
                assert len(viewer.rewound) == 1
                assert viewer.whole() == stored(database, experiment)
            over = made.add(experiment, EVERYTHING, late.last_id)
            assert not await over.begin()

    asyncio.run(at_most(30, main()))


def test_a_slow_listener_holds_nobody_and_no_memory(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent later, and exactly, what the group has forgotten meanwhile."""
    monkeypatch.setattr(listener_groups, "KEPT", 1000)
    monkeypatch.setattr(listener_groups, "CHUNK", 500)
    experiment = queued(database)
    hand = Hand.of(database, taken(database))

    async def main() -> None:
        async with process(database) as made:
            quick, slow = Viewer(), Viewer()
            first, second = (made.add(experiment, EVERYTHING, None) for _ in range(2))
            await asyncio.gather(first.begin(), second.begin())
            apply(slow, await second.events() or b"")
            for step in range(2, 33, 3):
                await asyncio.to_thread(hand.train, 3)
                await hear(first, quick, lambda v, step=step: v.received >= 4 * step)  # type: ignore[misc]
            group = first.group
            assert group is second.group
            assert second.next < group.first
            sizes = [len(group.chunk(number).body) for number in range(group.first, group.end)]
            assert sum(sizes) <= 1000 + 3 * max(sizes)
            await asyncio.to_thread(hand.finish, "succeeded")
            ends = lambda v: v.state.get("status") == "succeeded"  # noqa: E731
            await asyncio.gather(hear(first, quick, ends), hear(second, slow, ends))
            for viewer in (quick, slow):
                assert viewer.whole() == stored(database, experiment)

    asyncio.run(at_most(30, main()))


def test_a_long_backlog_holds_nobody(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is read before there is room for it."""
    monkeypatch.setattr(stream, "MOST_POINTS", 10)
    monkeypatch.setattr(stream, "LONGEST", 10)
    experiment = queued(database)
    hand = Hand.of(database, taken(database))
    hand.train(60)
    seen = reads(monkeypatch)

    async def main() -> None:
        async with process(database) as made:
            idle = made.add(experiment, EVERYTHING, None)
            await idle.begin()
            busy, viewer = made.add(experiment, Choice(metrics=("lr",)), None), Viewer()
            await hear(busy, viewer, lambda v: v.received == 2 * 60)
            assert idle.group.reads == 1
            seen.clear()
            await hear(idle, viewer := Viewer(), lambda v: bool(v.progress))
            assert len(seen) == 2 * 2 * 60 / 10 + 1  # of two metrics of two runs ten points each, and of the epochs all
            assert viewer.whole() == stored(database, experiment)

    asyncio.run(at_most(30, main()))


def test_a_change_is_told_as_it_happens(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another process too, which is another pool of connections; also after the watch's own was cut."""
    monkeypatch.setattr(listeners, "SURE_SECONDS", 3600)
    monkeypatch.setattr(listeners, "POLL_SECONDS", 3600)
    experiment = queued(database)
    other = Database(database.engine.url.render_as_string(hide_password=False))

    def change() -> None:
        with other.transaction() as session:
            pause(session, session.get_one(Experiment, experiment))

    def cut() -> None:
        with other.transaction() as session:
            listening = "pid <> pg_backend_pid() AND query LIKE 'LISTEN%' AND datname = current_database()"
            session.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listening}"))

    async def main() -> None:
        async with process(database) as made:
            listener, viewer = made.add(experiment, EVERYTHING, None), Viewer()
            await hear(listener, viewer, lambda v: bool(v.progress))
            await until(lambda: made.hears)
            if other.engine.dialect.name == "postgresql":
                await asyncio.to_thread(cut)
            await asyncio.to_thread(change)
            await hear(listener, viewer, lambda v: v.state["paused"])

    try:
        asyncio.run(at_most(20, main()))
    finally:
        other.dispose()


def test_a_message_of_what_was_rolled_back_is_not_sent(postgres: Database) -> None:
    told: list[int | None] = []
    ready = asyncio.Event()

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def hear(experiment: int | None) -> None:
            told.append(experiment)
            loop.call_soon_threadsafe(ready.set)

        watch = ChangeWatch(postgres)
        watch.tell(hear)
        try:
            await ready.wait()
            ready.clear()
            with pytest.raises(ZeroDivisionError), postgres.transaction() as session:
                announce(session, 1)
                raise ZeroDivisionError
            with postgres.transaction() as session:
                announce(session, 2)
            await ready.wait()
        finally:
            watch.close()

    asyncio.run(at_most(20, main()))
    assert told == [None, 2]


def test_all_listeners_end_when_the_process_leaves(database: Database) -> None:
    experiment = queued(database)
    leaving = False

    async def main() -> None:
        nonlocal leaving
        async with process(database, lambda: leaving) as made:
            all_there = [made.add(experiment, EVERYTHING, None) for _ in range(20)]
            for one in all_there:
                await hear(one, Viewer(), lambda v: bool(v.progress))
            leaving = True
            assert set(await asyncio.gather(*(one.events() for one in all_there))) == {None}

    asyncio.run(at_most(10, main()))
