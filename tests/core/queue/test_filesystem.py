"""The filesystem broker: whole messages, one reader each, and bad files that harm nobody."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty

import pytest
from kombu.connection import Connection

from core.queue.filesystem import Transport
from tests.core.queue.unreadable import UNREADABLE


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def connection(spool: Path) -> Iterator[Connection]:
    with _connect(spool) as made:
        yield made


def _connect(spool: Path) -> Connection:
    folders = {"data_folder_in": str(spool), "data_folder_out": str(spool), "control_folder": f"{spool}-control"}
    return Connection("fsbroker://localhost/", transport=Transport, transport_options=folders)


def test_every_message_is_taken_once_by_one_of_many_readers(spool: Path) -> None:
    """Two writers and two readers at full speed: the stock transport crashes or loses here."""
    written = 200
    padding = "x" * 100_000  # so that writing a message takes long enough to be caught at it
    taken: Counter[str] = Counter()
    done = threading.Event()
    errors: list[Exception] = []

    def write(name: str) -> None:
        with _connect(spool) as connection, connection.SimpleQueue("tasks") as queue:
            for i in range(written):
                queue.put(f"{name}{i}/{padding}")

    def read() -> None:
        try:
            with _connect(spool) as connection, connection.SimpleQueue("tasks") as queue:
                while not (done.is_set() and queue.qsize() == 0):
                    try:
                        message = queue.get_nowait()
                    except Empty:
                        continue
                    taken[message.payload.split("/")[0]] += 1
                    message.ack()
        except Exception as error:  # noqa: BLE001 a reader that dies is what this test is about
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for thread in [*readers, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert errors == []
    assert taken == Counter(f"{name}{i}" for name in "ab" for i in range(written))
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize("content", UNREADABLE)
def test_an_unreadable_file_is_dropped_and_the_next_message_arrives(
    connection: Connection, spool: Path, content: bytes
) -> None:
    with connection.SimpleQueue("tasks") as queue:
        Path(spool, "+bad.tasks.msg").write_bytes(content)
        queue.put("good")
        message = queue.get(timeout=5)
        assert message.payload == "good"
        message.ack()
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_dropped_unopened(connection: Connection, spool: Path, make: Callable[[Path], None]) -> None:
    with connection.SimpleQueue("tasks") as queue:
        make(spool / "+bad.tasks.msg")
        queue.put("good")
        assert queue.get(timeout=5).payload == "good"
    assert list(spool.iterdir()) == []


def test_a_message_that_is_being_written_cannot_be_seen(connection: Connection, spool: Path) -> None:
    with connection.SimpleQueue("tasks") as queue:
        Path(spool, ".+draft.tasks.msg.tmp").write_text("half")
        assert queue.qsize() == 0
        with pytest.raises(Empty):
            queue.get_nowait()


def test_the_folders_are_the_owners_alone(connection: Connection, spool: Path) -> None:
    with connection.SimpleQueue("tasks"):
        assert spool.stat().st_mode & 0o077 == 0


def test_size_and_purge_count_one_queue(connection: Connection) -> None:
    with connection.SimpleQueue("tasks") as tasks, connection.SimpleQueue("others") as others:
        tasks.put("a")
        tasks.put("b")
        others.put("c")
        assert (tasks.qsize(), others.qsize()) == (2, 1)
        assert tasks.clear() == 2
        assert (tasks.qsize(), others.qsize()) == (0, 1)
