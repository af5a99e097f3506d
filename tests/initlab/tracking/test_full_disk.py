"""A disk that takes no more stops no training: it is said, and what memory may hold arrives once there is room."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from initlab.tracking.journal import FRAME
from tests.initlab.tracking.stand_in import StandIn

SCRIPT = Path(__file__).with_name("full_disk.py")


def trained(how: str, **environment: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(SCRIPT), how]
    return subprocess.run(words, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(("how", "points"), [("lifted", 100), ("kept", 50)])
def test_a_training_goes_on_and_ends_for_the_server_too(stand_in: StandIn, how: str, points: int) -> None:
    ended = trained(how)
    assert (ended.returncode, ended.stdout) == (0, "trained to the end"), ended.stderr
    assert "the disk takes no more of" in ended.stderr
    assert ("50 points of <Run 'he', seed 0> are lost" in ended.stderr) is (how == "kept")
    (run,) = stand_in.runs
    assert run.series == {"loss": [(step, 1.0) for step in range(points)]}
    assert run.end == {"outcome": "completed"}


def test_without_a_server_the_run_stays_open_and_it_is_said(tmp_path: Path) -> None:
    ended = trained("kept", INITLAB_OFFLINE=str(tmp_path))
    assert (ended.returncode, ended.stdout) == (0, "trained to the end"), ended.stderr
    assert "the end of <Run 'he', seed 0> cannot be written" in ended.stderr
    (points,) = tmp_path.rglob("points")
    assert points.stat().st_size == 50 * FRAME.size
    assert not (points.parent / "end.json").exists()
    assert not list(tmp_path.rglob("*.part"))
