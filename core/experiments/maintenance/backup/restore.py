"""Puts a backup back, into an empty database and a file store with nothing else in it."""

from pathlib import Path

from sqlalchemy import delete, select, update

from core.datasets import About, Uploads
from core.errors import InitlabError
from core.experiments.cohorts.eligibility import EXTERNAL
from core.experiments.cohorts.recovery import recover_attempt
from core.experiments.maintenance.backup.manifest import ABOUT, CHECKPOINTS, SECRET, UPLOADS, WEIGHTS, Manifest, copy
from core.files import FileStore, file_store, upload_place
from core.settings import Settings
from core.store import ApiProcess, Cohort, Database, Status, Worker, upgrade
from core.store.copies import FILES, fill_postgresql, filled_sqlite, is_empty, kind_of
from core.store.migrate import refuse_newer


class NotEmpty(InitlabError):
    """There is something where the backup would go."""

    status = 409
    title = "Not empty"


def restore(settings: Settings, folder: Path) -> Manifest:
    """Put a backup into the settings' database and file store, and return what it had.

    The files come first, as when they were made: should this be cut off, the same call begins anew. Then the database,
    brought to this code's tables. What was being trained waits to be taken again, from its checkpoint; workers of
    before cannot write to it. Raises `BrokenBackup`, `NotEmpty`, `SchemaMismatch`, `NotCopied` and `FilesUnavailable`.
    """
    backup = Manifest.read(folder)
    refuse_newer(backup.revision)
    if kind_of(settings.database) != backup.database:
        raise NotEmpty(f"the backup is of {backup.database}: give INITLAB_DATABASE_URL a database of that kind")
    if not is_empty(settings.database):
        raise NotEmpty("the database has tables already: a backup goes into an empty one")
    if backup.with_files:
        _put_files(settings, backup, folder)
    source = folder / FILES[backup.database]
    if backup.database == "sqlite":
        with filled_sqlite(settings.database, source) as draft:
            _make_ready(draft)
    else:
        fill_postgresql(settings.database, source)
        _make_ready(settings.database)
    return backup


def _make_ready(url: str) -> None:
    """Bring a restored database to this code's tables, and have nobody hold what was being trained."""
    database = Database(url, pool_size=1)
    try:
        upgrade(database.engine)
        held = (Cohort.status == Status.RUNNING, Cohort.device != EXTERNAL)
        with database.transaction() as session:
            session.execute(update(Cohort).where(*held).values(lost=0))  # it is nobody's failure
            for row in session.execute(select(Cohort.id, Cohort.attempt).where(*held)).all():
                recover_attempt(session, row.id, row.attempt, "the database was restored from a backup")
            for seen in (ApiProcess, Worker):  # they were alive there, with the files of there
                session.execute(delete(seen))
    finally:
        database.dispose()


def _put_files(settings: Settings, backup: Manifest, folder: Path) -> None:
    store, uploads = file_store(settings), Uploads(upload_place(settings))
    datasets = sorted({name.split("/")[0] for name in backup.below(UPLOADS)})
    _refuse_others([about.name for about in uploads], datasets, UPLOADS)
    for part in (CHECKPOINTS, WEIGHTS):
        _refuse_others([one.name for one in store.below(part).list()], backup.below(part), part)
    for part in (CHECKPOINTS, WEIGHTS):
        for name in backup.below(part):
            _put(store.below(part), name, folder / part / name)
    for name in datasets:
        about = About.model_validate_json((folder / UPLOADS / name / ABOUT).read_bytes())
        uploads.put_back(about, folder / UPLOADS / name, without=ABOUT)
    if SECRET in backup.files:
        store.create(SECRET, (folder / SECRET).read_bytes())  # from where each host takes its copy


def _refuse_others(there: list[str], ours: list[str], part: str) -> None:
    """Let nothing be there but what this backup, cut off before, has put there."""
    others = sorted(set(there) - set(ours))
    if others:
        raise NotEmpty(f"the file store has {part} that the backup has not, such as {others[0]}: give an empty place")


def _put(store: FileStore, name: str, source: Path) -> None:
    place = store.place(name)
    draft = place.with_name(f".{place.name}")
    store.put(name, draft, copy(source, draft).sha256)
