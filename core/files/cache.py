"""Copies of a remote store's files on this machine's disk: by their hash, checked, and no more than a limit."""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path

from core.files.file_store import DamagedFile

PART = ".part"
YOUNG = 60.0
"""Seconds since its last use within which a file is not given up: who asked for it may not have opened it yet."""
ABANDONED = 3600.0
"""Seconds after which what is still half written is of a process that is gone."""

_checked: set[tuple[str, int, int, int]] = set()
"""Those that this process has hashed, as they were: path, inode, size, time of their last change."""


@dataclass(frozen=True)
class FileCache:
    """A folder that the processes of a machine share. A file that is in use stays readable when it is given up."""

    folder: Path
    limit: int
    """Bytes. A file that is larger by itself is kept for as long as it is the one used last."""

    def draft(self, name: str) -> Path:
        """Return where to write a file that is about to be stored under a name."""
        folder = self.folder / "drafts"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder / f"{os.getpid()}-{name.replace('/', '~')}"

    def keep(self, path: Path, sha256: str) -> None:
        """Take over a file that this process has just hashed."""
        path.replace(self.folder / sha256)
        self._use(self.folder / sha256)
        self.trim()

    def get(self, sha256: str, fetch: Callable[[BufferedRandom], None]) -> Path:
        """Return the path of the file with that hash; `fetch` writes it where it is not here, or is damaged.

        Processes that want the same file at a time wait for the one that fetches it. Raises `DamagedFile` where what
        is fetched has another hash, and what `fetch` raises.
        """
        path = self.folder / sha256
        if self._is_whole(path, sha256):
            return path
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone(Path(f"{path}{PART}")) as part:
            if self._is_whole(path, sha256):
                return path
            fetch(part)
            part.flush()
            part.seek(0)
            found = hashlib.file_digest(part, "sha256").hexdigest()
            if found != sha256:
                raise DamagedFile(f"a stored file has the SHA-256 {found}, and had {sha256} when it was stored")
            os.replace(part.name, path)
            self._use(path)
        self.trim()
        return path

    def trim(self) -> None:
        """Remove the files that were used longest ago, until the rest is within the limit."""
        files = []
        for path in [*self.folder.glob("*"), *self.folder.glob("drafts/*")]:
            with suppress(FileNotFoundError):  # another process was first
                about = path.stat()
                age = time.time() - max(about.st_atime, about.st_mtime)
                if not path.is_file():
                    continue
                if path.name.endswith(PART) or path.parent != self.folder:
                    if age > ABANDONED:
                        path.unlink()
                    continue
                files.append((about.st_atime, about.st_size, path, age))
        total = sum(size for _, size, _, _ in files)
        for _, size, path, age in sorted(files):
            if total <= self.limit or age < YOUNG:
                break
            path.unlink(missing_ok=True)
            total -= size

    @contextmanager
    def _alone(self, part: Path) -> Iterator[BufferedRandom]:
        """Give an empty file at that path to the one process that writes it; removed afterwards if it is still there.

        The lock is on the file itself: whoever waited for one that was renamed meanwhile makes another.
        """
        while True:
            with open(part, "a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if not _is_at(file, part):
                    continue
                file.truncate(0)
                try:
                    yield file
                finally:
                    if _is_at(file, part):
                        part.unlink()
                return

    def _is_whole(self, path: Path, sha256: str) -> bool:
        """Return whether the file is here; one that has changed on this disk is removed."""
        try:
            about = path.stat()
        except FileNotFoundError:
            return False
        seen = (str(path), about.st_ino, about.st_size, about.st_mtime_ns)
        if seen not in _checked:
            with suppress(FileNotFoundError), path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    path.unlink(missing_ok=True)
                    return False
        return self._use(path)

    def _use(self, path: Path) -> bool:
        """Note that a file is wanted now; returns False where it is not here any more."""
        try:
            about = path.stat()
            os.utime(path, ns=(time.time_ns(), about.st_mtime_ns))
        except FileNotFoundError:
            return False
        _checked.add((str(path), about.st_ino, about.st_size, about.st_mtime_ns))
        return True


def _is_at(file: BufferedRandom, path: Path) -> bool:
    """Return whether an open file is the one at a path."""
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False
