"""A worker's children, as Celery makes them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.store import Database, upgrade

pytestmark = [
    pytest.mark.service,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a worker has no children"),
]


def test_every_child_has_a_gpu_and_a_replacement_that_of_the_lost_one(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'initlab.sqlite'}")
    upgrade(database.engine)
    database.dispose()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INITLAB_")}
    ours = {"INITLAB_DATA_DIR": str(tmp_path), "CUDA_VISIBLE_DEVICES": "0,1"}
    command = [sys.executable, "-m", "worker"]
    worker = subprocess.Popen(command, env=clean | ours, stderr=subprocess.PIPE, text=True)
    try:
        assert worker.stderr is not None
        lines = (line.split() for line in worker.stderr if " trains on GPU " in line)
        children = {line[-1]: int(line[-5]) for line in (next(lines), next(lines))}
        assert children.keys() == {"0", "1"}
        os.kill(children["1"], signal.SIGKILL)
        assert next(lines)[-1] == "1"
        worker.terminate()
        worker.stderr.read()
        assert worker.wait(timeout=15) == 0
    finally:
        worker.kill()
        worker.communicate()
