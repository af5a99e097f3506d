"""Names of processes that hold cohorts, by which others on their host can tell that one is dead."""

import os
import platform
from hashlib import blake2b
from pathlib import Path

import psutil


def this_process() -> str:
    """Return this process's name, `host/pid/started`.

    The host's part differs between machines, boots and PID namespaces (containers).
    """
    process = psutil.Process()
    return f"{_host()}/{process.pid}/{process.create_time():.0f}"


def host_of(holder: str) -> str:
    """Return the part of a holder's name that all processes of its host share."""
    return holder.rsplit("/", 2)[0]


def process_of(holder: str) -> int:
    """Return the id of a holder's process on its host."""
    return int(holder.rsplit("/", 2)[1])


def name_of(holder: str) -> str:
    """Return a holder's name for addresses and commands: `host-123-4f1a`.

    Its end tells hosts of one name apart, and processes that had one id after each other.
    """
    host, pid, _ = holder.rsplit("/", 2)
    return f"{host.split(' ')[0]}-{pid}-{blake2b(holder.encode(), digest_size=2).hexdigest()}"


def describe(holder: str) -> str:
    """Return a holder's name for people: `host, process 123`."""
    host, pid, _ = holder.rsplit("/", 2)
    return f"{host.split(' ')[0]}, process {pid}"


def is_dead(holder: str) -> bool:
    """Return True when the holder lived on this host and is provably dead; False where that is not known here."""
    host, pid, started = holder.rsplit("/", 2)
    if host != _host():
        return False
    try:
        process = psutil.Process(int(pid))
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        # the start is read off a clock that may be set: a small difference is no other process
        return abs(process.create_time() - float(started)) > 60
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def _host() -> str:
    words = [platform.node()]
    for source in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        if source.is_symlink():
            words.append(os.readlink(source))
        elif source.exists():
            words.append(source.read_text().strip())
    return " ".join(words)
