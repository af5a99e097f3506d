import os
from pathlib import Path

import pytest

from core import hardware
from core.hardware import FORMAT, cores, is_measured, profile_file, this_machine


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


def test_a_gpu_is_named_by_its_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "_DRIVER", tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert "no GPU" in this_machine()
    for bus in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / bus).mkdir()
        (tmp_path / bus / "information").write_text("Model: \t\t NVIDIA H100\nIRQ:   \t\t 1\n")
    assert "NVIDIA H100, NVIDIA H100, torch" in this_machine()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert "(of which 1)" in this_machine()
