"""A file store has one name, whoever asks first, and another store another one."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.files import FolderStore
from core.files.identity import identity, known_identity


def test_all_who_ask_at_once_are_told_one_name(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        names = set(threads.map(identity, [FolderStore(tmp_path / "a")] * 8))
    assert len(names) == 1
    assert identity(FolderStore(tmp_path / "b")) not in names


def test_a_store_that_cannot_be_asked_has_no_known_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert known_identity(FolderStore(tmp_path / "file")) == ""
