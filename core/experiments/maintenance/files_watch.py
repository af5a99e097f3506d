"""Watches from the API whether the file store answers, and whether all processes see the same one."""

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from core.errors import InitlabError
from core.experiments.cohorts.heartbeat import BEAT
from core.experiments.cohorts.seen_files import WAY_OUT, differing_apis, differing_workers, forget_api, note_api
from core.files import file_store
from core.files.identity import identity
from core.settings import Settings
from core.store import Database, StorageFull

log = logging.getLogger(__name__)

FIRST = 2.0
"""Seconds that a first question waits for the first look."""


class FilesWatch:
    """Looks every few seconds from a thread of its own: a store that is away may take long to say so."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._files = file_store(settings)
        self._said = "it has not answered yet"
        self._looked = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="files", daemon=True)
        self._thread.start()

    def state(self) -> str:
        """Return `ok`, or what is wrong in words, as it was last seen."""
        self._looked.wait(FIRST)
        return self._said

    def close(self) -> None:
        self._closed.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            found = self._look()
            if found not in (self._said, "ok"):
                log.warning("files: %s", found)
            self._said = found
            self._looked.set()
            if self._closed.wait(BEAT):
                break
        try:
            with self._database.transaction() as session:
                forget_api(session)
        except (SQLAlchemyError, StorageFull):
            pass  # it counts as gone in some seconds

    def _look(self) -> str:
        try:
            mine = identity(self._files)
        except (InitlabError, OSError) as error:
            return f"cannot be used: {error}"
        try:
            with self._database.transaction() as session:
                note_api(session, mine)
            with self._database.reading() as session:
                others = [*differing_workers(session, mine), *differing_apis(session, mine)]
        except (SQLAlchemyError, StorageFull):
            return "ok"  # of the store itself; that the database is away is said by its own check
        if not others:
            return "ok"
        named = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
        return f"other files than this API's are seen by {named}: they would not find what is uploaded here; {WAY_OUT}"
