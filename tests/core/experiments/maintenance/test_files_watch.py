"""The API says in words what it sees of the files, and who sees others."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from core.experiments.cohorts.seen_files import differing_apis, note_api
from core.experiments.maintenance import FilesWatch
from core.files import FolderStore
from core.files.identity import identity
from core.settings import Settings
from core.store import ApiProcess, Database, Worker, now


@pytest.fixture
def watch(database: Database, tmp_path: Path) -> Iterator[FilesWatch]:
    made = FilesWatch(database, Settings(data_dir=tmp_path))
    yield made
    made.close()


def worker(database: Database, holder: str, files: str, **more: bool) -> None:
    with database.transaction() as session:
        session.add(Worker(holder=holder, devices="cpu", last_seen=session.scalar(select(now())), files=files, **more))


def test_who_sees_other_files_is_named(watch: FilesWatch, database: Database, tmp_path: Path) -> None:
    assert watch.state() == "ok"
    mine = identity(FolderStore(tmp_path))
    worker(database, "same/1/0", mine)
    worker(database, "unknown/2/0", "")
    worker(database, "leaving/3/0", "another", draining=True)
    assert watch._look() == "ok"
    worker(database, "elsewhere boot/4/0", "another")
    assert watch._look().startswith("other files than this API's are seen by elsewhere, process 4: ")


def test_a_worker_knows_what_the_api_sees_until_it_is_gone(
    watch: FilesWatch, database: Database, tmp_path: Path
) -> None:
    watch.state()
    mine = identity(FolderStore(tmp_path))
    with database.reading() as session:
        assert differing_apis(session, mine) == []
        assert len(differing_apis(session, "another")) == 1
    watch.close()
    with database.reading() as session:
        assert session.scalars(select(ApiProcess)).all() == []


def test_an_api_that_was_killed_is_forgotten_in_seconds(database: Database) -> None:
    with database.transaction() as session:
        note_api(session, "mine")
        note_api(session, "mine too")
        for one in session.scalars(select(ApiProcess)):
            one.last_seen -= 60
    with database.reading() as session:
        assert differing_apis(session, "another") == []


def test_files_that_cannot_be_used_are_said(database: Database, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    watch = FilesWatch(database, Settings(data_dir=tmp_path / "file"))
    assert watch.state().startswith("cannot be used: ")
    watch.close()
