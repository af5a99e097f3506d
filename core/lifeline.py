"""A child ends with its parent, however the parent ends."""

import os
import signal
import threading
import time


def leave_with_parent(pipe: int | None) -> None:
    """Watch the read end of a pipe whose other end only the parent holds: when it closes, the parent is gone."""
    if pipe is not None:
        threading.Thread(target=_watch, args=(pipe,), name="parent", daemon=True).start()


def _watch(pipe: int) -> None:
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(3)  # what a warm shutdown is given
    os._exit(1)
