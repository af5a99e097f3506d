"""The number of processes that train on this machine, and the GPU of each.

Asked before the fork, where neither torch nor CUDA may be touched: a child of a process that so much as asked whether
CUDA is there cannot use it (pytorch#68861).
"""

import glob
import os
import re
from argparse import ArgumentTypeError
from collections.abc import Sequence

from core.hardware import cores

MOST = 8
"""Training processes of a machine without GPUs: each holds torch and the data set in memory."""


QUEUE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
DEFAULT_QUEUES = "cpu, and gpu where there is one"
DEFAULT = f"one for each GPU, else one for each core, {MOST} at most"


def default_processes() -> int:
    """Return the number of processes: one for each GPU; without any, one for each core, `MOST` at most.

    One process of two threads is slower than two of one thread for nearly every network that fits a cohort.
    """
    return len(gpus()) or min(cores(), MOST)


def default_queues() -> list[str]:
    """Return the classes of devices that this machine has."""
    return ["cpu", "gpu"] if gpus() else ["cpu"]


def queue_names(text: str) -> list[str]:
    """Return the queues that an option lists with commas: `cpu`, `gpu`, or labels that specs name."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if not QUEUE.fullmatch(name):
            raise ArgumentTypeError(f"{name!r} is no queue: cpu, gpu or a label of a-z, 0-9, - and _")
    return list(dict.fromkeys(names))


def gpus() -> list[str]:
    """Return the machine's GPUs by the names that CUDA_VISIBLE_DEVICES takes, found without CUDA.

    Where that variable is set it says which are ours, and empty or -1 that none is. Else the driver's device files are
    counted: CUDA numbers what it finds from 0, whatever the files' own numbers, as in a container that was given one.
    """
    ours = os.environ.get("CUDA_VISIBLE_DEVICES")
    if ours is None:
        return [str(i) for i, _ in enumerate(glob.glob("/dev/nvidia[0-9]*"))]
    names = [name.strip() for name in ours.split(",")]
    ends = [i for i, name in enumerate(names) if name in ("", "-1")]  # CUDA reads no further than a name of no device
    return names[: ends[0]] if ends else names


def gpu_of(child: int, found: Sequence[str]) -> str | None:
    """Return the GPU of a worker's child, counted from 0; None without any. More children than GPUs share them."""
    return found[child % len(found)] if found else None
