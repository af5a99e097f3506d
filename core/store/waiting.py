"""Waits for a database server that does not answer yet."""

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from core.store.database import Database, in_words

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0


def once_it_answers(url: str, call: Callable[[Engine], T], say: Callable[[str], object]) -> T:
    """Return what `call` gives on an engine of its own; tried again with growing pauses while the server is away.

    `say` is given the reason, once for each. A file answers at once or never: SQLite's errors are raised. Any
    other error of either is raised too.
    """
    database = Database(url, pool_size=1)
    try:
        return call(database.engine) if database.engine.dialect.name == "sqlite" else _wait(database.engine, call, say)
    finally:
        database.dispose()


def _wait(engine: Engine, call: Callable[[Engine], T], say: Callable[[str], object]) -> T:
    pause, said = FIRST_PAUSE, ""
    while True:
        try:
            return call(engine)
        except OperationalError as error:
            # A wrong password too: how a connection was refused comes as a text in the server's own language.
            reason = in_words(error)
        if reason != said:
            say(f"waiting for the database: {reason}")
            said = reason
        time.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 2)
