"""Orders to fail: each is carried out once, and every point that a test can name is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from core import failpoints
from core.failpoints import POINTS, reached
from tests.at_once import at_once

ROOT = Path(__file__).parent.parent.parent

MANY_REACH = """
import sys, threading
from core.failpoints import reached
print("here", flush=True)
input()
taken = 0
for _ in range(300):
    try:
        reached("update")
    except OSError:
        taken += 1
print(taken)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(failpoints, "_folder", tmp_path)
    return tmp_path


def test_an_order_is_carried_out_once_however_many_processes_reach_it(tmp_path: Path) -> None:
    environment = {"INITLAB_FAILPOINTS": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", MANY_REACH]
    processes = [
        subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
    (tmp_path / "aside").write_text("disk_full\n")
    (tmp_path / "aside").rename(tmp_path / "update")
    told = [process.stdin.write("\n") and process.stdin.flush() for process in processes if process.stdin]
    assert len(told) == 3
    counts = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(counts) == 1
    assert [path.name.split(".")[1] for path in tmp_path.iterdir()] == ["update"]  # it says by whom it was taken


def test_threads_take_an_order_once_too(folder: Path) -> None:
    (folder / "update").write_text("memory")

    def takes() -> bool:
        try:
            reached("update")
        except MemoryError:
            return True
        return False

    assert sum(at_once(8, takes)) == 1


@pytest.mark.parametrize(
    ("order", "error", "text"),
    [
        ("disk_full", OSError, "No space left"),
        ("memory", MemoryError, "failpoint"),
        ("device", RuntimeError, "CUDA error"),
    ],
)
def test_an_order_may_be_an_error(folder: Path, order: str, error: type[Exception], text: str) -> None:
    (folder / "flush.fenced").write_text(order)
    reached("flush.committed")  # that is another one
    with pytest.raises(error, match=text):
        reached("flush.fenced")
    reached("flush.fenced")


@pytest.mark.parametrize(("order", "code"), [("kill", -9), ("segv", -11), ("leave 70", 70)])
def test_an_order_may_end_the_process(tmp_path: Path, order: str, code: int) -> None:
    (tmp_path / "update").write_text(order)
    words = [sys.executable, "-c", "from core.failpoints import reached; reached('update'); print('alive')"]
    environment = {"INITLAB_FAILPOINTS": str(tmp_path), "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(words, env=environment, check=False, capture_output=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (code, b"")


def test_without_a_folder_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "update").write_text("kill")
    monkeypatch.setattr(failpoints, "_folder", None)
    reached("update")
    assert (tmp_path / "update").exists()
    monkeypatch.setattr(failpoints, "_folder", tmp_path / "gone")
    reached("update")


def test_every_point_is_reached_somewhere_and_no_other() -> None:
    sources = [path.read_text() for package in ("api", "core", "worker") for path in (ROOT / package).rglob("*.py")]
    found = [point for source in sources for point in re.findall(r'\breached\("([^"]+)"\)', source)]
    assert set(found) == POINTS
    assert len(found) == len(set(found)), "an order for a point that is in two places could be taken at either"
    calls = sum(len(re.findall(r"\breached\(", source)) for source in sources)
    assert calls == len(found) + 1, "a point is named where it is reached"  # the other is the definition
