"""A worker whose machine cannot be measured trains all the same, and says why."""

import logging
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from worker import measure
from worker.measure import measure_machine


def _said(caplog: pytest.LogCaptureFixture, *module: str) -> list[tuple[str, str]]:
    caplog.clear()
    with caplog.at_level(logging.INFO):
        measure_machine(module)
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def _module(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> str:
    (folder / "planted.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return "planted"


def test_what_was_measured_is_on_the_log(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = _module(tmp_path, monkeypatch, "import sys; print(sys.argv[1:])")
    assert _said(caplog, name, "--so") == [
        ("INFO", "measuring this machine (some seconds, once)"),
        ("INFO", "this machine: ['--so']"),
    ]


def test_a_measurement_that_is_not_there_or_fails(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [_, (level, words)] = _said(caplog, "nothing_of_this_name")
    assert (level, "No module named nothing_of_this_name" in words) == ("WARNING", True)
    name = _module(tmp_path, monkeypatch, "import os; os._exit(3)")
    assert _said(caplog, name)[1] == ("WARNING", "the machine could not be measured (code 3): no reason given")


def test_a_measurement_that_does_not_end(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = _module(tmp_path, monkeypatch, "import signal; signal.pause()")
    monkeypatch.setattr(measure, "PATIENCE", 0.5)
    assert "timed out" in _said(caplog, name)[1][1]


def test_a_worker_that_is_to_leave_takes_the_measurement_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = tmp_path / "began"
    source = f"import os, pathlib, signal; pathlib.Path({str(marker)!r}).write_text(str(os.getpid())); signal.pause()"
    name = _module(tmp_path, monkeypatch, source)
    call = f"from worker.measure import measure_machine; measure_machine([{name!r}])"
    path = [str(tmp_path), str(Path(measure.__file__).parent.parent)]
    monkeypatch.setenv("PYTHONPATH", ":".join(path))
    with subprocess.Popen([sys.executable, "-c", call]) as worker:
        while not (marker.exists() and marker.read_text()):
            pass
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=10) == 0
    assert not Path("/proc", marker.read_text()).exists()
