import os
from pathlib import Path

import pytest

from core import hardware
from core.hardware import FORMAT, NAME, cores, hand_on_name, is_measured, profile_file, this_machine
from tests.nvml import Nvml, gpu


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a process is not bound to cores here")
def test_cores_are_those_that_may_be_used() -> None:
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(every)})
    try:
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, every)


@pytest.mark.parametrize(
    ("content", "known"),
    [
        (None, False),
        (f'{{"format": {FORMAT}}}', True),
        (f'{{"format": {FORMAT}', False),
        ('{"format": 0}', False),
        ("[]", False),
    ],
)
def test_a_machine_is_measured_where_its_whole_profile_lies(tmp_path: Path, content: str | None, known: bool) -> None:
    if content is not None:
        profile_file(tmp_path).write_text(content)
    assert is_measured(tmp_path) is known


def test_a_machine_is_named_by_the_kinds_and_the_number_of_gpus_that_are_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvml = Nvml(tmp_path / "gpus.json").install(monkeypatch)
    nvml.has()
    assert ", no GPU, torch" in this_machine()
    nvml.has(gpu(0), gpu(1), gpu(2), gpu(3, name="NVIDIA A30"))
    assert ", 1 x NVIDIA A30, 3 x NVIDIA H100 80GB HBM3, torch" in this_machine()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    first = this_machine()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,1")
    assert this_machine() == first, "as many of the same kind"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    assert ", 1 x NVIDIA A30, torch" in this_machine()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert ", no GPU, torch" in this_machine()


def test_a_workers_children_have_its_name_for_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = Nvml(tmp_path / "gpus.json").install(monkeypatch)
    nvml.has(gpu(0), gpu(1))
    monkeypatch.setenv(NAME, "")  # so that it is restored
    hand_on_name()
    workers = profile_file(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpu(1)["uuid"])
    assert profile_file(tmp_path) == workers
    nvml.has(gpu(0, lost=True), gpu(1))
    assert profile_file(tmp_path) == workers
    monkeypatch.delenv(NAME)
    assert profile_file(tmp_path) != workers


def test_without_the_library_a_gpu_is_named_by_the_drivers_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "_DRIVER", tmp_path)
    Nvml(tmp_path / "gpus.json").install(monkeypatch).has(driver=False)
    for bus in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / bus).mkdir()
        (tmp_path / bus / "information").write_text("Model: \t\t NVIDIA H100\nIRQ:   \t\t 1\n")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert ", 2 x NVIDIA H100, torch" in this_machine()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert ", 1 of 2 x NVIDIA H100, torch" in this_machine()
