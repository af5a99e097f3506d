"""Users' own data sets on disk: one folder each, which appears complete or not at all."""

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np

from core.datasets._content import MOST_FILE, About, InvalidUpload
from core.datasets._options import Options
from core.datasets._reading import read
from core.errors import Conflict, InitlabError, NotFound, Problem
from core.registry import unknown

NAME = r"[a-z0-9][a-z0-9_.-]{0,63}"
ABOUT = "about.json"
_NEW, _GONE, _LOCK = ".new-", ".gone-", ".lock"


class NotStored(InitlabError):
    """The data set cannot be written to disk; nothing of it is kept."""

    status = 507
    title = "Storage full"


class Uploads:
    """The data sets below a folder. The folder is the index: every named subfolder is complete and on disk."""

    def __init__(self, folder: Path, hidden: Collection[str] = ()) -> None:
        """Take a folder, and projects whose data sets are not there for the one who asks."""
        self._folder = folder
        self._hidden = hidden

    def __iter__(self) -> Iterator[About]:
        """Yield all data sets, sorted by name."""
        for name in self._names():
            about = self.get(name)
            if about is not None:  # not one that was deleted meanwhile
                yield about

    def get(self, name: str) -> About | None:
        """Return the data set stored under a name; None where there is none."""
        about = self._about(name)
        return None if about is None or about.project in self._hidden else about

    def find(self, name: str) -> About:
        """Return the data set stored under a name; raises `NotFound` with the nearest names."""
        about = self.get(name)
        if about is None:
            problem = self.unknown(name)
            raise NotFound(problem.message, [problem])
        return about

    def unknown(self, name: str) -> Problem:
        """Return the problem of an unknown name."""
        names = [one.name for one in self] if self._hidden else self._names()
        return unknown("data set", name, names, "name") if names else Problem("name", f"there is no data set {name!r}")

    def state(self) -> list[tuple[str, int]]:
        """Return what changes whenever a data set comes or goes: every name with its folder's number on disk."""
        if not self._folder.is_dir():
            return []
        folders = [(entry.name, entry.inode()) for entry in os.scandir(self._folder)]
        return [(".", self._folder.stat().st_mtime_ns), *sorted(one for one in folders if re.fullmatch(NAME, one[0]))]

    def path(self, about: About, array: str) -> Path:
        """Return the file of one of its arrays: `x`, `y`, and for a part held out `x_valid` and `y_valid`."""
        return self._folder / about.name / f"{array}.npy"

    def add(
        self,
        file: BinaryIO,
        filename: str,
        name: str | None,
        options: Options,
        owner: str | None = None,
        project: str = "default",
        admit: Callable[[About], object] = lambda _: None,
    ) -> tuple[About, bool]:
        """Store a file's content under a name (default: the file's); returns the data set, and whether it is new.

        The same content under the same name is the same data set, and stays its first `owner`'s. Raises
        `InvalidUpload`, `Conflict` where the name has other content or is another project's, `NotStored`, and what
        `admit` does, which is called with a new one before it is there; nothing of the file is left behind then.
        """
        name = _name(filename) if name is None else name
        if not re.fullmatch(NAME, name):
            message = "should be 1 to 64 of a-z, 0-9, '_', '.' and '-', the first a letter or a digit"
            raise InvalidUpload(message, "name")
        try:
            with self._temporary_folder() as folder:
                about = _write(file, filename, name, options, folder)
                about = about.model_copy(update={"owner": owner, "project": project})
                _describe(folder, about)
                return self._rename(folder, about, admit)
        except OSError as error:
            raise NotStored(f"the data set cannot be stored: {error.strerror or error}") from error

    def remove(self, name: str) -> None:
        """Delete a data set; raises `NotFound`."""
        self.find(name)
        gone = Path(tempfile.mkdtemp(prefix=_GONE, dir=self._folder))
        try:
            os.replace(self._folder / name, gone / name)
            _sync(self._folder)
        except FileNotFoundError:
            pass  # another call was first
        finally:
            shutil.rmtree(gone, ignore_errors=True)

    def _names(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if re.fullmatch(NAME, path.name))

    @contextmanager
    def _temporary_folder(self) -> Iterator[Path]:
        """Give a temporary folder to build a data set in, after removing those left by killed processes."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # another upload is at work: what lies there may be its own
            else:
                for prefix in (_NEW, _GONE):
                    for left in self._folder.glob(f"{prefix}*"):
                        shutil.rmtree(left, ignore_errors=True)
            fcntl.flock(lock, fcntl.LOCK_SH)
            folder = Path(tempfile.mkdtemp(prefix=_NEW, dir=self._folder))
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def _about(self, name: str) -> About | None:
        if not re.fullmatch(NAME, name):
            return None
        try:
            return About.model_validate_json((self._folder / name / ABOUT).read_bytes())
        except FileNotFoundError:
            return None

    def _rename(self, folder: Path, about: About, admit: Callable[[About], object]) -> tuple[About, bool]:
        """Rename the folder to its final name, unless that is taken."""
        if self._about(about.name) is None:
            admit(about)
        for _ in range(10):  # a name that is freed between the two looks is tried again
            try:
                os.rename(folder, self._folder / about.name)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            else:
                _sync(self._folder)
                return about, True
            existing = self._about(about.name)
            if existing is not None and (existing.sha256, existing.project) == (about.sha256, about.project):
                return existing, False
            if existing is not None:
                raise Conflict(f"there is another data set {about.name!r}: delete it first, or choose another name")
        raise NotStored(f"{self._folder / about.name} is in the way: it is no data set")


def _name(filename: str) -> str:
    whole = re.sub(r"\.gz$", "", Path(filename).name.lower())
    stem = re.sub(r"[^a-z0-9_.-]+", "_", Path(whole).stem).strip("_.-")[:64]
    if not stem:
        raise InvalidUpload("should be given: the file's own name has no letters or digits", "name")
    return stem


def _write(file: BinaryIO, filename: str, name: str, options: Options, folder: Path) -> About:
    """Read the file, and write its arrays into `folder`, synced to disk."""
    size = file.seek(0, os.SEEK_END)
    if not 0 < size <= MOST_FILE:
        raise InvalidUpload("the file is empty" if not size else f"the file is larger than {MOST_FILE:,} bytes")
    file.seek(0)
    file_sha256 = _sha256(file)
    file.seek(0)
    found = read(file, filename, options, folder)
    for array, values in found.arrays.items():
        np.save(folder / f"{array}.npy", values, allow_pickle=False)
    digests = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb") as written:
            digests[path.name] = _sha256(written)
            os.fsync(written.fileno())
    return About(
        **found.content.model_dump(mode="json"),
        name=name,
        sha256=hashlib.sha256(json.dumps([found.content.hashed(), digests], sort_keys=True).encode()).hexdigest(),
        file_sha256=file_sha256,
        bytes=sum(path.stat().st_size for path in folder.iterdir()),
        created_at=datetime.now(UTC).replace(microsecond=0),
    )


def _describe(folder: Path, about: About) -> None:
    """Write the description beside the arrays, synced to disk."""
    with (folder / ABOUT).open("w", encoding="utf-8") as out:
        out.write(about.model_dump_json())
        out.flush()
        os.fsync(out.fileno())
    _sync(folder)


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(2**20):
        digest.update(chunk)
    return digest.hexdigest()


def _sync(folder: Path) -> None:
    """Sync a folder's entries to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
