"""A ZIP whose bytes depend on what is put in alone, with the SHA-256 of every file."""

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple, cast

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first time that a ZIP knows: that of all its files, so that the same content is the same file."""
LEVEL = 6
UNIX, READABLE = 3, 0o100644 << 16
SUMS = "SHA256SUMS"


class Packed(NamedTuple):
    """A file that was put in: its bytes, and their SHA-256 in hexadecimal digits."""

    size: int
    sha256: str


class Archive:
    """Writes files below `folder` into a ZIP; `files` are those that are in it, by their names without the folder."""

    def __init__(self, out: IO[bytes] | zipfile.ZipFile, folder: str = "") -> None:
        new = zipfile.ZipFile
        self._zip = out if isinstance(out, new) else new(out, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)
        self._folder = folder
        self.files: dict[str, Packed] = {}

    def within(self, folder: str) -> "Archive":
        """Return an archive that writes into a folder of this one's, and has the files of that folder alone."""
        return Archive(self._zip, f"{self._folder}{folder}")

    def add(self, name: str, content: bytes) -> None:
        """Put in a file."""
        self._zip.writestr(self._info(name), content, zipfile.ZIP_DEFLATED, LEVEL)
        self.files[name] = Packed(len(content), hashlib.sha256(content).hexdigest())

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """Put in a file of any length, as it is written."""
        with self._zip.open(self._info(name), "w", force_zip64=True) as file:
            counted = _Counted(file)
            yield cast(IO[bytes], counted)
        self.files[name] = Packed(counted.size, counted.hash.hexdigest())

    def sums(self) -> bytes:
        """Return the checksums of all files as `sha256sum --check` reads them."""
        return "".join(f"{file.sha256}  {name}\n" for name, file in sorted(self.files.items())).encode()

    def close(self) -> None:
        """Write the directory of the ZIP."""
        self._zip.close()

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(f"{self._folder}{name}", EPOCH)
        info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, UNIX, READABLE
        return info


class _Counted:
    """A file that is written to, whose bytes are counted and hashed on their way."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size, self.hash = 0, hashlib.sha256()

    def write(self, part: Any) -> int:
        self.hash.update(part)
        self.size += len(part)
        return self._file.write(part)

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def flush(self) -> None:
        """Do nothing: the ZIP is written when the file ends."""
