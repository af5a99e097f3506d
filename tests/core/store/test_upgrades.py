"""A database of every version before is upgraded with what is in it: read as it was, and trained on to its end."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import select

from core.datasets import DatasetPaths
from core.experiments import projects
from core.experiments.cohorts.events import counts, events
from core.experiments.maintenance import sweep
from core.experiments.queries import lists, read
from core.experiments.queries.progress import progress_of
from core.experiments.requests import pause, resume, retry
from core.experiments.worker.worker import Worker
from core.metrics import unit_of
from core.settings import Settings
from core.spec import parse
from core.store import Cohort, Database, MetricBlock, upgrade
from core.store.migrate import _config, revision
from tests.backends import postgres_database
from tests.core.store.old import (
    FAILED,
    PER_EPOCH,
    QUEUED,
    RUNNING,
    RUNS,
    SAFE,
    SPECS,
    STEPS,
    SUCCEEDED,
    make,
    recording,
)
from tests.thorough import EVERY

TRIED = [(old, "sqlite") for old in SPECS] + [(old, "postgresql") for old in [*SPECS][:: 1 if EVERY else 5]]
"""Every revision, and on PostgreSQL the oldest, which all migrations change, and some of the others (EVERY: all)."""


class Model(NamedTuple):
    """A database of a revision, upgraded, with the folder that its checkpoints are in."""

    url: str
    folder: Path


@pytest.fixture(scope="module", params=TRIED, ids=" on ".join)
def tried(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A released revision, and what its database is on."""
    found: tuple[str, str] = request.param
    return found


@pytest.fixture(scope="module")
def old(tried: tuple[str, str]) -> str:
    return tried[0]


@pytest.fixture(scope="module")
def model(
    request: pytest.FixtureRequest, tried: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Model]:
    """A database of that revision, upgraded once for all tests."""
    folder = tmp_path_factory.mktemp("old")
    revision_before, kind = tried
    with ExitStack() as stack:
        url = f"sqlite:///{folder / 'initlab.sqlite'}"
        if kind == "postgresql":
            url = stack.enter_context(postgres_database(request.getfixturevalue("postgres_server")))
        database = Database(url)
        make(database, revision_before, folder / "checkpoints")
        upgrade(database.engine)
        database.dispose()
        yield Model(url, folder)


@pytest.fixture
def shared(model: Model) -> Iterator[Database]:
    """For tests that only read."""
    database = Database(model.url)
    yield database
    database.dispose()


@pytest.fixture
def upgraded(request: pytest.FixtureRequest, model: Model, tmp_path: Path) -> Iterator[Database]:
    """A copy of the test's own."""
    if (model.folder / "checkpoints").exists():
        shutil.copytree(model.folder / "checkpoints", tmp_path / "checkpoints")
    with ExitStack() as stack:
        if model.url.startswith("sqlite"):
            url = f"sqlite:///{shutil.copy(model.folder / 'initlab.sqlite', tmp_path)}"
        else:
            server = request.getfixturevalue("postgres_server")
            url = stack.enter_context(postgres_database(server, model.url.rpartition("/")[2]))
        database = Database(url)
        yield database
        database.dispose()


def assert_whole(database: Database, old: str, experiment: int) -> None:
    """Every series is, bit for bit, what a training that was never interrupted gives."""
    made = recording(old, experiment)
    with database.reading() as session:
        found = {(s.run_id, s.metric): s for s in read.series(session, experiment)}
        assert found.keys() == made.points.keys()
        for key, series in found.items():
            assert series.steps.tolist() == list(range(len(series.steps)))
            assert np.array_equal(series.values, made.points[key].astype(np.float64)), key
        for run in read.runs(session, experiment):
            assert (run.status, run.outcome, run.steps_done) == ("succeeded", "completed", STEPS)
            assert run.final == {m: float(values[-1]) for (r, m), values in made.points.items() if r == run.id}


def test_every_version_that_stored_something_is_tried(old: str, shared: Database) -> None:
    """A new revision comes with the spec that the one before it stored."""
    with shared.engine.connect() as connection:
        found, head = revision(connection)
        every = [one.revision for one in ScriptDirectory.from_config(_config(connection)).walk_revisions()]
    assert found == head
    assert sorted(every) == [*SPECS, head]


