"""How many processes train here, and on which GPU, asked without CUDA."""

import glob

import pytest

from worker import processes
from worker.processes import MOST, default_processes, gpu_of, gpus


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
