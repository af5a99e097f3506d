"""A worker's first look at the file store: whether it answers, and is the one that the API sees."""

import subprocess
import sys
from collections.abc import Callable

from core.errors import InitlabError
from core.experiments.cohorts.seen_files import WAY_OUT, differing_apis
from core.files import file_store
from core.files.identity import identity
from core.settings import Settings
from core.store import Database


class OtherFiles(InitlabError):
    """The worker would not find what users upload."""


def check_files(settings: Settings, say: Callable[[str], object]) -> None:
    """Raise `OtherFiles` where the file store cannot be used, or an API that is alive sees another one.

    With `INITLAB_FILES_CHECK=warn` `say` is told instead.
    """
    found = _problem(settings)
    if found is not None and settings.files_check == "refuse":
        raise OtherFiles(found)
    if found is not None:
        say(found)


def _problem(settings: Settings) -> str | None:
    try:
        # S3's client has threads, which the children of this process would lack: another process asks it.
        mine = _asked() if settings.files_url else identity(file_store(settings))
    except (InitlabError, OSError) as error:
        return f"the files cannot be used: {error}"
    database = Database(settings.database, pool_size=1)
    try:
        with database.reading() as session:
            others = differing_apis(session, mine)
    finally:
        database.dispose()
    if not others:
        return None
    return f"the API ({', '.join(others)}) sees other files than this worker, which would not find uploads; {WAY_OUT}"


def _asked() -> str:
    ran = subprocess.run([sys.executable, "-m", "core.files"], capture_output=True, text=True)
    if ran.returncode:
        raise OtherFiles(ran.stderr.strip()[-2000:])
    return ran.stdout