def test_what_has_ended_reads_as_it_did(old: str, shared: Database) -> None:
    assert_whole(shared, old, SUCCEEDED)
    made = recording(old, FAILED)
    with shared.reading() as session:
        found, following, _ = lists.experiments(session, lists.Filters(tags=["b"]), limit=10)
        assert ([one.id for one in found], following) == ([RUNNING, QUEUED, FAILED, SUCCEEDED], None)
        assert [one.status for one in found] == ["running", "queued", "failed", "succeeded"]
        assert {(one.task, one.owner, one.turn) for one in found} == {("multiclass", None, None)}
        assert {tag.tag for tag in found[0].tags} == {"a", "b"}
        progress = {number: progress_of(session, read.experiment(session, number)) for number in (SUCCEEDED, FAILED)}
        assert [(arm.runs_done, arm.steps_done, arm.diverged) for arm in progress[SUCCEEDED].arms] == [(2, 90, 0)] * 2
        assert [(arm.failed, arm.diverged) for arm in progress[FAILED].arms] == [(1, 1), (2, 0)]
        assert progress[FAILED].errors == ["RuntimeError: why (in step, x.py:1)"]
        assert not progress[FAILED].paused
        diverged, *failed = read.runs(session, FAILED)
        assert (diverged.outcome, diverged.final) == ("diverged", {"train_loss": None, "lr": 0.001})
        assert {(run.status, run.steps_done, run.final) for run in failed} == {("failed", SAFE, None)}
        for series in read.series(session, FAILED, run_id=failed[0].id):
            length = SAFE // PER_EPOCH if unit_of(series.metric) == "epoch" else SAFE
            expected = made.points[failed[0].id, series.metric][:length]
            assert np.array_equal(series.values, expected.astype(np.float64))
        results = read.results(session, read.experiment(session, SUCCEEDED), DatasetPaths())
        assert len(list(results.series("valid_accuracy"))) == RUNS
        assert parse(read.experiment(session, SUCCEEDED).spec) == parse(SPECS[old])
        assert (list(events(session, SUCCEEDED)), set(counts(session).values())) == ([], {0})
        assert {one.project for one in found} == {"default"}
        stored = projects.used(session)
        if old < "0014":  # later ones counted what they stored
            assert stored["project", "default"] == stored["owner", ""] == (4 * RUNS, 3 * 4 * RUNS * STEPS, 0)


def test_what_waits_and_what_was_in_training_is_trained_to_its_end(
    old: str, upgraded: Database, tmp_path: Path
) -> None:
    """The one that its worker left in the middle goes on from its checkpoint, where its version kept one."""
    assert sweep(upgraded, 0).rescued == 1
    url = upgraded.engine.url.render_as_string(hide_password=False)
    worker = Worker(Settings(database_url=url, data_dir=tmp_path), threading.Event(), cores=2)
    with closing(worker):
        assert worker() == 2
    for experiment in (QUEUED, RUNNING):
        assert_whole(upgraded, old, experiment)
    step = SAFE if old >= "0003" else 0
    with upgraded.reading() as session:
        assert {read.experiment(session, number).status for number in (QUEUED, RUNNING)} == {"succeeded"}
        told = [(event.kind, event.detail.get("step")) for event in events(session, RUNNING)]
        assert told == [("lost", step), ("claimed", step), ("ended", None)]
        blocks = session.execute(
            select(MetricBlock.first, MetricBlock.attempt).where(
                MetricBlock.run_id > RUNS * (RUNNING - 1), MetricBlock.metric == "train_loss"
            )
        ).all()
        assert {attempt for first, attempt in blocks if first < step} == ({2} if step else set())
        assert {attempt for first, attempt in blocks if first >= step} == {3}
    assert list((tmp_path / "checkpoints").glob(f"*cohort-{RUNNING}-*")) == []


def test_what_this_version_can_do_it_can_do_with_what_was_stored_before(upgraded: Database) -> None:
    with upgraded.transaction() as session:
        for number in (QUEUED, RUNNING):
            pause(session, read.experiment(session, number))
        assert resume(session, read.experiment(session, QUEUED)) == {"cpu": 1, "gpu": 1}
        assert retry(session, read.experiment(session, FAILED)) == {"cpu": 1, "gpu": 1}
    with upgraded.reading() as session:
        columns = (Cohort.status, Cohort.paused, Cohort.queue, Cohort.layout)
        rows = session.execute(select(*columns).order_by(Cohort.id)).all()
    assert [tuple(row) for row in rows] == [
        ("succeeded", False, None, "vmap"),
        ("queued", False, None, "vmap"),
        ("queued", False, None, "vmap"),
        ("running", True, None, "vmap"),
    ]
