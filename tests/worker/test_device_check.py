"""A child whose GPU has fallen out claims nothing and tries again, ever more seldom; what its GPU does is played."""

import logging
from pathlib import Path
from typing import NoReturn

import pytest
import torch

from tests.emulation.state import device
from tests.nvml import Nvml, gpu
from worker import tasks
from worker.device_check import LONGEST, PAUSE, DeviceCheck, FailureCounts, cuda_error

GPU = gpu(3)["uuid"]


class Left(Exception):
    """The process would have ended."""


class Child:
    """A child on a GPU, one process after the other."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.driver = Nvml(path).install(monkeypatch)
        self.driver.has(gpu(3))
        self.cuda: str | None = None
        self.asked = 0
        self.now = 0.0
        self.failures = FailureCounts(2)
        self.check = self.replaced()

    def replaced(self) -> DeviceCheck:
        self.check = DeviceCheck(
            GPU, 1, self.failures, compute=self._compute, leave=self._leave, clock=lambda: self.now
        )
        return self.check

    def breaks(self) -> DeviceCheck:
        """End the process in an attempt in which the GPU broke."""
        self.check.attempted(broken=True)
        return self.replaced()

    def _compute(self) -> str | None:
        self.asked += 1
        return self.cuda

    def _leave(self) -> NoReturn:
        raise Left


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Child:
    return Child(tmp_path / "gpus.json", monkeypatch)


def test_a_gpu_that_computes_is_asked_once(child: Child) -> None:
    assert [child.check.usable() for _ in range(3)] == [True] * 3
    assert child.asked == 1


def test_a_lost_gpu_is_not_touched_and_tried_again_ever_more_seldom(
    child: Child, caplog: pytest.LogCaptureFixture
) -> None:
    child.driver.has(gpu(3, lost=True))
    pauses = list[float]()
    for _ in range(9):
        assert not child.check.usable()
        before = child.now
        while not child.check.usable() and len(caplog.records) == len(pauses) + 1:
            child.now += PAUSE
        pauses.append(child.now - before)
    assert pauses == [PAUSE * factor for factor in (1, 1, 2, 4, 8, 16, 32, 40, 40)]
    assert pauses[-1] == LONGEST
    assert child.asked == 0, "CUDA would only see that it is gone"
    assert f"GPU {GPU} cannot be used: GPU is lost" in caplog.text
    child.driver.has(gpu(3))
    child.now += LONGEST
    assert child.check.usable(), "it came back, and CUDA had not been started"


def test_cuda_that_failed_is_tried_by_a_fresh_process(child: Child, caplog: pytest.LogCaptureFixture) -> None:
    child.cuda = "CUDA error: uncorrectable ECC error encountered"
    assert not child.check.usable()
    assert "uncorrectable ECC error" in caplog.text
    assert (child.check.usable(), child.asked) == (False, 1)
    child.now += PAUSE
    with pytest.raises(Left):
        child.check.usable()
    assert not child.replaced().usable()
    assert (child.failures[1], child.failures[0]) == (2, 0)
    child.now += PAUSE
    with pytest.raises(Left):
        child.check.usable()
    child.cuda = None
    assert not child.replaced().usable(), "two failures in a row"
    child.now += PAUSE
    assert child.check.usable()
    child.check.attempted(broken=False)
    assert child.failures[1] == 0


def test_after_a_single_broken_attempt_a_gpu_is_tried_at_once(child: Child) -> None:
    assert child.check.usable()
    assert child.breaks().usable()
    child.check.attempted(broken=False)
    assert child.breaks().usable(), "the failures are counted anew"


def test_a_gpu_that_breaks_in_every_attempt_is_left_alone(child: Child, caplog: pytest.LogCaptureFixture) -> None:
    child.check.usable()
    assert child.breaks().usable()
    pauses = []
    for _ in range(3):
        check, began = child.breaks(), child.now
        while not check.usable():
            child.now += PAUSE
        pauses.append(child.now - began)
    assert pauses == [PAUSE, 2 * PAUSE, 4 * PAUSE]
    assert "failed 2 times in a row: it is left alone for 15 s" in caplog.text


def test_without_cuda_the_reason_is_in_one_line() -> None:
    error = cuda_error()
    assert (error is None) == torch.cuda.is_available()
    assert "\n" not in (error or "")


@pytest.mark.gpu
def test_a_gpu_computes() -> None:
    assert cuda_error() is None


@pytest.mark.emulated
@pytest.mark.parametrize("moment", ["allocate", "add_", "synchronize"])
def test_a_gpu_that_refuses_says_why_in_one_line(moment: str) -> None:
    device.fail_next(moment, torch.AcceleratorError("CUDA error: unspecified launch failure\nCompile with ..."))
    assert cuda_error() == "CUDA error: unspecified launch failure"
    assert cuda_error() is None


def test_failures_are_counted_to_the_end_of_a_byte() -> None:
    counts = FailureCounts(1)
    counts[0] = 300
    assert counts[0] == 255


def test_nothing_is_claimed_on_a_gpu_that_does_not_work(
    child: Child, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    claims = []
    monkeypatch.setattr(tasks, "this_worker", lambda: lambda: claims.append(child.now))
    monkeypatch.setattr(tasks, "check", child.check)
    child.driver.has(gpu(3, lost=True))
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            tasks.wake_up()
    assert (claims, len(caplog.records)) == ([], 1)
    child.driver.has(gpu(3))
    child.now += PAUSE
    tasks.wake_up()
    assert claims == [PAUSE]
