"""The number of processes that train on this machine, the queues they serve, and the GPU of each."""

import re
from argparse import ArgumentTypeError
from collections.abc import Sequence

from core.hardware import cores

MOST = 8
"""Training processes of a machine without GPUs: each holds torch and the data set in memory."""


QUEUE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
DEFAULT_QUEUES = "cpu, and gpu where there is one"
DEFAULT = f"one for each GPU, else one for each core, {MOST} at most"


def default_processes(gpus: Sequence[str]) -> int:
    """Return the number of processes: one for each GPU; without any, one for each core, `MOST` at most.

    One process of two threads is slower than two of one thread for nearly every network that fits a cohort.
    """
    return len(gpus) or min(cores(), MOST)


def default_queues(gpus: Sequence[str]) -> list[str]:
    """Return the classes of devices that this machine has."""
    return ["cpu", "gpu"] if gpus else ["cpu"]


def queue_names(text: str) -> list[str]:
    """Return the queues that an option lists with commas: `cpu`, `gpu`, or labels that specs name."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if not QUEUE.fullmatch(name):
            raise ArgumentTypeError(f"{name!r} is no queue: cpu, gpu or a label of a-z, 0-9, - and _")
    return list(dict.fromkeys(names))


def gpu_of(child: int, gpus: Sequence[str]) -> str | None:
    """Return the GPU of a worker's child, counted from 0; None without any. More children than GPUs share them."""
    return gpus[child % len(gpus)] if gpus else None
