"""A secret that all processes of a service share, wherever their files are."""

import secrets
from contextlib import suppress
from pathlib import Path

from core.files.file_store import FileStore
from core.files.folder import FolderStore

BYTES = 32
NAME = "secret"


def shared_secret(files: FileStore, kept: Path) -> bytes:
    """Return the secret of a file store, 32 random bytes; made by whoever asks first.

    `kept` is the path of a copy for its owner alone, which is read from then on: a store that is away keeps no process
    from starting again. In a folder it may be the file itself. Raises `FilesUnavailable`, `OSError`.
    """
    with suppress(FileNotFoundError):
        return kept.read_bytes()
    FolderStore(kept.parent).create(kept.name, _of(files))
    return kept.read_bytes()


def _of(files: FileStore) -> bytes:
    with suppress(FileNotFoundError):
        return files.read(NAME)
    files.create(NAME, secrets.token_bytes(BYTES))
    return files.read(NAME)
