"""One point of a cost curve, measured in a process of its own: time and peak memory, lanes beside the plain loop."""

import contextlib
import gc
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import peers
import psutil
import torch
from backend import Backend
from cases import MLP, Case, arrays, mlp, parts
from work import Discard, lanes_of

from core.datasets import DatasetInfo, Splits
from core.spec import parse
from core.training import TrainOptions, train_lanes
from core.training.options import Layout

SECONDS, LONG = 0.6, 2.0
"""To repeat a measurement for; what takes longer than `LONG` is measured once."""
BASE = replace(MLP, initializers=["he_normal"], network=lambda: mlp((8,), 16), shape=(4, 4), examples=250, epochs=1)


@dataclass(frozen=True)
class Point:
    """An MLP with dropout, trained by Adam in batches of 100."""

    lanes: int
    side: int
    """Of the square images."""
    hidden: tuple[int, ...]
    examples: int
    """In both splits."""
    epochs: int

    def case(self) -> Case:
        return replace(
            BASE,
            model={"name": "mlp", "hidden": list(self.hidden), "dropout": 0.2},
            network=lambda: mlp(self.hidden, self.side**2),
            shape=(self.side, self.side),
            examples=self.examples,
            seeds=self.lanes,
            epochs=self.epochs,
        )


def measure(point: Point, device: str) -> dict[str, Any]:
    """Milliseconds an update and run, and peak MiB with data, of one loop and of the lanes.

    The loop's time is that with one thread or with all, whichever is the better.
    """
    case = point.case()
    threads = torch.get_num_threads()
    warm = Point(1, 4, (8,), 250, 1).case()
    _lanes(warm, device)()
    _loop(warm, device)()
    held = psutil.Process().memory_info().rss
    updates = case.epochs * case.steps
    _reset(device)
    loops = []
    for count in sorted({1, threads} if device == "cpu" else {threads}):
        torch.set_num_threads(count)
        loops.append(_seconds(_loop(case, device), device))
    loop_bytes = _peak(held, device)
    peers.in_memory.cache_clear()
    arrays.cache_clear()
    gc.collect()
    _reset(device)
    lanes = _seconds(_lanes(case, device), device)
    return {
        "lanes": point.lanes,
        "parameters": sum(parameter.numel() for parameter in case.network().parameters()),
        "examples": point.examples,
        "updates": updates,
        "lanes_ms": round(lanes * 1e3 / updates / point.lanes, 5),
        "loop_ms": round(min(loops) * 1e3 / updates, 5),
        "lanes_mib": round(_peak(held, device) / 2**20, 1),
        "loop_mib": round(loop_bytes / 2**20, 1),
    }


def _loop(case: Case, device: str) -> Callable[[], object]:
    """What trains one run, its data in memory."""
    peers.in_memory(case, device)
    return lambda: peers.loop(case, "he_normal", 0, case.epochs, Backend(device))


def _lanes(case: Case, device: str) -> Callable[[], object]:
    """What trains all runs, their data in memory."""
    lanes = lanes_of(parse(case.spec("unnamed", device) | {"dataset": "digits"}))  # which is not loaded
    (x, y), (x_valid, y_valid) = parts(case)
    data = Splits(_images(x), torch.from_numpy(y), _images(x_valid), torch.from_numpy(y_valid))
    info = DatasetInfo(tuple(data.x_train.shape[1:]), 10, len(x), len(x_valid))
    layout: Layout = "loop" if len(lanes) == 1 else "vmap"  # as dense networks of these sizes are planned
    return lambda: train_lanes(lanes, data, info, Discard(), TrainOptions(device=device, layout=layout))


def _images(x: Any) -> torch.Tensor:
    return torch.from_numpy(x).unsqueeze(1).float().div_(255)


def _seconds(work: Callable[[], object], device: str) -> float:
    """The median of some repeats, the first left out where there are others."""
    times: list[float] = []
    while len(times) < 2 or sum(times) < SECONDS:
        begin = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - begin)
        if times[0] > LONG:
            return times[0]
    return statistics.median(times[1:])


def _reset(device: str) -> None:
    """Begin to watch for a new peak, where the system can: Linux forgets the old one on this word."""
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    with contextlib.suppress(OSError):
        Path(f"/proc/{os.getpid()}/clear_refs").write_text("5")


def _peak(held: int, device: str) -> float:
    """Bytes at the highest point, less those held before any data or weights were there."""
    if device == "cuda":
        return float(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024
    return float(max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - held, 2**16))
