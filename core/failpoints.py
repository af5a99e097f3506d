"""Failpoints, at which a test has a process fail. Without a folder of orders they are off, and cost a comparison.

An order is a file in the folder that the setting `failpoints` names. Its name is the point's, its text what to do:
`kill`, `segv`, `freeze` (until a SIGCONT), `hang`, `leave CODE`, or an error to raise: `disk_full`, `memory`,
`device`. The process that reaches the point first takes the order by renaming it, so that each is carried out once.
"""

import errno
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from core.settings import settings

POINTS = frozenset(
    {
        "submit.before_commit",
        "submit.committed",
        "points.before_commit",
        "finish.before_commit",
        "claim.committed",
        "meter",
        "update",
        "flush.fenced",
        "flush.committed",
        "checkpoint.before_write",
        "checkpoint.written",
        "checkpoint.renamed",
        "checkpoint.committed",
        "weights.before_write",
        "weights.written",
        "memory.release",
        "end.fenced",
        "end.committed",
        "decide.before_commit",
        "decide.committed",
        "look.before_commit",
        "look.committed",
        "drain.idle",
        "webhooks.claimed",
    }
)

_folder: Path | None = settings().failpoints


def reached(point: str) -> None:
    """Carry out the order for this point, where there is one."""
    if _folder is None:
        return
    order = _folder / point
    taken = _folder / f".{point}.{os.getpid()}.{threading.get_ident()}"
    try:
        order.rename(taken)
    except FileNotFoundError:
        return
    word, _, argument = taken.read_text().strip().partition(" ")
    _ACTIONS[word](argument)


def _hang(_: str) -> None:
    threading.Event().wait()


def _disk_full(_: str) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _memory(_: str) -> None:
    raise MemoryError("a failpoint")


def _device(_: str) -> None:
    raise RuntimeError("CUDA error: unspecified launch failure (a failpoint)")


_ACTIONS: dict[str, Callable[[str], None]] = {
    "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "segv": lambda _: os.kill(os.getpid(), signal.SIGSEGV),
    "freeze": lambda _: os.kill(os.getpid(), signal.SIGSTOP),
    "hang": _hang,
    "leave": lambda code: os._exit(int(code)),
    "disk_full": _disk_full,
    "memory": _memory,
    "device": _device,
}
