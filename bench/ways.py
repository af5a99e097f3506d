"""The ways to train a case that are compared with the service, and the seconds that each takes."""

import time
from collections.abc import Callable
from typing import NamedTuple

import graphed
import peers
from backend import Backend
from cases import Case, find
from step_model import Rates, update

from core.hardware import cores

SERVICE = "c  the service, POST to finished"
TRAINERS: dict[str, Callable[[Case, str, int, int, Backend], object]] = {
    "a": peers.tutorial,
    "b": peers.loop,
    "graph": graphed.graphed,
    "graphs": graphed.graphed,
    "compiled": graphed.compiled,
}


class Way(NamedTuple):
    """A trainer of bench/peers.py or bench/graphed.py, in processes of their own that train at once."""

    label: str
    trainer: str
    processes: int
    threads: int
    """Of each process."""

    @property
    def shape(self) -> tuple[int, int]:
        """The pool that it needs."""
        return self.processes, self.threads


def ways_of(case: Case, device: str) -> list[Way]:
    """Return the peers of a case; where one process trains, its time is compared with the service's."""
    every = cores()
    found = [Way("a  the tutorials' way", "a", 1, every)]
    if device == "cpu":
        found += [
            Way("b  one loop, 1 thread", "b", 1, 1),
            Way(f"b  one loop, {every} threads", "b", 1, every),
            Way("b  two loops at once", "b", 2, max(1, every // 2)),
        ]
    else:
        found += [
            Way("b1 one loop, kernel by kernel", "b", 1, every),
            Way("b2 one graph an update", "graph", 1, every),
            Way("b3 torch.compile, reduce-overhead", "compiled", 1, every),
            Way("b4 two processes of b2 at once", "graphs", 2, max(1, every // 2)),
            Way("b4 four processes of b2 at once", "graphs", 4, max(1, every // 4)),
        ]
    return [way for way in found if way.trainer in case.peer_runs]


def seconds(trainer: str, name: str, runs: int, epochs: int, backend: Backend) -> float:
    """Seconds in which a peer trains that many runs, the first seed of every initializer first."""
    case = find(name, backend.device)
    backend.set_precision()
    peers.in_memory(case, backend.device)
    backend.synchronize()
    begin = time.perf_counter()
    for run in range(runs):
        seed, arm = divmod(run, len(case.initializers))
        TRAINERS[trainer](case, case.initializers[arm], seed, epochs, backend)
    backend.synchronize()
    return time.perf_counter() - begin


LAUNCH = {"a": 15e-6, "b": 8e-6, "graph": 2e-6, "graphs": 2e-6, "compiled": 2e-6}
"""Guessed seconds of an operation's launch, in the host's thread or within a graph;"""
EXAMPLE = 60e-6
"""of an example that the tutorials' way decodes and collates;"""
PREPARE, COMPILE, POST = 20.0, 40.0, 3.0
"""of the processes' start, of the compiler and of an experiment beside its training."""
MARGIN = 1.5
"""How much longer kernels take than the byte model says."""


def estimate(case: Case, backend: Backend, rates: Rates) -> float:
    """Guess the seconds in which a case is measured on a GPU, by the byte model."""
    work = update(case, backend)
    kernels = rates.seconds(work)
    once, warm = 0.0, 0.0
    for way in ways_of(case, backend.device):
        runs, epochs = case.peer_runs[way.trainer]
        updates = runs * epochs * case.steps * way.processes
        each = max(kernels, work.launches * LAUNCH[way.trainer] / way.processes)
        once += updates * each + (EXAMPLE * case.examples * runs * epochs if way.trainer == "a" else 0.0)
        warm += COMPILE if way.trainer == "compiled" else 0.0
    served = case.epochs * case.steps * max(case.runs * kernels, work.launches * LAUNCH["graph"]) + POST
    return PREPARE + warm + MARGIN * (once + served) * case.repeats + 2 * POST
