"""The journal keeps every whole point, whatever ends its writer, and nothing that is not one."""

import os
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from initlab import ClientError
from initlab.tracking import journal as module
from initlab.tracking.journal import FRAME, Extent, Head, Journal, Point, RunFolder, frame, read

HEAD = Head("he", 3, ("loss", "accuracy"), {})


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "0-3")


def logged(folder: RunFolder, points: list[Point], head: Head = HEAD) -> dict[str, Extent]:
    """Append points as one process does, and return how far the metrics were before."""
    journal = Journal(folder, head)
    for point in points:
        journal.append(frame(*point))
    journal.close()
    return journal.extents


def test_points_come_back_as_they_were() -> None:
    assert FRAME.size == 24
    assert frame(7, -0.5, 1)[:20] == struct.pack("<qdHH", 7, -0.5, 1, 0)
    assert frame(7, -0.5, 1)[20:] == struct.pack("<I", zlib.crc32(frame(7, -0.5, 1)[:20]))


def test_a_second_process_goes_on_behind_the_first(folder: RunFolder) -> None:
    first = [(step, step / 3, step % 2) for step in range(20_000)]  # more than are read at once
    assert logged(folder, first) == {"loss": (0, -1), "accuracy": (0, -1)}
    assert logged(folder, [(20_000, float("inf"), 0)]) == {"loss": (10_000, 19_998), "accuracy": (10_000, 19_999)}
    found, offset = [], 0
    while points := read(folder.points, offset):
        found += points
        offset += len(points) * FRAME.size
    assert found == [*first, (20_000, float("inf"), 0)]


@pytest.mark.parametrize("cut", range(3 * 24))
def test_a_torn_tail_is_cut_off_and_whole_points_stay(folder: RunFolder, cut: int) -> None:
    logged(folder, [(0, 1.0, 0), (1, 2.0, 0), (2, 3.0, 0)])
    os.truncate(folder.points, cut)
    whole = cut // 24
    assert len(read(folder.points)) == whole
    assert logged(folder, [(9, 9.0, 1)])["loss"] == (whole, whole - 1)
    assert [value for _, value, _ in read(folder.points)] == [*[1.0, 2.0, 3.0][:whole], 9.0]


def test_what_a_loss_of_power_leaves_is_no_point(folder: RunFolder) -> None:
    """Blocks that were never written read as zeros, or as what was there before."""
    logged(folder, [(0, 1.0, 0)])
    rest = bytes(48) + random.Random(0).randbytes(72)
    with folder.points.open("ab") as file:
        file.write(rest)
    assert logged(folder, [])["loss"] == (1, 0)
    assert folder.points.stat().st_size == 24
    assert (folder.path / "torn-24").read_bytes() == rest


@pytest.mark.parametrize("bit", range(24 * 8))
def test_every_wrong_bit_is_seen(folder: RunFolder, bit: int) -> None:
    folder.path.mkdir()
    data = bytearray(frame(3, 0.25, 0))
    data[bit // 8] ^= 1 << bit % 8
    folder.points.write_bytes(data)
    assert read(folder.points) == []


def test_one_process_logs_a_run(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.01)
    first = Journal(folder, HEAD)
    with pytest.raises(ClientError, match="'he', seed 3 is logged by another process now"):
        Journal(folder, HEAD)
    first.close()
    Journal(folder, HEAD).close()
    with pytest.raises(ClientError, match="has other metrics than the experiment"):
        Journal(folder, HEAD._replace(metrics=("loss",)))
    Journal(folder, HEAD).close()


def test_a_full_disk_costs_points_only_beyond_what_memory_may_hold(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNWRITTEN", 2**12)
    written: list[int] = []
    write = os.write

    def full(_: int, data: bytes) -> int:
        if len(written) > 20:
            raise OSError(28, "No space left on device")
        written.append(1)
        return write(_, data[:10])  # as a disk that has ten bytes left

    journal = Journal(folder, HEAD)
    monkeypatch.setattr(os, "write", full)
    points = 2**12 // 24 + 200

    def log_all() -> None:
        for step in range(points):
            journal.append(frame(step, 0.0, 0))

    with pytest.warns(RuntimeWarning, match="the disk takes no more of .* The training goes on; make room") as warned:
        log_all()
    assert len(warned) == 1
    monkeypatch.setattr(os, "write", write)
    assert 0 < journal.dropped <= 200
    assert journal.unwritten <= 2**12 // 24 + 1
    journal.append(frame(points, 1.0, 0))
    assert journal.unwritten == 0
    journal.close()
    kept = points - journal.dropped
    assert logged(folder, [])["loss"] == (kept + 1, points)
    assert not list(folder.path.glob("torn*"))


def test_whole_points_behind_damage_are_kept_apart_and_it_is_said(folder: RunFolder) -> None:
    logged(folder, [(step, 0.0, 0) for step in range(10)])
    data = bytearray(folder.points.read_bytes())
    data[4 * 24] ^= 1
    folder.points.write_bytes(data)
    with pytest.warns(RuntimeWarning, match=r"was damaged at byte 96: the 5 points behind it are in .*torn-96"):
        assert logged(folder, [])["loss"] == (4, 3)
    assert (folder.path / "torn-96").read_bytes() == data[96:]


def test_small_files_are_whole_or_not_there(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.begin(HEAD)
    assert folder.head() == HEAD

    def broken(*_: Any) -> None:
        raise OSError("the machine has stopped")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OSError, match="stopped"):
        folder.write_end("completed", "")
    assert folder.end() is None
    assert folder.head() == HEAD
