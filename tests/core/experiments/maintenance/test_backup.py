"""A backup is whole or refused, and goes into an empty place only; a folder's goes into object storage too."""

import hashlib
import json
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import select, update

from core.datasets import Uploads
from core.errors import Conflict, InitlabError
from core.experiments.cohorts.leases import Fenced, renew
from core.experiments.maintenance.backup import BrokenBackup, NotEmpty, back_up, restore
from core.experiments.maintenance.backup import __main__ as command
from core.files import file_store, upload_place
from core.files.secret import shared_secret
from core.settings import Settings
from core.store import Cohort, Database, Run, Status, upgrade
from core.store.migrate import SchemaMismatch
from tests.backends import postgres_database
from tests.core.datasets.uploading import add
from tests.core.experiments.claims import queued, taken
from tests.seaweed import S3Server

CHECKPOINT, WEIGHTS = "cohort-1-1-9.safetensors", "experiment-1-run-1-1-final.safetensors"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put(settings: Settings, part: str, name: str, content: bytes) -> None:
    files = file_store(settings).below(part)
    place = files.place(name)
    place.write_bytes(content)
    files.put(name, place, sha256(content))


def filled(settings: Settings) -> Settings:
    """The same settings; their place has a data set, weights, and a cohort that is trained and has a checkpoint."""
    settings.data_dir.mkdir()
    database = Database(settings.database)
    upgrade(database.engine)
    queued(database)
    taken(database)
    rows = "x,y\n" + "".join(f"{i},{i % 3}\n" for i in range(99))
    add(upload_place(settings), rows.encode(), "mine.csv", target=["y"])
    put(settings, "checkpoints", CHECKPOINT, b"here")
    put(settings, "weights", WEIGHTS, b"weights")
    settings.secret.write_bytes(b"s" * 32)
    settings.secret.chmod(0o600)
    with database.transaction() as session:
        before = {"name": "cohort-1-1-5.safetensors", "sha256": "0", "step": 5, "epochs": 0}
        named = {"checkpoint": CHECKPOINT, "checkpoint_sha256": sha256(b"here"), "checkpoint_before": before}
        session.execute(update(Cohort).values(lost=2, checkpoint_step=9, **named))
        ref = {"file": WEIGHTS, "sha256": sha256(b"weights"), "bytes": 7, "epoch": None, "error": None}
        session.execute(update(Run).where(Run.id == 1).values(weights={"final": ref}))
    database.dispose()
    return settings


@pytest.fixture
def lab(empty_database_url: str, tmp_path: Path) -> Settings:
    """The settings of a place that has something, on either backend."""
    return filled(Settings(data_dir=tmp_path / "lab", database_url=empty_database_url))


