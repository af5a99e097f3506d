"""Ends a process with its parent, however the parent ends, and by a signal at once where nothing has begun."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Have SIGTERM and SIGINT end the process, with code 0, wherever it is: for a wait that may never end.

    By default they would do so too, but not for the first process of a container.
    """

    def leave(_signal: int, _frame: FrameType | None) -> None:
        sys.exit(0)

    before = {one: signal.signal(one, leave) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def leave_with_parent(pipe: int | None) -> None:
    """Watch the read end of a pipe whose other end only the parent holds: when it closes, the parent is gone."""
    if pipe is not None:
        threading.Thread(target=_watch, args=(pipe,), name="parent", daemon=True).start()


def _watch(pipe: int) -> None:
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(3)  # what a warm shutdown is given
    os._exit(1)
