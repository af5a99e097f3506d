"""Ringing without waiting: a request or a sweep never depends on the broker."""

import logging
import threading
import time

from kombu.exceptions import OperationalError

from core.queue.app import DOORBELL, QUEUE, app

log = logging.getLogger(__name__)

MOST = 32  # one bell wakes one worker process, and each then works until nothing is queued


def reachable() -> None:
    """Raises kombu's OperationalError, or an OSError, when the broker cannot be reached now."""
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)


def _send(wanted: int) -> int:
    """Have `wanted` bells in the queue, those that lie there already counted: unanswered ones must not pile up."""
    with app.producer_or_acquire() as producer:
        waiting = producer.channel.queue_declare(queue=QUEUE, durable=True, auto_delete=False).message_count
        missing = max(0, wanted - int(waiting))
        for _ in range(missing):
            app.send_task(DOORBELL, producer=producer)
    return missing


class Bell:
    """Rings from a thread of its own. A ring that fails is counted and dropped: the sweeper rings again."""

    def __init__(self) -> None:
        self.rung = 0
        self.failed = 0
        self.last_error: str | None = None
        self._wanted = 0
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
        self._thread.start()

    def ring(self, times: int = 1) -> None:
        """Ask for up to `times` bells; returns at once."""
        with self._wake:
            self._wanted = min(MOST, self._wanted + times)
            self._wake.notify()

    def close(self) -> None:
        """Stop after the bells that are wanted now."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._wanted or self._closed)
                wanted, self._wanted = self._wanted, 0
                if not wanted:
                    return
            try:
                self.rung += _send(wanted)
                self.last_error = None
            except (OperationalError, OSError) as error:
                self.failed += 1
                self.last_error = f"{type(error).__name__}: {error}"
                log.warning("the broker cannot be reached; the sweeper will ring again: %s", error)
                time.sleep(1)  # a dead broker costs each try its timeout: do not queue tries up
