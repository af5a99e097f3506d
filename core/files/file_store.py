"""The interface of a file store: named files that are there whole or not at all, and never change."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from core.errors import InitlabError


class FilesUnavailable(InitlabError):
    """The file store cannot be reached, or refuses; the same call may succeed later."""

    status = 503
    title = "File store not available"
    retry_after = 5


class StoredFile(NamedTuple):
    """A file of a store."""

    name: str
    bytes: int
    modified: float
    """Seconds since 1970, by the store's clock."""
    version: str
    """Another one for another content under the same name."""


class FileStore(Protocol):
    """Files by name, with `/` between the parts of a name. Stores are values: they can be compared and pickled.

    A file is there once `put` or `create` has returned, also after a crash, and never in part. Names are not used
    again for other content, but for those that `create` made and `remove` took away. Everything may raise
    `FilesUnavailable`, or `OSError` of the disk.
    """

    def below(self, part: str) -> "FileStore":
        """Return the store of the files whose names begin with `part/`."""

    def place(self, name: str) -> Path:
        """Return where to write a file that is to be `put` under a name; its folder exists."""

    def put(self, name: str, path: Path, sha256: str) -> None:
        """Store the file at `place(name)`, which has this hash, and take it over: `path` may be gone afterwards."""

    def create(self, name: str, content: bytes) -> bool:
        """Store a small file; returns False, and changes nothing, where there is one of that name already."""

    def read(self, name: str) -> bytes:
        """Return the content of a small file; raises `FileNotFoundError`."""

    def local(self, name: str, sha256: str | None = None) -> Path:
        """Return a path of this machine where the file can be read now; raises `FileNotFoundError`.

        What comes from elsewhere is checked against `sha256`, which it needs, and raises `DamagedFile` where it is
        other content. A file that is open, or mapped, may be read on for as long as it is.
        """

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        """Yield the files whose names begin with `prefix`, sorted by name; those half written are not among them."""

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; of those that are not there nothing is said."""

    def half_written(self, prefix: str = "") -> Iterator[StoredFile]:
        """Yield what is being written, or was by a process that is gone, under such names; for `remove`."""


class DamagedFile(InitlabError):
    """The file has other content than was stored under its name."""

    title = "Damaged file"
