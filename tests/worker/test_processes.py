"""How many processes train here, and on which GPU."""

import pytest

from worker import processes
from worker.processes import MOST, default_processes, default_queues, gpu_of


@pytest.mark.parametrize(("here", "most"), [(1, 1), (2, 2), (MOST, MOST), (96, MOST)])
def test_without_gpus_there_is_one_process_a_core(monkeypatch: pytest.MonkeyPatch, here: int, most: int) -> None:
    monkeypatch.setattr(processes, "cores", lambda: here)
    assert default_processes([]) == most
    assert default_queues([]) == ["cpu"]


def test_there_is_one_process_a_gpu() -> None:
    assert default_processes(["GPU-1", "GPU-2"]) == 2
    assert default_queues(["GPU-1"]) == ["cpu", "gpu"]


def test_every_child_has_a_gpu_of_its_own() -> None:
    four = ["4", "5", "6", "7"]
    assert [gpu_of(child, four) for child in range(4)] == four
    assert [gpu_of(child, ["0", "1"]) for child in range(4)] == ["0", "1", "0", "1"]
    assert gpu_of(0, []) is None
