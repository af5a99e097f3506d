"""The secret that processes share."""

import threading
from pathlib import Path

from core.secret import BYTES, shared_secret


def test_all_who_ask_at_once_get_the_same_secret_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path, found = tmp_path / "secret", list[bytes]()
    together = threading.Barrier(8)

    def ask() -> None:
        together.wait()
        found.append(shared_secret(path))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert set(found) == {shared_secret(path)}
    assert len(found[0]) == BYTES
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [path]


def test_a_secret_is_made_anew_for_each_folder(tmp_path: Path) -> None:
    assert shared_secret(tmp_path / "a") != shared_secret(tmp_path / "b")
