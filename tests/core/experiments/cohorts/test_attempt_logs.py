"""What is left of a process that died without a word, and that no log ever stops a training."""

import logging
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.experiments.cohorts.attempt_logs import LAST_LINES, AttemptLogs

DIES = """
import ctypes, logging, sys, threading
from pathlib import Path
from core.experiments.cohorts.attempt_logs import AttemptLogs

def the_update_that_kills():
    ctypes.string_at(0)

def far_down(calls):
    far_down(calls - 1) if calls else the_update_that_kills()

threading.Thread(target=threading.Event().wait, daemon=True).start()
logging.basicConfig(level=logging.INFO)
with AttemptLogs(Path(sys.argv[1])).of(7, 2):
    logging.info("cohort 7, attempt 2")
    far_down(30)
"""


def test_a_process_that_dies_of_a_signal_leaves_where_it_was(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", DIES, tmp_path], check=False, capture_output=True, timeout=60)
    assert died.returncode == -signal.SIGSEGV
    lines = AttemptLogs(tmp_path).last_lines(7, 2)
    assert len(lines) <= LAST_LINES
    text = "\n".join(lines)
    assert "cohort 7, attempt 2" in text
    assert "Fatal Python error: Segmentation fault" in text
    assert "in the_update_that_kills" in text


def test_the_log_of_an_attempt_has_what_is_said_during_it_and_goes_with_it(tmp_path: Path) -> None:
    logs_folder = AttemptLogs(tmp_path / "new")
    with logs_folder.of(1, 1):
        logging.getLogger("somewhere").warning("said %s", "here")
        (line,) = logs_folder.last_lines(1, 1)
        assert line.endswith("WARNING somewhere: said here")
    logging.getLogger("somewhere").warning("said later")
    assert list((tmp_path / "new").iterdir()) == []
    assert logs_folder.last_lines(1, 1) == []


def test_an_attempt_that_ends_in_a_way_it_should_not_leaves_its_log(tmp_path: Path) -> None:
    logs_folder = AttemptLogs(tmp_path)
    with pytest.raises(ZeroDivisionError), logs_folder.of(1, 1):
        logging.getLogger().warning("on the way")
        raise ZeroDivisionError
    assert len(logs_folder.last_lines(1, 1)) == 1
    assert len(logs_folder.last_lines(1, 1)) == 1  # a look takes nothing away
    logs_folder.remove(1, 1)
    logs_folder.remove(1, 1)
    assert logs_folder.last_lines(1, 1) == []


def test_only_the_end_is_told_in_short_lines_whatever_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "cohort-1-1.log").write_bytes(b"".join(b"%d \xff" % i + b"x" * 999 + b"\n" for i in range(50)))
    lines = AttemptLogs(tmp_path).last_lines(1, 1)
    assert [line.split()[0] for line in lines] == [str(i) for i in range(50 - LAST_LINES, 50)]
    assert {len(line) for line in lines} == {200}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
def test_a_full_disk_stops_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)  # as in production: it would print to stderr
    (tmp_path / "cohort-1-1.log").symlink_to("/dev/full")
    trained = False
    with AttemptLogs(tmp_path).of(1, 1):
        logging.getLogger().warning("this finds no room")
        trained = True
    assert trained
    assert list(tmp_path.iterdir()) == []


def test_where_no_log_can_be_opened_the_training_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    logs_folder = AttemptLogs(tmp_path / "file")  # no folder
    trained = False
    with logs_folder.of(1, 1):
        trained = True
    assert trained
    assert logs_folder.last_lines(1, 1) == []
    logs_folder.remove(1, 1)
