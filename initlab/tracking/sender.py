"""The thread that sends what runs have logged, while the training goes on."""

import atexit
import threading
import time
from collections.abc import Callable

from initlab.tracking.outbox import Away, Outbox

INTERVAL = 1.0
"""Seconds between two looks at the disk."""
SYNC_SECONDS = 5.0
"""At most so many seconds of a run are lost where the machine loses power and no server had them."""
LONGEST_PAUSE = 15.0
EXIT_SECONDS = 3.0
AWAY_SECONDS, RETRY_SECONDS = 1.0, 0.1
"""The end of a run waits so long for a server that does not answer, and asks so often."""


class Sender:
    """Sends the outboxes of one experiment in a thread of its own, which begins with the first of them.

    It never raises: what the server refuses is in `Outbox.refused`, and while the server is away it is asked again
    after pauses that grow to 15 s. The journal is the queue, so that its memory is a batch, however long that takes.
    """

    def __init__(self, sync: Callable[[], None]) -> None:
        self._sync = sync
        self._boxes: list[Outbox] = []
        self._turn = threading.Condition()
        self._thread: threading.Thread | None = None
        self._asked = self._done = 0
        self.away = ""
        """The reason that the server could not be asked last time; empty where it answered."""
        self._away_since = 0.0
        self._leaving = False

    def add(self, box: Outbox) -> None:
        """Send this too, from now on until its end is acknowledged."""
        with self._turn:
            self._boxes = [one for one in self._boxes if one.folder.path != box.folder.path] + [box]
        self.start()

    def start(self) -> None:
        """Start the thread, which syncs what is logged, whether or not there is anything to send."""
        with self._turn:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="initlab-sender", daemon=True)
                self._thread.start()
                atexit.register(self.close)

    def drain(self, box: Outbox, seconds: float) -> None:
        """Wait until all of it is acknowledged, the server refuses or does not answer, or the time is up."""
        deadline = time.monotonic() + seconds
        with self._turn:
            while not (box.finished or box.refused):
                if not self._pass(deadline) or (self.away and time.monotonic() - self._away_since > AWAY_SECONDS):
                    return
                if not self.away and not box.waiting and box.end is None:
                    return
                self._turn.wait(RETRY_SECONDS if self.away else 0)

    def _pass(self, deadline: float) -> bool:
        """Have the thread send all once more; returns False where the time is up before."""
        self._asked += 1
        wanted = self._asked
        self._turn.notify_all()
        return self._turn.wait_for(lambda: self._done >= wanted, deadline - time.monotonic())

    def close(self, seconds: float = EXIT_SECONDS) -> None:
        """Send what can be sent at once, and end the thread; what is left stays on the disk."""
        atexit.unregister(self.close)
        with self._turn:
            self._leaving = True
            self._asked += 1
            self._turn.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _work(self) -> None:
        pause, synced = INTERVAL, time.monotonic()
        while True:
            with self._turn:
                if self._asked == self._done and not self._leaving:
                    self._turn.wait(pause)
                asked, leaving = self._asked, self._leaving
                boxes = list(self._boxes)
            away = _send_all(boxes)
            if time.monotonic() - synced > SYNC_SECONDS:
                self._sync()
                synced = time.monotonic()
            pause = min(2 * pause, LONGEST_PAUSE) if away else INTERVAL
            with self._turn:
                if away and not self.away:
                    self._away_since = time.monotonic()
                self.away, self._done = away, asked
                self._boxes = [box for box in self._boxes if not (box.finished or box.refused)]
                self._turn.notify_all()
            if leaving:
                return


def _send_all(boxes: list[Outbox]) -> str:
    """Send all that there is; returns why the server could not be asked, or nothing."""
    try:
        for box in boxes:
            while box.send():
                pass
    except Away as error:
        return str(error)
    return ""
