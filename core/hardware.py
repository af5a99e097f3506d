"""This machine, without torch and without touching a GPU: what a process may ask before it forks."""

import hashlib
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

FORMAT = 1
"""Of a machine's profile: raised when its numbers mean something else."""
CPU_QUOTA, MEMORY_LIMIT = Path("/sys/fs/cgroup/cpu.max"), Path("/sys/fs/cgroup/memory.max")
"""What a container may use of its host (Linux, cgroup 2)."""
_DRIVER = Path("/proc/driver/nvidia/gpus")


def cores() -> int:
    """Processors that this process may keep busy: those it may run on, and no more than its container's quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, period = _words(CPU_QUOTA, "max 100000")[:2]
    return allowed if quota == "max" else max(1, min(allowed, int(quota) // int(period)))


def memory_limit() -> int | None:
    """Bytes that a container may use; None where nothing limits it."""
    (limit,) = _words(MEMORY_LIMIT, "max")[:1]
    return None if limit == "max" else int(limit)


def this_machine() -> str:
    """What the numbers of a profile depend on: a profile of another name is another machine's."""
    gpus = sorted(_named(path.read_text(encoding="utf-8"), "Model") for path in _DRIVER.glob("*/information"))
    shown = ", ".join(gpus) or "no GPU"
    if os.environ.get("CUDA_VISIBLE_DEVICES") is not None:
        shown += f" (of which {os.environ['CUDA_VISIBLE_DEVICES'] or 'none'})"
    return f"{processor()}, {cores()} cores, {shown}, torch {version('torch')}, format {FORMAT}"


def is_measured(folder: Path) -> bool:
    """Whether the folder has a whole profile of this machine, without reading what it says."""
    try:
        return bool(json.loads(profile_file(folder).read_bytes()).get("format") == FORMAT)
    except (OSError, ValueError, AttributeError):
        return False


def profile_file(folder: Path) -> Path:
    """Where this machine's profile lies in a folder of several machines'."""
    return folder / f"machine-{hashlib.sha256(this_machine().encode()).hexdigest()[:16]}.json"


def processor() -> str:
    """Its name, as the system has it."""
    try:
        name = _named(Path("/proc/cpuinfo").read_text(encoding="utf-8"), "model name")
    except OSError:  # no Linux
        name = ""
    return name or platform.processor() or platform.machine()


def _named(text: str, name: str) -> str:
    """The first value of that name in lines `name : value`."""
    values = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith(name)]
    return values[0] if values else ""


def _words(path: Path, default: str) -> list[str]:
    try:
        return (path.read_text(encoding="utf-8").strip() or default).split()
    except OSError:
        return default.split()
