"""Properties of this machine that a process may ask for before it forks: read without torch, without touching a GPU."""

import hashlib
import json
import os
import platform
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

from core import gpus

FORMAT = 2
"""Version of the profile's format: increased when its numbers change their meaning."""
CPU_QUOTA, MEMORY_LIMIT = Path("/sys/fs/cgroup/cpu.max"), Path("/sys/fs/cgroup/memory.max")
"""Files with a container's limits (Linux, cgroup 2)."""
NAME = "INITLAB_MACHINE_NAME"
"""The environment variable in which a worker hands this machine's name to the processes that it starts or forks."""
_DRIVER = Path("/proc/driver/nvidia/gpus")


def cores() -> int:
    """Return the number of usable processors: those this process may run on, within its container's quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, period = _words(CPU_QUOTA, "max 100000")[:2]
    return allowed if quota == "max" else max(1, min(allowed, int(quota) // int(period)))


def memory_limit() -> int | None:
    """Return the container's memory limit in bytes; None where there is none."""
    (limit,) = _words(MEMORY_LIMIT, "max")[:1]
    return None if limit == "max" else int(limit)


def this_machine() -> str:
    """Return this machine's name, made of all that a profile's numbers depend on.

    Of GPUs these are the kinds and the number of those that the operator left us, not which: workers on two different
    GPUs of eight equal ones are alike, and measured once. The number counts, since each GPU has its training process,
    and so its part of the cores. A worker names the machine once, by `hand_on_name`: its children see one GPU each.
    """
    return os.environ.get(NAME) or (f"{processor()}, {cores()} cores, {_gpus()}, torch {_torch()}, format {FORMAT}")


def hand_on_name() -> None:
    """Give all processes that are started or forked from now on the name that this machine has here."""
    os.environ[NAME] = this_machine()


def is_measured(folder: Path) -> bool:
    """Return whether the folder has a complete profile of this machine, without parsing it."""
    try:
        return bool(json.loads(profile_file(folder).read_bytes()).get("format") == FORMAT)
    except (OSError, ValueError, AttributeError):
        return False


def profile_file(folder: Path) -> Path:
    """Return the path of this machine's profile in a folder of several machines' profiles."""
    return folder / f"machine-{hashlib.sha256(this_machine().encode()).hexdigest()[:16]}.json"


def processor() -> str:
    """Return the processor's name, as the system reports it."""
    try:
        name = _named(Path("/proc/cpuinfo").read_text(encoding="utf-8"), "model name")
    except OSError:  # no Linux
        name = ""
    return name or platform.processor() or platform.machine()


@cache
def _torch() -> str:
    """Return PyTorch's version by its files, which are a thousand lines to look through: once for a process."""
    return version("torch")


def _gpus() -> str:
    """Return the GPUs that are ours in words; by the driver's files where there is no NVML to ask."""
    ours = gpus.visible()
    if not ours:
        return "no GPU"
    found = gpus.inventory()
    if found is not None:
        return _counted([gpu.name for gpu in found.gpus if gpu.uuid in ours])
    models = [_named(path.read_text(encoding="utf-8"), "Model") for path in _DRIVER.glob("*/information")]
    every = _counted(models) or "GPU"
    return every if len(ours) == len(models) else f"{len(ours)} of {every}"


def _counted(names: Sequence[str]) -> str:
    return ", ".join(f"{count} x {name}" for name, count in sorted(Counter(names).items()))


def _named(text: str, name: str) -> str:
    """Return the first value of this name in lines `name : value`."""
    values = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith(name)]
    return values[0] if values else ""


def _words(path: Path, default: str) -> list[str]:
    try:
        return (path.read_text(encoding="utf-8").strip() or default).split()
    except OSError:
        return default.split()
