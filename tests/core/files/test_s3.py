"""What is S3's own: what its server refuses, a cache that is checked and bounded, and processes that fork."""

import hashlib
import os
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest

from core.files import FilesUnavailable, S3Store
from core.files.cache import YOUNG, FileCache
from core.files.file_store import DamagedFile
from tests.backends import free_port
from tests.core.files.test_file_store import put
from tests.seaweed import S3Server


@pytest.fixture
def prefix() -> str:
    return f"own/{uuid.uuid4().hex}"


def cached(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


def test_a_wrong_secret_is_said_without_it(s3: S3Server, prefix: str, tmp_path: Path) -> None:
    with pytest.raises(FilesUnavailable, match="check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") as error:
        s3.store(prefix, tmp_path, secret="not-it-at-all").read("a")
    assert "not-it-at-all" not in error.value.detail
    assert "not-it-at-all" not in repr(s3.store(prefix, tmp_path, secret="not-it-at-all"))


def test_a_server_that_is_away_is_said(tmp_path: Path) -> None:
    away = S3Server(tmp_path, [free_port()])
    with pytest.raises(FilesUnavailable, match=r"s3://lab/x cannot be used"):
        away.store("x", tmp_path).read("a")


def test_a_copy_is_read_without_the_server(s3: S3Server, prefix: str, tmp_path: Path) -> None:
    sha256 = put(s3.store(prefix, tmp_path / "one"), "a", b"content")
    elsewhere = s3.store(prefix, tmp_path / "two")
    assert elsewhere.local("a", sha256).read_bytes() == b"content"
    elsewhere.remove(["a"])
    assert elsewhere.local("a", sha256).read_bytes() == b"content"
    with pytest.raises(FileNotFoundError):
        s3.store(prefix, tmp_path / "three").local("a", sha256)


def test_other_content_is_never_taken_for_what_was_stored(s3: S3Server, prefix: str, tmp_path: Path) -> None:
    store = s3.store(prefix, tmp_path)
    put(store, "a", b"torn")
    with pytest.raises(DamagedFile, match="has the SHA-256"):
        store.local("a", hashlib.sha256(b"whole").hexdigest())
    assert cached(tmp_path) == {hashlib.sha256(b"torn").hexdigest()}


def test_a_copy_that_changed_on_the_disk_is_fetched_again(s3: S3Server, prefix: str, tmp_path: Path) -> None:
    store = s3.store(prefix, tmp_path)
    sha256 = put(store, "a", b"whole")
    store.local("a", sha256).write_bytes(b"torn!")
    assert store.local("a", sha256).read_bytes() == b"whole"


def test_the_cache_keeps_what_was_used_last_and_no_more(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 250)
    made = {}
    for i in range(4):
        content = bytes([i]) * 100
        sha256 = made[i] = hashlib.sha256(content).hexdigest()
        cache.get(sha256, lambda part, content=content: part.write(content))  # type: ignore[misc]
        os.utime(tmp_path / sha256, (i, i))  # long ago
    cache.trim()
    assert cached(tmp_path) == {made[2], made[3]}
    cache.get(made[2], lambda _part: pytest.fail("it is here"))
    large = hashlib.sha256(b"x" * 1000).hexdigest()
    path = cache.get(large, lambda part: part.write(b"x" * 1000))  # type: ignore[arg-type]
    assert cached(tmp_path) == {made[2], large}, "and what was used just now, which somebody is about to open"
    assert path.stat().st_size == 1000
    for one in (made[2], large):
        os.utime(tmp_path / one, (1, 1))
    cache.trim()
    assert cached(tmp_path) == set()
    assert YOUNG < 3600


def test_many_at_once_fetch_a_file_once(tmp_path: Path) -> None:
    cache, content = FileCache(tmp_path, 1000), b"content"
    sha256, fetched, found = hashlib.sha256(content).hexdigest(), [], []
    begun = threading.Event()

    def fetch(part: object) -> None:
        fetched.append(part)
        begun.wait(20)
        part.write(content)  # type: ignore[attr-defined]

    threads = [threading.Thread(target=lambda: found.append(cache.get(sha256, fetch))) for _ in range(6)]
    for thread in threads:
        thread.start()
    begun.set()
    for thread in threads:
        thread.join(20)
    assert len(fetched) == 1
    assert {path.read_bytes() for path in found} == {content}
    assert cached(tmp_path) == {sha256}


def test_what_could_not_be_fetched_leaves_nothing(tmp_path: Path) -> None:
    def fetch(_part: object) -> None:
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        FileCache(tmp_path, 1000).get("0" * 64, fetch)
    assert cached(tmp_path) == set()


def test_a_child_of_a_process_that_used_it_is_told_so(s3: S3Server, prefix: str, tmp_path: Path) -> None:
    """It would wait for threads that were not forked, for ever."""
    script = """if True:
        import os, pickle, sys
        store = pickle.load(sys.stdin.buffer)
        store.create("a", b"1")
        child = os.fork()
        if child == 0:
            try:
                store.read("a")
            except RuntimeError as error:
                os.write(1, str(error).encode())
            os._exit(0)
        os.waitpid(child, 0)
    """
    import pickle  # noqa: PLC0415

    store: S3Store = s3.store(prefix, tmp_path)
    ran = subprocess.run(
        [sys.executable, "-c", script], input=pickle.dumps(store), capture_output=True, timeout=60, check=True
    )
    assert b"was forked" in ran.stdout
