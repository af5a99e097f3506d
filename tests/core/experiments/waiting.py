"""What tests of a worker in their own process wait for: what it stores, and its end."""

import threading
from collections.abc import Callable

from sqlalchemy.orm import Session

from core.store import Database


class Ending:
    """A place in a parent that is played: it tells what its process did, and lets it live."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.ended = threading.Event()

    def leave(self) -> None:
        self.told.append("leaves")

    def end(self) -> None:
        self.told.append("ends")
        self.ended.set()


def until(database: Database, true: Callable[[Session], object]) -> None:
    """Wait until something is true of what is stored."""
    never = threading.Event()
    for _ in range(1500):
        with database.reading() as session:
            if true(session):
                return
        never.wait(0.02)
    raise AssertionError("not within 30 s")
