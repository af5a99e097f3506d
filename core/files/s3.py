"""Files in S3-compatible object storage, by obstore, with a cache on this machine's disk."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache, partial
from importlib import import_module
from io import BufferedRandom
from pathlib import Path
from typing import Any

from core.errors import Unavailable
from core.files.cache import FileCache
from core.files.file_store import FilesUnavailable, StoredFile

CHUNK = 8 * 2**20
"""Bytes of a file that one request fetches, or sends."""
REQUEST_SECONDS = 30
"""Seconds of one request, of `CHUNK` bytes at most; it is tried again, but not for longer than `RETRY_SECONDS`.

Both together are less than the watchdog takes for a hang (60 s): a training that waits for a server which a network has
cut off is told so, and is not ended.
"""
CONNECT_SECONDS = 5
RETRY_SECONDS = 15
TRIES = 4
REMOVED_AT_ONCE = 1000
"""Files of one request that removes, which S3 has as its limit."""


@dataclass(frozen=True, kw_only=True)
class S3Address:
    """A bucket, and how it is reached. What is empty comes from where programs on AWS have it from."""

    bucket: str
    endpoint: str = ""
    """The URL of the server; empty: AWS."""
    region: str = ""
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class S3Store:
    """A `FileStore` in a bucket, below a prefix.

    Not for a process that forks afterwards: the threads of its client are not in the child, which is told so.
    """

    address: S3Address
    prefix: str
    """Empty, or what all names begin with, without the `/` behind it."""
    cache: FileCache

    def __str__(self) -> str:
        return f"s3://{'/'.join(filter(None, (self.address.bucket, self.prefix)))}"

    def below(self, part: str) -> "S3Store":
        return replace(self, prefix="/".join(filter(None, (self.prefix, part))))

    def place(self, name: str) -> Path:
        return self.cache.draft(self._key(name))

    def put(self, name: str, path: Path, sha256: str) -> None:
        """Send the file in parts, and keep it in the cache: who wrote it is often the one to read it."""
        with self._calls() as s3:
            s3.put(self._client, self._key(name), path, chunk_size=CHUNK)
        self.cache.keep(path, sha256)

    def create(self, name: str, content: bytes) -> bool:
        """Store a small file where there is none, by `If-None-Match: *`.

        Of a request that was tried again the first try may have been the one that stored it: the content tells.
        """
        with self._calls() as s3:
            try:
                s3.put(self._client, self._key(name), content, mode="create")
            except s3.exceptions.AlreadyExistsError:
                return self.read(name) == content
        return True

    def read(self, name: str) -> bytes:
        with self._calls() as s3:
            return bytes(s3.get(self._client, self._key(name)).bytes())

    def local(self, name: str, sha256: str | None = None) -> Path:
        if sha256 is None:
            raise ValueError(f"{name}: a file of {self} needs the hash that it had when it was stored")
        return self.cache.get(sha256, partial(self._fetch, name))

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        beginning = self._key(prefix)
        inside, _, part = beginning.rpartition("/")
        with self._calls() as s3:
            # S3's own prefix may end anywhere, the client's only between two parts of a name.
            found = s3.list(self._client, prefix=inside or None, offset=beginning if part else None)
            for batch in found:
                for one in batch:
                    if not one["path"].startswith(beginning):
                        if one["path"] > beginning:
                            return
                        continue
                    name = one["path"][len(self.prefix) + 1 if self.prefix else 0 :]
                    yield StoredFile(name, one["size"], one["last_modified"].timestamp(), one["e_tag"] or "")

    def remove(self, names: Iterable[str]) -> None:
        keys = [self._key(name) for name in names]
        with self._calls() as s3:
            for first in range(0, len(keys), REMOVED_AT_ONCE):
                s3.delete(self._client, keys[first : first + REMOVED_AT_ONCE])

    def half_written(self, prefix: str = "") -> Iterator[StoredFile]:  # noqa: ARG002 the interface's
        """Yield nothing: objects are whole, and the cache clears its drafts by itself."""
        return iter(())

    def _fetch(self, name: str, into: BufferedRandom) -> None:
        with self._calls() as s3:
            size = s3.head(self._client, self._key(name))["size"]
            for start in range(0, size, CHUNK):
                end = min(size, start + CHUNK)
                into.write(s3.get_range(self._client, self._key(name), start=start, end=end))

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    @property
    def _client(self) -> Any:
        return _client(self.address, os.getpid())

    @contextmanager
    def _calls(self) -> Iterator[Any]:
        """Give the library, and say in words what it says of the server."""
        s3 = _library()
        try:
            yield s3
        except (s3.exceptions.PermissionDeniedError, s3.exceptions.UnauthenticatedError) as error:
            text = f"the file store {self} refuses: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            raise FilesUnavailable(f"{text} ({_first_line(error)})") from error
        except s3.exceptions.BaseError as error:
            raise FilesUnavailable(f"the file store {self} cannot be used: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:400]


@lru_cache(maxsize=1)
def _library() -> Any:
    """Return obstore. Raises `Unavailable` without it."""
    try:
        import_module("obstore.store")
        return import_module("obstore")
    except ModuleNotFoundError as error:
        raise Unavailable(f'INITLAB_FILES_URL needs {error.name}: pip install "initlab[s3]"') from error


_used_by: set[int] = set()
"""The process that has a client, whose threads no child of it would have."""


@lru_cache(maxsize=8)
def _client(address: S3Address, process: int) -> Any:
    if _used_by - {process}:
        raise RuntimeError("a process that has used S3 was forked: its child would wait for ever")
    _used_by.add(process)
    given = {
        "endpoint": address.endpoint,
        "region": address.region,
        "access_key_id": address.access_key_id,
        "secret_access_key": address.secret_access_key,
        "session_token": address.session_token,
    }
    return import_module("obstore.store").S3Store(
        address.bucket,
        config={name: value for name, value in given.items() if value},
        client_options={
            "allow_http": address.endpoint.startswith("http:"),
            "timeout": timedelta(seconds=REQUEST_SECONDS),
            "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
        },
        retry_config={
            "max_retries": TRIES,
            "retry_timeout": timedelta(seconds=RETRY_SECONDS),
            "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=3), "base": 2},
        },
    )
