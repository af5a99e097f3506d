"""How many processes train here, and on which GPU, asked without CUDA."""

import glob
import os
from pathlib import Path

import pytest

from worker import processes
from worker.processes import MOST, cores, default_processes, gpu_of, gpus


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without GPUs, whatever this one has."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(glob, "glob", lambda _: [])


@pytest.mark.parametrize(
    ("ours", "found"),
    [
        ("0,1", ["0", "1"]),
        ("3", ["3"]),
        ("GPU-8932f937, GPU-46ec2a1b", ["GPU-8932f937", "GPU-46ec2a1b"]),
        ("", []),
        ("-1", []),
        ("1,-1,2", ["1"]),
    ],
)
def test_gpus_are_those_that_are_ours(monkeypatch: pytest.MonkeyPatch, ours: str, found: list[str]) -> None:
    monkeypatch.setattr(glob, "glob", lambda _: ["/dev/nvidia0"] * 8)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ours)
    assert gpus() == found


def test_else_they_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gpus() == []
    monkeypatch.setattr(glob, "glob", lambda _: ["/dev/nvidia2", "/dev/nvidia5"])
    assert gpus() == ["0", "1"]
    assert default_processes() == 2


@pytest.mark.parametrize(("here", "most"), [(1, 1), (2, 2), (MOST, MOST), (96, MOST)])
def test_without_gpus_there_is_one_process_a_core(monkeypatch: pytest.MonkeyPatch, here: int, most: int) -> None:
    monkeypatch.setattr(processes, "cores", lambda: here)
    assert default_processes() == most


def test_every_child_has_a_gpu_of_its_own() -> None:
    four = ["4", "5", "6", "7"]
    assert [gpu_of(child, four) for child in range(4)] == four
    assert [gpu_of(child, ["0", "1"]) for child in range(4)] == ["0", "1", "0", "1"]
    assert gpu_of(0, []) is None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a process is not bound to cores here")
def test_cores_are_those_that_may_be_used() -> None:
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(every)})
    try:
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, every)


@pytest.mark.parametrize(
    ("limit", "most"),
    [("max 100000", None), ("200000 100000", 2), ("150000 100000", 1), ("50000 100000", 0), (None, None)],
)
def test_a_containers_quota(tmp_path: Path, limit: str | None, most: int | None) -> None:
    file = tmp_path / "cpu.max"
    if limit is not None:
        file.write_text(f"{limit}\n")
    assert processes._quota(file) == most
