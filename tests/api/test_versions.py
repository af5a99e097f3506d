"""Versions that are kept: never one of before a change, whoever made it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import update

from api.versions import Versions
from core.errors import NotFound
from core.experiments.cohorts.events import record_event
from core.experiments.cohorts.removal import remove
from core.experiments.queries import read
from core.store import ChangeWatch, Database, Experiment, Status
from tests.core.experiments.claims import queued

Get = Callable[[], Awaitable[str]]


def ended(database: Database) -> int:
    experiment = queued(database)
    with database.transaction() as session:
        session.execute(update(Experiment).values(status=Status.SUCCEEDED))
    return experiment


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The experiments whose version was read from the database, in order."""
    seen: list[int] = []
    original = read.state

    def state(session: Any, experiment_id: int) -> Any:
        seen.append(experiment_id)
        return original(session, experiment_id)

    monkeypatch.setattr(read, "state", state)
    return seen


async def kept(get: Get, seen: list[int]) -> None:
    """Ask until an answer comes without a read: the watch hears by then."""
    async with asyncio.timeout(20):
        while True:
            before = len(seen)
            await get()
            if len(seen) == before:
                return
            await asyncio.sleep(0.01)


def test_a_version_is_read_once_and_again_after_a_change(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a transaction of the same process the next call knows; of one of another process it hears."""
    experiment, seen = ended(database), counted(monkeypatch)
    other = Database(database.engine.url.render_as_string(hide_password=False))
    with closing(ChangeWatch(database)) as watch:
        versions = Versions(database, watch)

        async def get() -> str:
            return await versions.get(experiment)

        async def main() -> None:
            await kept(get, seen)
            before = await get()
            with database.transaction() as session:
                record_event(session, experiment, "edited")
            after = await get()
            assert after != before
            await kept(get, seen)
            with other.transaction() as session:
                record_event(session, experiment, "edited")
            async with asyncio.timeout(20):
                while await get() == after:
                    await asyncio.sleep(0.01)
            await kept(get, seen)
            with database.transaction() as session:
                remove(session, experiment)
            with pytest.raises(NotFound):
                await get()

        asyncio.run(main())
    other.dispose()


def test_of_an_experiment_that_goes_on_nothing_is_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    running, experiment, seen = queued(database), ended(database), counted(monkeypatch)
    with database.transaction() as session:
        session.execute(update(Experiment).where(Experiment.id == running).values(status=Status.RUNNING))
    with closing(ChangeWatch(database)) as watch:
        versions = Versions(database, watch)

        async def main() -> None:
            await kept(lambda: versions.get(experiment), seen)
            before = len(seen)
            for _ in range(3):
                await versions.get(running)
            assert seen[before:] == [running] * 3

        asyncio.run(main())


def test_a_version_that_was_read_before_a_change_is_not_kept_after_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment, seen = ended(database), counted(monkeypatch)
    with closing(ChangeWatch(database)) as watch:
        versions = Versions(database, watch)

        async def main() -> None:
            await kept(lambda: versions.get(experiment), seen)
            versions._forget(experiment)
            original = read.state

            def state(session: Any, experiment_id: int) -> Any:
                found = original(session, experiment_id)
                with database.transaction() as writing:
                    record_event(writing, experiment, "edited")
                return found

            monkeypatch.setattr(read, "state", state)
            before = await versions.get(experiment)
            monkeypatch.setattr(read, "state", original)
            assert await versions.get(experiment) != before

        asyncio.run(main())
