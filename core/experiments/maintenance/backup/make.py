"""Makes a backup while the service runs: first one state of the database, then the files that this state names.

Files are stored before a row names them, and never change, so that what is copied after the rows is all there but for
what was removed in between: data sets and weights that somebody deleted since, and checkpoints that newer ones
replaced, whose training goes on from an earlier place after a restore.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import make_url, select
from sqlalchemy.orm import Session

from core.datasets import Uploads
from core.errors import Conflict
from core.experiments.cohorts.states import ACTIVE
from core.experiments.maintenance.backup.manifest import (
    ABOUT,
    CHECKPOINTS,
    SECRET,
    UPLOADS,
    WEIGHTS,
    BackedUp,
    Manifest,
    copy,
    described,
)
from core.files import FileStore, file_store, upload_place
from core.files.file_store import DamagedFile
from core.settings import Settings
from core.store import Cohort, Experiment, Run, Status, once_it_answers, require_current, revision
from core.store.copies import copied, is_empty, kind_of


class Named(NamedTuple):
    """A file of the file store, as a row names it."""

    name: str
    sha256: str


def back_up(settings: Settings, folder: Path, *, with_files: bool = True) -> Manifest:
    """Write a backup into a new folder, and return what it has.

    Whatever was answered before this was called is in it. Raises `Conflict` where the folder is not empty, or
    the database is, `SchemaMismatch`, `NotCopied`, `FilesUnavailable`, and `OSError` of the disk.
    """
    if is_empty(settings.database):
        raise Conflict(f"there is nothing to back up: {_said(settings.database)} has no tables")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty: give each backup a folder of its own")
    once_it_answers(settings.database, require_current, lambda _: None)
    files, missing = dict[str, BackedUp](), list[str]()
    store = file_store(settings)
    with copied(settings.database, folder) as (copy_of_database, session):
        if with_files:  # checkpoints first: they are replaced most often
            for part, named in ((CHECKPOINTS, _checkpoints(session)), (WEIGHTS, _weights(session))):
                _copy_named(store.below(part), named, folder, part, files, missing)
        found, _ = revision(session.connection())
    files[copy_of_database.name] = described(copy_of_database)
    if with_files:
        _copy_uploads(Uploads(upload_place(settings)), folder / UPLOADS, files, missing)
        with suppress(FileNotFoundError):
            secret = store.read(SECRET)
            (folder / SECRET).touch(mode=0o600)
            (folder / SECRET).write_bytes(secret)
            files[SECRET] = described(folder / SECRET)
    made = Manifest(
        initlab=version("initlab"),
        revision=str(found),
        made_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        database="sqlite" if kind_of(settings.database) == "sqlite" else "postgresql",
        with_files=with_files,
        missing=missing,
        files=files,
    )
    made.write(folder)
    return made


def _said(url: str) -> str:
    return make_url(url).render_as_string()


def _checkpoints(session: Session) -> Iterator[Named]:
    """Yield the files that cohorts may go on from."""
    rows = select(Cohort.checkpoint, Cohort.checkpoint_sha256, Cohort.checkpoint_before)
    for row in session.execute(rows.where(Cohort.status.in_((*ACTIVE, Status.FAILED)), Cohort.checkpoint.is_not(None))):
        yield Named(row.checkpoint, row.checkpoint_sha256)
        if row.checkpoint_before:
            yield Named(row.checkpoint_before["name"], row.checkpoint_before["sha256"])


def _weights(session: Session) -> Iterator[Named]:
    """Yield the files of weights that can be asked for."""
    there = select(Run.weights).join(Experiment, Experiment.id == Run.experiment_id)
    for row in session.scalars(there.where(Run.weights.is_not(None), Experiment.deleted_at.is_(None))):
        for ref in (row or {}).values():
            if ref["file"]:
                yield Named(ref["file"], ref["sha256"])


def _copy_named(
    store: FileStore, named: Iterator[Named], folder: Path, part: str, files: dict[str, BackedUp], missing: list[str]
) -> None:
    for one in named:
        name = f"{part}/{one.name}"
        try:
            made = copy(store.local(one.name, one.sha256), folder / name)
        except (FileNotFoundError, DamagedFile):
            missing.append(name)
            continue
        if made.sha256 == one.sha256:
            files[name] = made
        else:
            (folder / name).unlink()
            missing.append(name)


def _copy_uploads(uploads: Uploads, folder: Path, files: dict[str, BackedUp], missing: list[str]) -> None:
    for name in [about.name for about in uploads]:
        try:
            about = uploads.copy(name, folder / name)
        except (FileNotFoundError, DamagedFile):
            missing.append(f"{UPLOADS}/{name}")
            continue
        if about is not None:
            (folder / name / ABOUT).write_text(about.model_dump_json(), encoding="utf-8")
            files |= {f"{UPLOADS}/{name}/{path.name}": described(path) for path in sorted((folder / name).iterdir())}
