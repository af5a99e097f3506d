"""Calibration: measures a machine's speed by training small networks as a worker would; takes some seconds.

Every number comes from `train_lanes` itself, in processes like a worker's: as many at the same time, with as many
threads, since what they take from one another is part of the answer.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls

from core.datasets import DatasetInfo, Splits
from core.models import models
from core.spec import Treatment, size
from core.training.lanes.trainer import Stopped, train_lanes
from core.training.options import TrainOptions
from core.training.planning.profile import Costs, Device, Way, Work, amounts
from core.training.recorder import Lane, MemoryRecorder

WARM_UP = 2
UPDATES = 24
"""Most updates of one case."""
SECONDS = 0.05
"""Most seconds for which one case is measured; every case has at least `FEWEST` updates."""
FEWEST = 3
CLASSES = 10


class Case(NamedTuple):
    """A network to train; the cases differ in which part of an update dominates."""

    model: dict[str, Any]
    inputs: tuple[int, ...]
    batch: int
    lanes: int


class Share(NamedTuple):
    """A way to use a machine, not yet measured."""

    device: Device
    processes: int
    threads: int


_Network = tuple[dict[str, Any], tuple[int, ...], int]
"""Model, inputs, batch."""
_SHALLOW: _Network = ({"name": "mlp", "hidden": [6]}, (11,), 10)
_DEEP: _Network = ({"name": "mlp", "hidden": [8] * 8}, (11,), 10)
_MANY_WEIGHTS: _Network = ({"name": "mlp", "hidden": [256, 128]}, (784,), 16)
_LARGE_BATCH: _Network = ({"name": "mlp", "hidden": [256, 128]}, (784,), 256)
_MANY_PRODUCTS: _Network = ({"name": "mlp", "hidden": [1024]}, (1024,), 64)
_MANY_VALUES: _Network = ({"name": "mlp", "hidden": [64] * 3}, (16,), 512)
_FEW_CHANNELS: _Network = ({"name": "lenet5"}, (1, 28, 28), 16)
_MANY_CHANNELS: _Network = (
    {"name": "cnn", "channels": [32, 64], "batch_norm": False, "dropout": 0.0, "dense_dropout": 0.0},
    (1, 28, 28),
    32,
)
_DENSE = (_SHALLOW, _DEEP, _MANY_WEIGHTS, _LARGE_BATCH, _MANY_PRODUCTS, _MANY_VALUES)

CASES = [
    *(Case(*network, lanes=1) for network in (*_DENSE, _FEW_CHANNELS, _MANY_CHANNELS)),
    *(Case(*network, lanes=lanes) for network in _DENSE[:2] for lanes in (2, 256)),
    *(Case(*network, lanes=4) for network in (*_DENSE[2:], _FEW_CHANNELS)),
    Case(*_MANY_CHANNELS, lanes=2),
]


def measure(shares: Sequence[Share], cases: Sequence[Case] = CASES, seconds: float = SECONDS) -> list[Way]:
    """Train every case in every way; raises RuntimeError where a process ends before it has measured."""
    with _processes(max(share.processes for share in shares if share.device == "cpu")) as processes:
        return [_way(share, cases, _measure(processes, share, cases, seconds)) for share in shares]


@contextmanager
def _processes(count: int) -> Iterator[list["subprocess.Popen[str]"]]:
    """Give warmed-up calibrating processes, and kill them afterwards."""
    command = [sys.executable, "-m", __name__]
    environment = {"OMP_WAIT_POLICY": "PASSIVE"} | os.environ  # as a worker has it
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, env=environment, **pipes) for _ in range(count)]
    try:
        for process in processes:
            _read_answer(process)
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _measure(
    processes: Sequence["subprocess.Popen[str]"], share: Share, cases: Sequence[Case], seconds: float
) -> NDArray[np.float64]:
    """Return (cases, 2), the least of all processes: seconds before the first update, and of an update."""
    # One GPU is measured, also where there are several: they do not share what makes them fast.
    used = processes[: share.processes if share.device == "cpu" else 1]
    for process in used:
        assert process.stdin is not None  # noqa: S101 it was asked for
        process.stdin.write(json.dumps([share.device, share.threads, seconds, cases]) + "\n")
        process.stdin.flush()
    found: NDArray[np.float64] = np.min([_read_answer(process) for process in used], axis=0)
    return found


def _read_answer(process: "subprocess.Popen[str]") -> Any:
    assert process.stdout is not None  # noqa: S101 it was asked for
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a calibrating process ended with code {process.wait()}")
    return json.loads(line)


def _way(share: Share, cases: Sequence[Case], measured: NDArray[np.float64]) -> Way:
    works = [Work(size(models.parse(case.model), case.inputs, CLASSES), case.batch) for case in cases]
    drawn = np.array([[1.0, case.lanes * work.size.parameters] for case, work in zip(cases, works, strict=True)])
    start, draw = _fit(drawn, measured[:, 0])
    costs = []
    for alone in (True, False):
        mine = [i for i, case in enumerate(cases) if (case.lanes == 1) == alone]
        parts = np.array([amounts(works[i], cases[i].lanes) for i in mine])
        costs.append(Costs(**dict(zip(Costs.model_fields, _fit(parts, measured[mine, 1]), strict=True))))
    one, lanes = costs
    return Way(**share._asdict(), start=start, draw=draw, one=one, lanes=lanes)


def _fit(amounts: NDArray[np.float64], seconds: NDArray[np.float64]) -> list[float]:
    """Return the cost of each amount, at least 0, that minimises the squared relative errors."""
    relative = amounts / seconds[:, None]
    scale = relative.max(axis=0, initial=1e-300)
    solution, _ = nnls(relative / scale, np.ones(len(seconds)))
    return [float(cost) for cost in solution / scale]


class _Clock:
    """A clock that stops a training and records when each of its updates began.

    One thread is timed by what it computes, so that what else the machine does is not taken for its own; several also
    wait for one another. A disturbed update is a longer one, never a shorter: a quick one says what training costs.
    """

    def __init__(self, device: str, seconds: float) -> None:
        self._cuda = device == "cuda"
        self._now = time.perf_counter if self._cuda or torch.get_num_threads() > 1 else time.process_time
        self._seconds = seconds
        self.began = self._now()
        self.instants: list[float] = []

    def __call__(self) -> bool:
        done = len(self.instants) - WARM_UP
        over = done >= UPDATES or (done >= FEWEST and self._now() - self.instants[WARM_UP] > self._seconds)
        if self._cuda and (done <= 0 or over):
            torch.cuda.synchronize()
        self.instants.append(self._now())
        return over

    @property
    def update(self) -> float:
        """Seconds of one update."""
        measured = self.instants[WARM_UP:]
        if self._cuda:  # the updates between the ends were only launched
            return (measured[-1] - measured[0]) / (len(measured) - 1)
        return float(np.quantile(np.diff(measured), 0.25))


def _train(case: Case, device: str, seconds: float) -> tuple[float, float]:
    """Train a case; return the seconds before the first update, and of an update."""
    treatment = Treatment.model_validate({"model": case.model, "batch_size": case.batch, "epochs": 1})
    lanes = [Lane(seed, treatment, seed) for seed in range(case.lanes)]
    examples = (UPDATES + WARM_UP) * case.batch
    x, y = torch.rand(examples, *case.inputs), torch.arange(examples) % CLASSES
    data, info = Splits(x, y, x[:1], y[:1]), DatasetInfo(tuple(case.inputs), CLASSES, examples, 1)
    options, clock = TrainOptions(device=device, block_seconds=3600), _Clock(device, seconds)
    with suppress(Stopped):
        train_lanes(lanes, data, info, MemoryRecorder(), options, stopped=clock)
    return clock.instants[0] - clock.began, clock.update


def _serve() -> None:
    """Run a calibrating process: measure the cases of each line of standard input, until its end."""
    _train(CASES[0], "cpu", 0.0)
    sys.stdout.write("true\n")
    sys.stdout.flush()
    for line in sys.stdin:
        device, threads, seconds, cases = json.loads(line)
        torch.set_num_threads(threads)
        _train(CASES[0], device, 0.0)  # the first on a device, or with other threads, is slower
        found = [_train(Case(*case), device, seconds) for case in cases]
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
