"""Notifications without waiting: neither a request nor a sweep depends on the broker."""

import logging
import threading
import time
from collections import Counter

from celery import Celery
from kombu.exceptions import OperationalError

from core.queue.app import WAKE_UP, queue_name

log = logging.getLogger(__name__)

MOST = 32  # one task wakes one worker process, and each then works until nothing is queued


def broker_error(celery: Celery) -> str | None:
    """Return why the broker cannot be reached now; None when it can."""
    try:
        with celery.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
    except _faults(celery) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _faults(celery: Celery) -> tuple[type[Exception], ...]:
    """Return what a broker's absence raises: kombu's own error while connecting, the transport's once connected."""
    connection = celery.connection_for_write()
    return (OperationalError, OSError, *connection.connection_errors, *connection.channel_errors)


def _send(celery: Celery, queue: str, wanted: int) -> None:
    """Fill the queue up to `wanted` wake-up tasks, those in it counted: tasks that nobody runs must not pile up."""
    name = queue_name(queue)
    with celery.producer_or_acquire() as producer:
        waiting = producer.channel.queue_declare(queue=name, durable=True, auto_delete=False).message_count
        for _ in range(wanted - int(waiting)):
            celery.send_task(WAKE_UP, producer=producer, queue=name)


class Dispatcher:
    """Sends wake-up tasks from a thread of its own. A failure is counted and dropped: the sweeper notifies again."""

    def __init__(self, celery: Celery) -> None:
        self.notifications = 0
        self.failures = 0
        self._celery = celery
        self._faults = _faults(celery)
        self._wanted: Counter[str] = Counter()
        self._sending = False
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """True when every notification that was asked for has been sent, or has failed."""
        with self._changed:
            return not (self._wanted or self._sending)

    def notify(self, queue: str, times: int = 1) -> None:
        """Ask for up to `times` wake-up tasks in a queue; returns at once."""
        with self._changed:
            self._wanted[queue] = min(MOST, self._wanted[queue] + times)
            self._changed.notify()

    def close(self) -> None:
        """Stop after the notifications that are wanted now."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._sending = False
                self._changed.wait_for(lambda: self._wanted or self._closed)
                wanted, self._wanted = self._wanted, Counter()
                if not wanted:
                    return
                self._sending = True
            try:
                for queue, times in wanted.items():
                    _send(self._celery, queue, times)
                    self.notifications += times
            except self._faults as error:
                self.failures += 1
                log.warning("the broker cannot be reached; the sweeper will notify again: %s", error)
                time.sleep(1)  # a dead broker costs each try its timeout: do not queue tries up
