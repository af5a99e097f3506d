"""Users' data sets in a file store: a small file for each name says which files of arrays are its content."""

import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import BaseModel

from core.datasets._content import About
from core.errors import Conflict
from core.files import FileStore, StoredFile

INDEX, ARRAYS = "index/", "arrays/"
_NEW = "initlab-upload-"
READERS = 8
"""Requests at a time where all data sets are read."""
KNOWN = 10_000
"""Descriptions that a process remembers."""


class Entry(BaseModel):
    """The small file of a name."""

    about: About
    files: dict[str, str]
    """Those of its arrays in the store, by `x.npy` and so on."""
    digests: dict[str, str]
    """Their hashes, likewise."""


class _Memory:
    """The entries that this process has read: none changes, and another of its name has another version or content."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[object, ...], Entry] = {}

    def get(self, *key: object) -> Entry | None:
        with self._lock:
            return self._known.get(key)

    def put(self, entry: Entry, *key: object) -> Entry:
        with self._lock:
            if len(self._known) >= KNOWN:
                self._known.pop(next(iter(self._known)))
            self._known[key] = entry
        return entry


_memory = _Memory()


class UploadFiles:
    """The data sets of a file store.

    The arrays are stored first, under a name that nobody has used, and the entry last, where the name is free: who
    sees an entry finds its arrays. A delete takes the entry away first.
    """

    def __init__(self, store: FileStore) -> None:
        self._store = store

    def names(self) -> list[str]:
        """Return the names, sorted."""
        return sorted(_name_of(one) for one in self._store.list(INDEX))

    def all(self) -> Iterator[About]:
        """Yield the data sets by name; those that this process knows are not read again."""
        listed = sorted(self._store.list(INDEX), key=_name_of)
        with ThreadPoolExecutor(READERS) as readers:
            for entry in readers.map(self._listed, listed):
                if entry is not None:  # not one that was deleted meanwhile
                    yield entry.about

    def about(self, name: str) -> About | None:
        """Return the data set of a name; None where there is none."""
        entry = self._entry(name)
        return None if entry is None else entry.about

    def pinned(self, name: str, sha256: str) -> About | None:
        """Return the data set of a name; not by looking again where this process has seen it with that content."""
        entry = _memory.get(self._store, name, sha256) or self._entry(name)
        return None if entry is None else entry.about

    def state(self) -> list[tuple[str, int | str]]:
        """Return what changes whenever a data set comes or goes: every name with its entry's version."""
        return [(one.name, f"{one.version} {one.modified}") for one in self._store.list(INDEX)]

    def path(self, about: About, file: str) -> Path:
        """Return a copy of one of its files on this machine; raises `FileNotFoundError`."""
        entry = _memory.get(self._store, about.name, about.sha256)
        if entry is not None:
            with suppress(FileNotFoundError):  # deleted, and sent again
                return self._store.local(entry.files[file], entry.digests[file])
        entry = self._entry(about.name)
        if entry is None or entry.about.sha256 != about.sha256:
            raise FileNotFoundError(f"there is no {file} of that content any more")
        return self._store.local(entry.files[file], entry.digests[file])

    def has(self, about: About, file: str) -> bool:
        """Return whether it has that file."""
        entry = _memory.get(self._store, about.name, about.sha256) or self._entry(about.name)
        return entry is not None and file in entry.files

    def files(self, about: About) -> list[str]:
        """Return the names of its files of arrays; raises `FileNotFoundError` where it is gone."""
        entry = self._entry(about.name)
        if entry is None:
            raise FileNotFoundError(f"there is no data set {about.name} any more")
        return sorted(entry.files)

    @contextmanager
    def temporary_folder(self) -> Iterator[Path]:
        """Give a temporary folder to build a data set in."""
        folder = Path(tempfile.mkdtemp(prefix=_NEW))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(
        self, folder: Path, about: About, digests: Mapping[str, str], admit: Callable[[About], object]
    ) -> tuple[About, bool]:
        """Store the files, and then the entry, unless its name is taken by other content: raises `Conflict`."""
        existing = self.about(about.name)
        if existing is not None:
            return _same(existing, about), False
        admit(about)
        into = f"{ARRAYS}{about.name}/{uuid.uuid4().hex}"
        files = {name: f"{into}/{name}" for name in digests}
        try:
            for name, stored in files.items():
                place = self._store.place(stored)
                shutil.move(folder / name, place)
                self._store.put(stored, place, digests[name])
            made = Entry(about=about, files=files, digests=dict(digests))
            if self._store.create(_entry_of(about.name), made.model_dump_json().encode()):
                return about, True
        except BaseException:
            self._store.remove(files.values())
            raise
        self._store.remove(files.values())
        existing = self.about(about.name)
        if existing is None:
            raise Conflict(f"the data set {about.name!r} came and went meanwhile: send it again")
        return _same(existing, about), False

    def remove(self, name: str) -> None:
        """Delete a data set, at once for all who look."""
        entry = self._entry(name)
        self._store.remove([_entry_of(name)])
        if entry is not None:
            self._store.remove(entry.files.values())

    def clear(self, seconds: float) -> int:
        """Remove arrays that no entry names, if they are older: of uploads and deletes that were cut off."""
        for left in Path(tempfile.gettempdir()).glob(f"{_NEW}*"):
            with suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > seconds:
                    shutil.rmtree(left, ignore_errors=True)
        old = [one for one in self._store.list(ARRAYS) if time.time() - one.modified > seconds]
        if not old:
            return 0
        entries = [self._listed(one) for one in self._store.list(INDEX)]  # read after the arrays: none is missing
        needed = {file for entry in entries if entry for file in entry.files.values()}
        gone = [one.name for one in old if one.name not in needed]
        self._store.remove(gone)
        return len(gone)

    def _entry(self, name: str) -> Entry | None:
        try:
            entry = Entry.model_validate_json(self._store.read(_entry_of(name)))
        except FileNotFoundError:
            return None
        return _memory.put(entry, self._store, name, entry.about.sha256)

    def _listed(self, one: StoredFile) -> Entry | None:
        name = _name_of(one)
        known = _memory.get(self._store, name, one.version, one.modified)
        if known is not None:
            return known
        entry = self._entry(name)
        return entry and _memory.put(entry, self._store, name, one.version, one.modified)


def _entry_of(name: str) -> str:
    return f"{INDEX}{name}.json"


def _name_of(one: StoredFile) -> str:
    return one.name[len(INDEX) :].removesuffix(".json")


def _same(existing: About, about: About) -> About:
    """Return the data set that is there, which has that content; raises `Conflict` where it has another."""
    if (existing.sha256, existing.project) == (about.sha256, about.project):
        return existing
    raise Conflict(f"there is another data set {about.name!r}: delete it first, or choose another name")
