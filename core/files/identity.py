"""The name of a file store, by which processes find out whether they see the same one."""

import uuid

from core.files.file_store import FileStore, FilesUnavailable

NAME = "file-store"


def identity(files: FileStore) -> str:
    """Return the store's own name: what the first who asked has written there. Raises `FilesUnavailable`, `OSError`."""
    try:
        return files.read(NAME).decode()
    except FileNotFoundError:
        files.create(NAME, uuid.uuid4().hex.encode())
    return files.read(NAME).decode()


def known_identity(files: FileStore) -> str:
    """Return the store's own name; empty where it cannot be asked now."""
    try:
        return identity(files)
    except (FilesUnavailable, OSError):
        return ""