@pytest.fixture
def empty(lab: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """The settings of an empty place of the same kind."""
    with ExitStack() as made:
        url = ""
        if lab.database.startswith("postgresql"):
            url = made.enter_context(postgres_database(request.getfixturevalue("postgres_server")))
        yield Settings(data_dir=tmp_path / "empty", database_url=url)


def test_what_rows_name_is_restored_and_nobody_holds_it(lab: Settings, empty: Settings, tmp_path: Path) -> None:
    made = back_up(lab, tmp_path / "backup")
    assert made.missing == ["checkpoints/cohort-1-1-5.safetensors"]
    with pytest.raises(Conflict, match="is not empty"):
        back_up(lab, tmp_path / "backup")
    assert restore(empty, tmp_path / "backup") == made
    assert_restored(empty)
    with pytest.raises(NotEmpty, match="has tables already"):
        restore(empty, tmp_path / "backup")


def assert_restored(settings: Settings) -> None:
    (about,) = Uploads(upload_place(settings))
    assert Uploads(upload_place(settings)).path(about, "x").exists()
    files = file_store(settings)
    assert files.below("checkpoints").local(CHECKPOINT, sha256(b"here")).read_bytes() == b"here"
    assert files.below("weights").local(WEIGHTS, sha256(b"weights")).read_bytes() == b"weights"
    assert shared_secret(file_store(settings), settings.secret) == b"s" * 32
    assert settings.secret.stat().st_mode & 0o077 == 0
    database = Database(settings.database)
    with database.reading() as session:
        cohort = session.scalars(select(Cohort)).one()
        assert (cohort.status, cohort.holder, cohort.attempt, cohort.lost) == (Status.QUEUED, None, 1, 1)
        assert (cohort.checkpoint, cohort.checkpoint_step) == (CHECKPOINT, 9)
    database.dispose()


def test_a_worker_of_before_cannot_write_to_what_was_restored(lab: Settings, empty: Settings, tmp_path: Path) -> None:
    back_up(lab, tmp_path / "backup")
    restore(empty, tmp_path / "backup")
    of_before, restored = Database(lab.database), Database(empty.database)
    with of_before.transaction() as session:
        session.execute(update(Cohort).values(status=Status.QUEUED))
    zombie = taken(of_before, "host/1/0")
    assert taken(restored, "host/2/0").attempt == zombie.attempt
    with pytest.raises(Fenced), restored.transaction() as session:
        renew(session, zombie, 30)
    of_before.dispose()
    restored.dispose()


def test_a_folders_backup_goes_into_object_storage_and_back(s3: S3Server, tmp_path: Path) -> None:
    lab = filled(Settings(data_dir=tmp_path / "lab"))
    made = back_up(lab, tmp_path / "backup")
    inside = s3.environment
    stored = Settings(
        data_dir=tmp_path / "empty",
        cache_dir=tmp_path / "cache",
        files_url=f"s3://lab/{uuid.uuid4().hex}",
        files_endpoint=inside["INITLAB_FILES_ENDPOINT"],
        aws_access_key_id=inside["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=inside["AWS_SECRET_ACCESS_KEY"],
    )
    restore(stored, tmp_path / "backup")
    assert_restored(stored)
    again = back_up(stored, tmp_path / "again")
    assert again.files.keys() == made.files.keys()
    assert again.missing == ["checkpoints/cohort-1-1-5.safetensors"]


def test_the_database_alone_leaves_the_files_where_they_are(tmp_path: Path) -> None:
    lab = filled(Settings(data_dir=tmp_path / "lab"))
    made = back_up(lab, tmp_path / "backup", with_files=False)
    assert list(made.files) == ["database.sqlite"]
    for path in lab.data_dir.glob("initlab.sqlite*"):
        path.unlink()
    restore(lab, tmp_path / "backup")
    assert_restored(lab)


def flip(folder: Path) -> None:
    file = folder / "weights" / WEIGHTS
    file.write_bytes(b"w3ights")


def lead_out(folder: Path) -> None:
    told = json.loads((folder / "backup.json").read_text())
    told["files"]["../outside"] = told["files"]["secret"]
    (folder / "backup.json").write_text(json.dumps(told))


def of_later(folder: Path) -> None:
    told = json.loads((folder / "backup.json").read_text())
    (folder / "backup.json").write_text(json.dumps(told | {"revision": "9999"}))


@pytest.mark.parametrize(
    ("harm", "error", "words"),
    [
        (flip, BrokenBackup, "has other content than was backed up"),
        (lambda folder: (folder / "secret").unlink(), BrokenBackup, "secret is missing"),
        (lambda folder: (folder / "backup.json").unlink(), BrokenBackup, "not finished"),
        (lead_out, BrokenBackup, "leads out of the backup"),
        (of_later, SchemaMismatch, "revision 9999, which this code"),
    ],
)
def test_a_backup_that_cannot_be_trusted_is_refused_before_anything_is_written(
    harm: Callable[[Path], object], error: type[InitlabError], words: str, tmp_path: Path
) -> None:
    back_up(filled(Settings(data_dir=tmp_path / "lab")), tmp_path / "backup")
    harm(tmp_path / "backup")
    with pytest.raises(error, match=words):
        restore(Settings(data_dir=tmp_path / "empty"), tmp_path / "backup")
    assert not (tmp_path / "empty").exists()


def test_a_place_with_something_else_is_refused_and_a_restore_that_was_cut_off_begins_anew(tmp_path: Path) -> None:
    lab, empty = filled(Settings(data_dir=tmp_path / "lab")), Settings(data_dir=tmp_path / "empty")
    back_up(lab, tmp_path / "backup")
    put(empty, "weights", "experiment-7-run-1-1-final.safetensors", b"of others")
    with pytest.raises(NotEmpty, match="has weights that the backup has not, such as experiment-7"):
        restore(empty, tmp_path / "backup")
    file_store(empty).below("weights").remove(["experiment-7-run-1-1-final.safetensors"])
    restore(empty, tmp_path / "backup")
    for path in empty.data_dir.glob("initlab.sqlite*"):  # all but the database was restored
        path.unlink()
    restore(empty, tmp_path / "backup")
    assert_restored(empty)


def test_the_commands_say_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def called(settings: Settings, *words: str) -> tuple[int, str]:
        monkeypatch.setattr(command, "settings", lambda: settings)
        monkeypatch.setattr(sys, "argv", ["initlab db", *words])
        code = command.main()
        return code, "".join(capsys.readouterr())

    lab, empty, folder = Settings(data_dir=tmp_path / "lab"), Settings(data_dir=tmp_path / "empty"), tmp_path / "backup"
    code, said = called(lab, "backup", str(folder))
    assert (code, "there is nothing to back up" in said) == (2, True), said
    filled(lab)
    code, said = called(lab, "backup", str(folder))
    assert code == 0
    assert "1 data sets, 1 files of weights, 1 checkpoints" in said
    assert "not there when it was made: checkpoints/cohort-1-1-5.safetensors" in said
    code, said = called(empty, "restore", str(folder), "--json")
    assert (code, json.loads(said)["with_files"]) == (0, True)
    code, said = called(empty, "restore", str(folder))
    assert (code, "restore failed: the database has tables already" in said) == (2, True)
