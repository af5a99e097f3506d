"""What every file store promises, of a folder and of an S3 server that is asked over HTTP."""

import hashlib
import os
import pickle
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from core.files import FileStore, FolderStore
from tests.seaweed import S3Server


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "folder" / "below")
    server: S3Server = request.getfixturevalue("s3")
    return server.store(f"contract/{uuid.uuid4().hex}", tmp_path / "cache")


def put(store: FileStore, name: str, content: bytes) -> str:
    path = store.place(name)
    path.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    store.put(name, path, sha256)
    return sha256


def names(store: FileStore, prefix: str = "") -> list[str]:
    return [one.name for one in store.list(prefix)]


def test_a_file_is_there_when_put_has_returned(store: FileStore) -> None:
    content = os.urandom(20_000_000)  # of several parts
    sha256 = put(store, "a/b.bin", content)
    assert store.local("a/b.bin", sha256).read_bytes() == content
    (one,) = store.list()
    assert (one.name, one.bytes) == ("a/b.bin", len(content))


def test_what_is_not_there_is_not_found(store: FileStore) -> None:
    with pytest.raises(FileNotFoundError):
        store.read("nothing")
    with pytest.raises(FileNotFoundError):
        store.local("nothing", "0" * 64)
    assert names(store) == []
    store.remove(["nothing"])


def test_a_file_is_created_once_whoever_tries(store: FileStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(partial(store.create, "one"), [b"%d" % i for i in range(8)]))
    assert sum(made) == 1
    assert store.read("one") == b"%d" % made.index(True)
    assert not store.create("one", b"another")
    store.remove(["one"])
    assert store.create("one", b"another")


def test_a_prefix_ends_anywhere(store: FileStore) -> None:
    wanted = [f"x/cohort-1-{i}" for i in range(3)]
    for name in [*wanted, "x/cohort-11-1", "x/cohort-0", "x/d", "x/cohort-1", "xy", "w"]:
        store.create(name, b"")
    assert names(store, "x/cohort-1-") == wanted
    assert names(store.below("x"), "cohort-1-") == ["cohort-1-0", "cohort-1-1", "cohort-1-2"]
    assert len(names(store)) == 9
    assert names(store, "x/") == sorted([*wanted, "x/cohort-11-1", "x/cohort-0", "x/d", "x/cohort-1"])
    store.remove(wanted)
    assert names(store, "x/cohort-1-") == []
    assert len(names(store)) == 6


def test_a_store_is_a_value(store: FileStore) -> None:
    assert pickle.loads(pickle.dumps(store)) == store  # noqa: S301 our own
    assert store.below("a") != store
    assert hash(store.below("a")) == hash(store.below("a"))


def test_what_is_put_is_not_half_written(store: FileStore) -> None:
    put(store, "a", b"1")
    (store.place("b").parent / ".b.77").write_bytes(b"half")
    assert names(store) == ["a"]
    left = [one.name for one in store.half_written()]
    store.remove(left)
    assert [one.name for one in store.half_written()] == []
