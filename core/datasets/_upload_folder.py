"""Users' data sets in a folder: a subfolder each, which appears complete or not at all."""

import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from core.datasets._content import About
from core.errors import Conflict, InitlabError
from core.files.folder import sync_folder

NAME = r"[a-z0-9][a-z0-9_.-]{0,63}"
ABOUT = "about.json"
_NEW, _GONE, _LOCK = ".new-", ".gone-", ".lock"


class NotStored(InitlabError):
    """The data set cannot be written to disk; nothing of it is kept."""

    status = 507
    title = "Storage full"


class UploadFolder:
    """The data sets below a folder. The folder is the index: every named subfolder is complete and on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Return the names, sorted."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if re.fullmatch(NAME, path.name))

    def all(self) -> Iterator[About]:
        """Yield the data sets by name."""
        for name in self.names():
            about = self.about(name)
            if about is not None:  # not one that was deleted meanwhile
                yield about

    def about(self, name: str) -> About | None:
        """Return the data set of a name; None where there is none."""
        try:
            return About.model_validate_json((self._folder / name / ABOUT).read_bytes())
        except FileNotFoundError:
            return None

    def pinned(self, name: str, sha256: str) -> About | None:  # noqa: ARG002 a look costs nothing here
        """Return the data set of a name; None where there is none."""
        return self.about(name)

    def state(self) -> list[tuple[str, int | str]]:
        """Return what changes whenever a data set comes or goes: every name with its folder's number on disk."""
        if not self._folder.is_dir():
            return []
        folders = [(entry.name, entry.inode()) for entry in os.scandir(self._folder)]
        return [(".", self._folder.stat().st_mtime_ns), *sorted(one for one in folders if re.fullmatch(NAME, one[0]))]

    def path(self, about: About, file: str) -> Path:
        """Return one of its files."""
        return self._folder / about.name / file

    def has(self, about: About, file: str) -> bool:
        """Return whether it has that file."""
        return self.path(about, file).exists()

    def files(self, about: About) -> list[str]:
        """Return the names of its files of arrays; raises `FileNotFoundError` where it is gone."""
        return sorted(path.name for path in (self._folder / about.name).iterdir() if path.name != ABOUT)

    @contextmanager
    def temporary_folder(self) -> Iterator[Path]:
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

    def publish(
        self, folder: Path, about: About, digests: Mapping[str, str], admit: Callable[[About], object]
    ) -> tuple[About, bool]:
        """Rename the temporary folder to its final name, unless that is taken by other content: raises `Conflict`."""
        del digests  # the content's own hash says it all
        _describe(folder, about)
        if self.about(about.name) is None:
            admit(about)
        for _ in range(10):  # a name that is freed between the two looks is tried again
            try:
                os.rename(folder, self._folder / about.name)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            else:
                sync_folder(self._folder)
                return about, True
            existing = self.about(about.name)
            if existing is not None and (existing.sha256, existing.project) == (about.sha256, about.project):
                return existing, False
            if existing is not None:
                raise Conflict(f"there is another data set {about.name!r}: delete it first, or choose another name")
        raise NotStored(f"{self._folder / about.name} is in the way: it is no data set")

    def remove(self, name: str) -> None:
        """Delete a data set, at once for all who look."""
        gone = Path(tempfile.mkdtemp(prefix=_GONE, dir=self._folder))
        try:
            os.replace(self._folder / name, gone / name)
            sync_folder(self._folder)
        except FileNotFoundError:
            pass  # another call was first
        finally:
            shutil.rmtree(gone, ignore_errors=True)

    def clear(self, seconds: float) -> int:  # noqa: ARG002 the next upload does it
        return 0


def _describe(folder: Path, about: About) -> None:
    """Write the description beside the arrays, synced to disk."""
    with (folder / ABOUT).open("w", encoding="utf-8") as out:
        out.write(about.model_dump_json())
        out.flush()
        os.fsync(out.fileno())
    sync_folder(folder)
