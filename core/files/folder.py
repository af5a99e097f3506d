"""Files in a folder that all processes see."""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from core.files.file_store import StoredFile


@dataclass(frozen=True)
class FolderStore:
    """A `FileStore` in a folder, made when it is first written to. What is half written has a dot before its name."""

    folder: Path

    def below(self, part: str) -> "FolderStore":
        return FolderStore(self.folder / part)

    def place(self, name: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def put(self, name: str, path: Path, sha256: str) -> None:  # noqa: ARG002 the interface's
        """Rename the file to its name, unless it was written there, as it may be by who renames it by itself."""
        if path != self.folder / name:
            with path.open("rb+") as file:
                os.fsync(file.fileno())
            path.replace(self.place(name))
        sync_folder(self.place(name).parent)

    def create(self, name: str, content: bytes) -> bool:
        path = self.place(name)
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-") as draft:
            draft.write(content)
            draft.flush()
            os.fsync(draft.fileno())
            try:
                os.link(draft.name, path)
            except FileExistsError:
                return False
        sync_folder(path.parent)
        return True

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def local(self, name: str, sha256: str | None = None) -> Path:  # noqa: ARG002 its readers check what they have to
        path = self.folder / name
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return path

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        return (one for one in self._found(prefix) if not any(part.startswith(".") for part in one.name.split("/")))

    def half_written(self, prefix: str = "") -> Iterator[StoredFile]:
        return self._found(f".{prefix}")

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def _found(self, prefix: str) -> Iterator[StoredFile]:
        top = self.folder / prefix.rpartition("/")[0]
        for path in sorted(top.rglob("*") if top.is_dir() else ()):
            name = path.relative_to(self.folder).as_posix()
            if name.startswith(prefix):
                with suppress(FileNotFoundError):  # it was removed meanwhile
                    about = path.stat()
                    if stat.S_ISREG(about.st_mode):
                        version = f"{about.st_ino}-{about.st_mtime_ns}"
                        yield StoredFile(name, about.st_size, about.st_mtime, version)


def sync_folder(folder: Path) -> None:
    """Sync a folder's entries to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
