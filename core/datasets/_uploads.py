"""Users' own data sets: complete or not there at all, in a folder or in a file store."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np

from core.datasets._content import MOST_FILE, About, InvalidUpload
from core.datasets._options import Options
from core.datasets._reading import read
from core.datasets._upload_files import UploadFiles
from core.datasets._upload_folder import NAME, NotStored, UploadFolder
from core.errors import NotFound, Problem
from core.files import FileStore
from core.registry import unknown

__all__ = ["NAME", "NotStored", "Uploads"]


class Uploads:
    """The data sets of a folder, or of a file store."""

    def __init__(self, place: Path | FileStore, hidden: Collection[str] = ()) -> None:
        """Take the place, and projects whose data sets are not there for the one who asks."""
        self._place = UploadFolder(place) if isinstance(place, Path) else UploadFiles(place)
        self._hidden = hidden

    def __iter__(self) -> Iterator[About]:
        """Yield all data sets, sorted by name."""
        for about in self._place.all():
            if about.project not in self._hidden:
                yield about

    def get(self, name: str) -> About | None:
        """Return the data set stored under a name; None where there is none."""
        about = self._place.about(name) if re.fullmatch(NAME, name) else None
        return None if about is None or about.project in self._hidden else about

    def pinned(self, name: str, sha256: str) -> About | None:
        """Return the data set of a name as `get` does; where it has that content, not always by looking again."""
        about = self._place.pinned(name, sha256) if re.fullmatch(NAME, name) else None
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
        names = [one.name for one in self] if self._hidden else self._place.names()
        return unknown("data set", name, names, "name") if names else Problem("name", f"there is no data set {name!r}")

    def state(self) -> list[tuple[str, int | str]]:
        """Return what changes whenever a data set comes or goes."""
        return self._place.state()

    def path(self, about: About, array: str) -> Path:
        """Return a file of this machine with one of its arrays: `x`, `y`, and for a part held out `x_valid`, `y_valid`.

        Raises `OSError` where it is not there any more.
        """
        return self._place.path(about, f"{array}.npy")

    def has(self, about: About, array: str) -> bool:
        """Return whether it has an array of that name."""
        return self._place.has(about, f"{array}.npy")

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
            with self._place.temporary_folder() as folder:
                about, digests = _write(file, filename, name, options, folder)
                about = about.model_copy(update={"owner": owner, "project": project})
                return self._place.publish(folder, about, digests, admit)
        except OSError as error:
            raise NotStored(f"the data set cannot be stored: {error.strerror or error}") from error

    def copy(self, name: str, into: Path) -> About | None:
        """Copy the files of a data set into a new folder; returns the data set, None where there is none (any more).

        What is deleted meanwhile, and sent again with other content, is copied as it is then. Raises
        `FileNotFoundError` where files of it are missing.
        """
        about = self.get(name)
        while about is not None:
            shutil.rmtree(into, ignore_errors=True)
            into.mkdir(parents=True)
            missing = None
            try:
                for file in self._place.files(about):
                    shutil.copyfile(self._place.path(about, file), into / file)
            except FileNotFoundError as error:
                missing = error
            before, about = about, self.get(name)
            if about == before and missing is None:
                return about
            if about == before and missing is not None:
                raise missing
        shutil.rmtree(into, ignore_errors=True)
        return None

    def put_back(self, about: About, folder: Path, without: str) -> None:
        """Store a data set again from a folder with its files, all but one; one with this content may be there already.

        Raises `Conflict` where the name has other content, and `NotStored`.
        """
        try:
            with self._place.temporary_folder() as draft:
                for path in folder.iterdir():
                    if path.name != without:
                        shutil.copyfile(path, draft / path.name)
                self._place.publish(draft, about, _synced(draft), lambda _: None)
        except OSError as error:
            raise NotStored(f"the data set cannot be stored: {error.strerror or error}") from error

    def remove(self, name: str) -> None:
        """Delete a data set; raises `NotFound`."""
        self.find(name)
        self._place.remove(name)

    def clear(self, seconds: float) -> int:
        """Remove what uploads and deletes that were cut off left behind, if older; returns how many files went."""
        return self._place.clear(seconds)


def _name(filename: str) -> str:
    whole = re.sub(r"\.gz$", "", Path(filename).name.lower())
    stem = re.sub(r"[^a-z0-9_.-]+", "_", Path(whole).stem).strip("_.-")[:64]
    if not stem:
        raise InvalidUpload("should be given: the file's own name has no letters or digits", "name")
    return stem


def _synced(folder: Path) -> dict[str, str]:
    """Have the files of a folder on the disk; returns the hash of each."""
    digests = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb") as written:
            digests[path.name] = _sha256(written)
            os.fsync(written.fileno())
    return digests


def _write(file: BinaryIO, filename: str, name: str, options: Options, folder: Path) -> tuple[About, dict[str, str]]:
    """Read the file, and write its arrays into `folder`, synced to disk; returns their hashes too."""
    size = file.seek(0, os.SEEK_END)
    if not 0 < size <= MOST_FILE:
        raise InvalidUpload("the file is empty" if not size else f"the file is larger than {MOST_FILE:,} bytes")
    file.seek(0)
    file_sha256 = _sha256(file)
    file.seek(0)
    found = read(file, filename, options, folder)
    for array, values in found.arrays.items():
        np.save(folder / f"{array}.npy", values, allow_pickle=False)
    digests = _synced(folder)
    about = About(
        **found.content.model_dump(mode="json"),
        name=name,
        sha256=hashlib.sha256(json.dumps([found.content.hashed(), digests], sort_keys=True).encode()).hexdigest(),
        file_sha256=file_sha256,
        bytes=sum(path.stat().st_size for path in folder.iterdir()),
        created_at=datetime.now(UTC).replace(microsecond=0),
    )
    return about, digests


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(2**20):
        digest.update(chunk)
    return digest.hexdigest()
