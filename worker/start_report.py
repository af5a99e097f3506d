"""A worker's first lines: what it found on this machine, and what it uses of it."""

import os
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import NamedTuple

import psutil

from core import gpus as devices
from core.gpus import VISIBLE, Gpu, choose, inventory
from core.hardware import cores, memory_limit, processor

GIB = 2**30


class StartReport(NamedTuple):
    """Lines for the log."""

    found: list[str]
    warnings: list[str]


def start_report(gpus: Sequence[str], processes: int, queues: Sequence[str]) -> StartReport:
    """Return what is here, and what a worker with these GPUs, processes and queues uses of it.

    Called before the worker uses anything: what is in use on a GPU is others'.
    """
    machine = inventory()
    lines, warnings = [_processor()], list[str]()
    if machine is not None:
        lines.append(f"NVIDIA driver {machine.driver}, for CUDA {machine.cuda} and older")
        lines += [_gpu(gpu, used=gpu.uuid in gpus) for gpu in machine.gpus]
        warnings += [f"{fault}; it is not used" for fault in machine.faulty]
        unknown = choose(machine.gpus, os.environ.get(VISIBLE)).unknown
        warnings += [f"{VISIBLE} names {name!r}, which no GPU here has, or several" for name in unknown]
        if machine.gpus and not devices.torch_has_cuda():
            warnings.append(f"no GPU is used: torch {version('torch')} is built without CUDA")
    lines.append(f"training processes: {processes}, {_share(gpus, processes)}; queues: {', '.join(queues)}")
    return StartReport(lines, warnings)


def _processor() -> str:
    memory = psutil.virtual_memory()
    limit = memory_limit() or memory.total
    free, total = min(memory.available, limit), min(memory.total, limit)
    return f"{processor()}, {cores()} cores, {_gib(free)} of {_gib(total)} GiB free"


def _gpu(gpu: Gpu, *, used: bool) -> str:
    return f"GPU {gpu.number}: " + ", ".join(_facts(gpu, used=used))


def _facts(gpu: Gpu, *, used: bool) -> Iterator[str]:
    yield f"{gpu.name} ({gpu.uuid})"
    yield f"compute capability {gpu.capability[0]}.{gpu.capability[1]}"
    if gpu.total is not None and gpu.free is not None:
        yield f"{_gib(gpu.free)} of {_gib(gpu.total)} GiB free"
    if gpu.used:
        yield f"{_gib(gpu.used)} GiB in use by others"
    if not used:
        yield "not used"


def _share(gpus: Sequence[str], processes: int) -> str:
    if not gpus:
        return "on the CPU"
    return "one for each GPU" if processes == len(gpus) else f"on {len(gpus)} GPUs"


def _gib(count: int) -> str:
    return f"{count / GIB:.1f}"
