"""kombu's filesystem transport made safe: a message appears whole, one reader takes it, a bad file harms nobody.

The stock transport lets readers see half-written files, moves messages across file systems, and dies on an empty one
(kombu#1551). The spool need not be durable: the database is the truth and the sweeper notifies again.
"""

import os
import shutil
import stat
import time
import uuid
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps

from core.queue.readable import MOST_BYTES, drop, readable


class Channel(filesystem.Channel):
    """Moves messages by rename, in both directions, inside one folder.

    A queue is bound to the exchange of its own name and to nothing else, so that there is no exchange file to corrupt.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        for folder in (self.data_folder_in, self.control_folder):
            Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)

    def get_table(self, exchange: str) -> list[filesystem.exchange_queue_t]:
        return [filesystem.exchange_queue_t(exchange, "", exchange)]

    def _queue_bind(self, *_: Any) -> None:
        pass  # implied by the names

    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        name = f"{time.time_ns():020d}_{uuid.uuid4().hex}.{queue}.msg"
        draft = Path(self.data_folder_out, f".{name}.tmp")
        draft.write_text(dumps(payload))
        draft.replace(Path(self.data_folder_out, name))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        del timeout  # never waits: the transport polls
        for message in self._messages(queue):
            taken = message.with_name(f".{message.name}.{os.getpid()}.taken")
            try:
                message.rename(taken)
            except FileNotFoundError:
                continue  # another reader was first
            try:
                payload = self._read(taken)
            finally:
                _remove(taken)
            if payload is not None:
                return payload
        raise Empty

    def _read(self, taken: Path) -> Any | None:
        """Return a file's message; None for what is none. A pipe is not opened: whoever does waits for its writer."""
        about = taken.lstat()
        if not stat.S_ISREG(about.st_mode) or about.st_size > MOST_BYTES:
            drop(f"{taken.name} is no file, or larger than a message is")
            return None
        return readable(taken.read_bytes(), self)

    def _purge(self, queue: str) -> int:
        messages = self._messages(queue)
        for message in messages:
            _remove(message)
        return len(messages)

    def _size(self, queue: str) -> int:
        return len(self._messages(queue))

    def _messages(self, queue: str) -> list[Path]:
        """Return the queue's messages, oldest first: names begin with the time."""
        suffix = f".{queue}.msg"
        names = sorted(os.listdir(self.data_folder_in))
        return [Path(self.data_folder_in, n) for n in names if n.endswith(suffix) and not n.startswith(".")]


def _remove(message: Path) -> None:
    if message.is_dir() and not message.is_symlink():
        shutil.rmtree(message, ignore_errors=True)
    else:
        message.unlink(missing_ok=True)


class Transport(filesystem.Transport):
    """Is polled from Celery's event loop, so that every child of a worker has pipes of its own.

    Without an event loop all children wait at one pipe, and one that is killed there takes its lock along: no other
    would receive a message again.
    """

    Channel = Channel
    polling_interval = 0.02
    implements = filesystem.Transport.implements.extend(asynchronous=True)

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        loop.call_repeatedly(self.polling_interval, self._poll, connection)

    def _poll(self, connection: Any) -> None:
        with suppress(TimeoutError):
            super().drain_events(connection, timeout=0)  # type: ignore[no-untyped-call]

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:  # type: ignore[override]
        """Wait for a message for 0.2 s at most: a worker that is told to leave notices it between two calls."""
        super().drain_events(connection, timeout=min(timeout or 0.2, 0.2))  # type: ignore[no-untyped-call]
