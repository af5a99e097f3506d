"""A worker's children, as Celery makes them, on GPUs that are played."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import select

from core.hardware import profile_file, this_machine
from core.store import Database, Worker, upgrade
from tests.backends import GUESSED_PROFILE
from tests.nvml import Nvml, gpu

pytestmark = [
    pytest.mark.service,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a worker has no children"),
]


class Started(NamedTuple):
    """A worker with two GPUs, its folder, and the lines of its log."""

    folder: Path
    nvml: Nvml
    process: "subprocess.Popen[str]"
    lines: Iterator[str]

    def says(self, words: str) -> str:
        """Wait for a line with these words, and return it without its end."""
        return next(line for line in self.lines if words in line).rstrip()


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    database = Database(f"sqlite:///{tmp_path / 'initlab.sqlite'}")
    upgrade(database.engine)
    database.dispose()
    nvml = Nvml(tmp_path / "gpus.json").install(monkeypatch)
    nvml.has(gpu(0), gpu(1))
    known = profile_file(tmp_path / "cache")  # of this machine with its two GPUs: nothing is to be measured
    known.parent.mkdir()
    known.write_text(json.dumps(json.loads(GUESSED_PROFILE.read_bytes()) | {"machine": this_machine()}))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INITLAB_")}
    ours = {"INITLAB_DATA_DIR": str(tmp_path), "INITLAB_CACHE_DIR": str(known.parent)}
    command = [sys.executable, "-m", "tests.worker.gpu_worker", str(tmp_path / "gpus.json")]
    worker = subprocess.Popen(command, env=clean | ours, stderr=subprocess.PIPE, text=True)
    try:
        assert worker.stderr is not None
        yield Started(tmp_path, nvml, worker, iter(worker.stderr))
        worker.terminate()
        worker.stderr.read()
        assert worker.wait(timeout=15) == 0
    finally:
        worker.kill()
        worker.communicate()


def _children(started: Started) -> dict[str, int]:
    """Return the first two children's process ids, by GPU."""
    words = [started.says(" trains on GPU ").split() for _ in range(2)]
    return {line[-1]: int(line[-5]) for line in words}


def test_a_worker_says_what_it_has_and_gives_each_child_a_gpu(started: Started) -> None:
    assert started.says("GPU 0: NVIDIA H100 80GB HBM3").endswith("0.5 GiB in use by others")
    assert started.says("training processes").endswith("training processes: 2, one for each GPU; queues: cpu, gpu")
    children = _children(started)
    assert children.keys() == {gpu(0)["uuid"], gpu(1)["uuid"]}
    os.kill(children[gpu(1)["uuid"]], signal.SIGKILL)
    assert started.says(" trains on GPU ").endswith(gpu(1)["uuid"]), "the replacement has that of the lost one"


def test_every_child_knows_the_profile_that_its_worker_had_measured(started: Started) -> None:
    """It sees one GPU, and its worker two: that makes it no other machine."""
    database = Database(f"sqlite:///{started.folder / 'initlab.sqlite'}")
    with closing(database.engine.connect()) as connection:
        while len(rows := connection.execute(select(Worker.profile)).all()) < 2:
            connection.rollback()  # the next look is a new one
    database.dispose()
    machine = this_machine()
    assert ", 2 x NVIDIA H100 80GB HBM3, torch" in machine
    assert [profile and profile["machine"] for (profile,) in rows] == [machine] * 2


def test_a_child_of_a_gpu_that_fell_out_does_not_train_and_the_other_goes_on(started: Started) -> None:
    first, second = gpu(0)["uuid"], gpu(1)["uuid"]
    children = _children(started)
    started.nvml.has(gpu(0, lost=True), gpu(1))
    os.kill(children[first], signal.SIGKILL)
    assert f"GPU {first} cannot be used: GPU is lost" in started.says(" cannot be used")
    os.kill(children[second], signal.SIGKILL)
    assert started.says(" trains on GPU ").endswith(second), "and its place is still that of the second"
