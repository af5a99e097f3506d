"""The secret that processes share."""

import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.files import FilesUnavailable, FolderStore
from core.files.secret import BYTES, shared_secret


def test_all_who_ask_at_once_get_the_same_secret_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path, found = tmp_path / "secret", list[bytes]()
    together = threading.Barrier(8)

    def ask() -> None:
        together.wait()
        found.append(shared_secret(FolderStore(tmp_path), path))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert set(found) == {shared_secret(FolderStore(tmp_path), path)}
    assert len(found[0]) == BYTES
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [path]


def test_a_secret_is_made_anew_for_each_folder(tmp_path: Path) -> None:
    one, other = (FolderStore(tmp_path / name) for name in ("a", "b"))
    assert shared_secret(one, one.folder / "secret") != shared_secret(other, other.folder / "secret")


@dataclass(frozen=True)
class Away(FolderStore):
    def read(self, name: str) -> bytes:
        raise FilesUnavailable(f"{name} cannot be read")


def test_hosts_that_share_files_and_no_folder_share_the_secret(tmp_path: Path) -> None:
    files = FolderStore(tmp_path / "files")
    one, other = (tmp_path / host / "secret-of-files" for host in ("one", "other"))
    secret = shared_secret(files, one)
    assert shared_secret(files, other) == secret
    assert one.stat().st_mode & 0o077 == 0
    away = Away(files.folder)
    assert shared_secret(away, one) == secret, "a host that has it starts without the files"
    with pytest.raises(FilesUnavailable):
        shared_secret(away, tmp_path / "third" / "secret-of-files")
