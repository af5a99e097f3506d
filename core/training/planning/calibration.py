"""Calibration: measures a machine's speed by training small networks as a worker would; takes some seconds.

Every number comes from `train_lanes` itself, in processes like a worker's: as many at the same time, with as many
threads, since what they take from one another is part of the answer.
"""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls

from core.datasets import DatasetInfo, Splits
from core.models import models
from core.spec import Precision, Treatment, size
from core.training.lanes import graphs
from core.training.lanes.trainer import Stopped, train_lanes
from core.training.options import Layout, TrainOptions
from core.training.planning.profile import Costs, CostsByLayout, Device, Way, Work, amounts
from core.training.recorder import Lane, MemoryRecorder

WARM_UP: dict[Device, int] = {"cpu": 2, "cuda": graphs.WARM_UP + 2}
"""Updates of a case before the first that is measured: on a GPU so many that those measured are replayed."""
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
    layout: Layout
    precision: Precision = "fp32"

    @property
    def work(self) -> Work:
        return Work(size(models.parse(self.model), self.inputs, CLASSES), self.batch, self.precision)


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
_TINY_CHANNELS: _Network = (
    {"name": "cnn", "channels": [8], "batch_norm": False, "dropout": 0.0, "dense": []},
    (1, 12, 12),
    8,
)
_DENSE = (_SHALLOW, _DEEP, _MANY_WEIGHTS, _LARGE_BATCH, _MANY_PRODUCTS, _MANY_VALUES)
_CONVOLUTIONS = (_TINY_CHANNELS, _FEW_CHANNELS, _MANY_CHANNELS)

CASES = [
    *(Case(*network, lanes=1, layout="loop") for network in (*_DENSE, *_CONVOLUTIONS)),
    *(Case(*network, lanes=lanes, layout="loop") for network, lanes in ((_SHALLOW, 8), (_DEEP, 8), (_MANY_WEIGHTS, 4))),
    *(Case(*network, lanes=lanes, layout="vmap") for network in _DENSE[:2] for lanes in (2, 256)),
    *(Case(*network, lanes=4, layout="vmap") for network in (*_DENSE[2:], _FEW_CHANNELS)),
    Case(*_TINY_CHANNELS, lanes=30, layout="vmap"),
    Case(*_MANY_CHANNELS, lanes=2, layout="vmap"),
]
"""A CPU's, in float32: in bfloat16 few are faster, and those in either layout."""
_LARGER = 32
"""A GPU's batches, for the same to weigh on an update: what is small there costs its launches alone."""


def cases_for(device: Device, cases: Sequence[Case]) -> list[Case]:
    """Return a device's cases: a GPU has each also with a larger batch, and all in every precision."""
    if device == "cpu":
        return list(cases)
    larger = [case._replace(batch=case.batch * _LARGER) for case in cases if case.lanes <= 4]
    both = [*cases, *larger]
    return [case._replace(precision=precision) for precision in get_args(Precision) for case in both]


def measure(shares: Sequence[Share], cases: Sequence[Case] = CASES, seconds: float = SECONDS) -> list[Way]:
    """Train every case in every way; raises RuntimeError where a process ends before it has measured."""
    with _processes(max(share.processes for share in shares if share.device == "cpu")) as processes:
        return [
            _way(share, mine, _measure(processes, share, mine, seconds))
            for share in shares
            for mine in [cases_for(share.device, cases)]
        ]


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
    drawn = np.array([[1.0, case.lanes * case.work.size.parameters] for case in cases])
    start, draw = _fit(drawn, measured[:, 0])
    kinds = dict.fromkeys(case.precision for case in cases)
    costs = {
        precision: CostsByLayout(
            loop=_costs(cases, measured[:, 1], precision, "loop"),
            vmap=_costs(cases, measured[:, 1], precision, "vmap"),
        )
        for precision in kinds
    }
    return Way(**share._asdict(), start=start, draw=draw, costs=costs)


def _costs(cases: Sequence[Case], seconds: NDArray[np.float64], precision: Precision, layout: Layout) -> Costs:
    """Return the costs of a precision and layout, from the cases' seconds of an update."""
    mine = [i for i, case in enumerate(cases) if (case.precision, case.layout) == (precision, layout)]
    parts = np.array([amounts(cases[i].work, cases[i].lanes, layout) for i in mine])
    return Costs(**dict(zip(Costs.model_fields, _fit(parts, seconds[mine]), strict=True)))


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

    def __init__(self, device: Device, seconds: float) -> None:
        self._cuda, self._warm_up = device == "cuda", WARM_UP[device]
        self._now = time.perf_counter if self._cuda or torch.get_num_threads() > 1 else time.process_time
        self._seconds = seconds
        self.began = self._now()
        self.instants: list[float] = []

    def __call__(self) -> bool:
        done = len(self.instants) - self._warm_up
        over = done >= UPDATES or (done >= FEWEST and self._now() - self.instants[self._warm_up] > self._seconds)
        if self._cuda and (done <= 0 or over):
            torch.cuda.synchronize()
        self.instants.append(self._now())
        return over

    @property
    def update(self) -> float:
        """Seconds of one update."""
        measured = self.instants[self._warm_up :]
        if self._cuda:  # the updates between the ends were only launched
            return (measured[-1] - measured[0]) / (len(measured) - 1)
        return float(np.quantile(np.diff(measured), 0.25))


def _train(case: Case, device: Device, seconds: float) -> tuple[float, float]:
    """Train a case; return the seconds before the first update, and of an update."""
    words = {"model": case.model, "batch_size": case.batch, "precision": case.precision, "epochs": 1}
    treatment = Treatment.model_validate(words)
    lanes = [Lane(seed, treatment, seed) for seed in range(case.lanes)]
    examples = (UPDATES + WARM_UP[device]) * case.batch
    x = torch.linspace(0, 1, examples * math.prod(case.inputs), device=device).view(examples, *case.inputs)
    y = torch.arange(examples, device=device) % CLASSES
    data, info = Splits(x, y, x[:1], y[:1]), DatasetInfo(tuple(case.inputs), CLASSES, examples, 1)
    options = TrainOptions(device=device, layout=case.layout, block_seconds=3600)
    clock = _Clock(device, seconds)
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
