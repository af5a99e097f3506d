"""A server that does not answer is waited for; a file that cannot be used is an error at once."""

import signal
import socket
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from core.store import once_it_answers

NOBODY = "postgresql+psycopg://postgres@127.0.0.1:{}/postgres"


def one(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT 1")).scalar_one())


def test_it_says_why_it_waits_once_for_each_reason(postgres_url: str) -> None:
    reasons = ["refused", "refused", "the database system is starting up", "refused"]
    left, said = list(reasons), list[str]()

    def look(engine: Engine) -> int:
        if left:
            raise OperationalError("SELECT 1", {}, Exception(left.pop(0)))
        return one(engine)

    assert once_it_answers(postgres_url, look, said.append) == 1
    assert said == [f"waiting for the database: {why}" for why in (reasons[0], reasons[2], reasons[3])]


def test_the_pauses_grow(postgres_url: str) -> None:
    at: list[float] = []

    def look(_: Engine) -> None:
        at.append(time.monotonic())
        if len(at) < 5:
            raise OperationalError("SELECT 1", {}, Exception("refused"))

    once_it_answers(postgres_url, look, str)
    pauses = [later - earlier for earlier, later in pairwise(at)]
    assert all(pause >= 0.1 * 2**i for i, pause in enumerate(pauses))


def test_what_would_fail_again_is_raised(postgres_url: str, tmp_path: Path) -> None:
    def ask(engine: Engine) -> None:
        with engine.connect() as connection:
            connection.execute(text("SELECT * FROM nowhere"))

    with pytest.raises(ProgrammingError):
        once_it_answers(postgres_url, ask, pytest.fail)
    with pytest.raises(OperationalError, match="unable to open"):
        once_it_answers(f"sqlite:///{tmp_path / 'missing' / 'file'}", one, pytest.fail)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_whoever_waits_leaves_when_told(told: signal.Signals) -> None:
    with socket.socket() as taken:  # bound, and nobody listens: a connection is refused
        taken.bind(("127.0.0.1", 0))
        program = (
            "import sys; from core.parent_watch import leaving_at_once; "
            "from core.store import once_it_answers, upgrade\n"
            f"with leaving_at_once(): once_it_answers({NOBODY.format(taken.getsockname()[1])!r}, upgrade, print)"
        )
        command = [sys.executable, "-u", "-c", program]
        waiting = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert waiting.stdout is not None
        assert waiting.stdout.readline().startswith("waiting for the database: ")
        waiting.send_signal(told)
        assert waiting.communicate(timeout=10) == ("", "")
        assert waiting.returncode == 0
