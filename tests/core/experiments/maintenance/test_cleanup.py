"""Files that nobody needs go, and no other."""

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from core.experiments import projects
from core.experiments.maintenance.cleanup import OLD, clean_up
from core.settings import Settings
from core.store import Cohort, Database, Experiment, Run, Usage, Webhook, Worker, now
from tests.core.datasets.uploading import add
from tests.core.experiments.claims import queued, taken


def aged(path: Path, seconds: float = 2 * OLD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (time.time() - seconds,) * 2)
    return path


@pytest.mark.parametrize(
    ("status", "left"),
    [
        ("queued", {"cohort-1-2-9.safetensors", "cohort-1-2-5.safetensors"}),
        ("failed", {"cohort-1-2-9.safetensors", "cohort-1-2-5.safetensors"}),  # it may be tried again
        ("succeeded", set()),
        ("cancelled", set()),
        ("running", {"cohort-1-1-3.safetensors", "cohort-1-2-5.safetensors", "cohort-1-2-9.safetensors",
                     ".cohort-1-3-12.safetensors.77", "cohort-1-3.log"}),
    ],
)  # fmt: skip
def test_what_a_row_needs_stays(database: Database, tmp_path: Path, status: str, left: set[str]) -> None:
    settings = Settings(data_dir=tmp_path)
    queued(database)
    before = {"name": "cohort-1-2-5.safetensors", "sha256": "0", "step": 5, "epochs": 0}
    with database.transaction() as session:
        named = {"checkpoint": "cohort-1-2-9.safetensors", "checkpoint_before": before}
        session.execute(update(Cohort).values(status=status, checkpoint_sha256="0", checkpoint_step=9, **named))
    for name in ("cohort-1-1-3", "cohort-1-2-5", "cohort-1-2-9", "cohort-8-1-4"):
        aged(settings.checkpoints / f"{name}.safetensors")
    aged(settings.checkpoints / ".cohort-1-3-12.safetensors.77")
    aged(settings.logs_folder / "cohort-1-3.log")
    aged(settings.logs_folder / "cohort-8-1.log")
    aged(settings.checkpoints / ".tmpiMmxwo")  # of safetensors, whose process was killed as it wrote
    others = {aged(settings.checkpoints / "notes.txt").name}
    files = {*settings.checkpoints.iterdir(), *settings.logs_folder.iterdir()}
    gone = clean_up(database, settings)
    kept = {path.name for path in (*settings.checkpoints.iterdir(), *settings.logs_folder.iterdir())}
    assert kept == left | others
    assert gone == len(files) - len(kept)


def test_what_is_young_may_be_on_its_way(database: Database, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    aged(settings.checkpoints / "cohort-1-1-3.safetensors", OLD / 2)
    assert clean_up(database, settings) == 0
    assert clean_up(database, settings, old=OLD / 4) == 1


def test_a_file_that_goes_under_its_hands_is_no_trouble(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker, or another sweeper, removes it between the look and the removal."""
    settings = Settings(data_dir=tmp_path)
    first = aged(settings.checkpoints / "cohort-1-1-3.safetensors")
    other = aged(settings.checkpoints / "cohort-1-1-4.safetensors")
    poll = Path.stat

    def late(path: Path, **more: bool) -> os.stat_result:
        if path == first:
            first.unlink(missing_ok=True)
        return poll(path, **more)

    monkeypatch.setattr(Path, "stat", late)
    assert clean_up(database, settings) == 1
    assert not other.exists()


def test_without_folders_there_is_nothing_to_clear(database: Database, tmp_path: Path) -> None:
    assert clean_up(database, Settings(data_dir=tmp_path / "nowhere")) == 0


def test_workers_that_were_long_gone_are_forgotten(database: Database, tmp_path: Path) -> None:
    for holder, ago in (("old", 90_000), ("here", 60)):
        with database.transaction() as session:
            session.add(Worker(holder=holder, devices="cpu", last_seen=0.0))
            session.flush()
            session.execute(update(Worker).where(Worker.holder == holder).values(last_seen=now() - ago))
    clean_up(database, Settings(data_dir=tmp_path))
    with database.reading() as session:
        assert session.get(Worker, "old") is None
        assert session.get(Worker, "here") is not None


def test_a_cohort_in_training_is_asked_for_by_its_number(database: Database, tmp_path: Path) -> None:
    """`cohort-1-` is no beginning of `cohort-11-`."""
    settings = Settings(data_dir=tmp_path)
    queued(database, cohorts=1)
    taken(database)
    aged(settings.checkpoints / "cohort-11-1-4.safetensors")
    aged(settings.checkpoints / "cohort-1-1-4.safetensors")
    assert clean_up(database, settings) == 1
    assert [path.name for path in settings.checkpoints.iterdir()] == ["cohort-1-1-4.safetensors"]


def test_what_counts_against_quotas_is_counted_anew(database: Database, tmp_path: Path) -> None:
    """As after a crash between a file and its row, and of data sets that were there before they were counted."""
    settings = Settings(data_dir=tmp_path)
    queued(database)
    about = add(
        settings.uploads, b"x,y\n" + b"".join(b"%d,%d\n" % (i, i % 2) for i in range(20)), "t.csv", target=["y"]
    )
    with database.transaction() as session:
        session.execute(update(Usage).values(runs=99))
    clean_up(database, settings)
    with database.reading() as session:
        used = projects.used(session)["project", "default"]
        assert (used.runs, used.bytes) == (session.scalar(select(func.count()).select_from(Run)), about.bytes)


def test_keys_of_idempotency_that_have_ended_are_forgotten(database: Database, tmp_path: Path) -> None:
    hook = {"url": "https://lab.example/", "payload": "json", "events": [], "secret": "s"}
    old, new = (queued(database) for _ in range(2))
    with database.transaction() as session:
        for one, ago in ((old, 86_460), (new, 86_340)):
            session.add(Webhook(**hook, idempotency_key=f"key {one}", created_at=0.0))
            session.flush()
            aged_by = {"idempotency_key": f"key {one}", "created_at": now() - ago}
            session.execute(update(Experiment).where(Experiment.id == one).values(**aged_by))
            session.execute(update(Webhook).where(Webhook.idempotency_key == f"key {one}").values(**aged_by))
    clean_up(database, Settings(data_dir=tmp_path))
    with database.reading() as session:
        for table in (Experiment, Webhook):
            assert session.scalars(select(table.idempotency_key).order_by(table.id)).all() == [None, f"key {new}"]
