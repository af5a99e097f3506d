"""What a log line says, and that all who work for a claim or a request say which."""

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
from datetime import datetime

import pytest

from core.logs import RepeatFilter, Text, in_request, working_for

SAY = """
import logging
from core.logs import set_up, working_for
from core.settings import Settings
set_up("worker", Settings())
log = logging.getLogger("core.keeper")
log.debug("detail")
with working_for(experiment=3, cohort=7, attempt=2):
    log.info("of %d", 5, extra={"runs": 5, "color_message": "no field"})
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("failed")
log.info("after")
logging.getLogger("library").debug("noise")
logging.getLogger("alembic").info("noise")
"""


def said(**settings: str) -> list[str]:
    """What a process with these settings logs to stderr."""
    environment = os.environ | {f"INITLAB_LOG_{name.upper()}": value for name, value in settings.items()}
    ended = subprocess.run(
        [sys.executable, "-c", SAY], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout == ""
    return ended.stderr.splitlines()


def test_json_lines_have_what_a_program_looks_for() -> None:
    first, failed, after = [json.loads(line) for line in said(format="json")]
    assert datetime.fromisoformat(first.pop("time")).utcoffset() is not None
    assert first.pop("pid") > 0
    assert first == {
        "level": "INFO",
        "logger": "core.keeper",
        "process": "worker",
        "message": "of 5",
        "experiment": 3,
        "cohort": 7,
        "attempt": 2,
        "runs": 5,
    }
    assert failed["exception"].startswith("Traceback")
    assert failed["exception"].endswith("ZeroDivisionError: division by zero")
    assert not {"experiment", "exception"} & set(after)


def test_text_lines_end_with_the_same() -> None:
    first, failed, *_, after = said()
    assert first.endswith(" worker INFO core.keeper: of 5 experiment=3 cohort=7 attempt=2 runs=5")
    assert failed.endswith(": failed experiment=3 cohort=7 attempt=2")
    assert after.endswith(": after")


@pytest.mark.parametrize(("level", "messages"), [("DEBUG", ["detail", "of 5"]), ("error", ["failed"])])
def test_the_level_is_of_what_the_service_says(level: str, messages: list[str]) -> None:
    found = [json.loads(line)["message"] for line in said(format="json", level=level)]
    assert found[: len(messages)] == messages
    assert "noise" not in found


def _line(**extra: object) -> str:
    record = logging.LogRecord("core", logging.INFO, __file__, 1, "said", None, None)
    record.__dict__.update(extra)
    return Text().format(record).partition("said")[2]


def test_every_thread_of_a_process_works_for_its_claim() -> None:
    lines: list[str] = []
    with working_for(experiment=3, cohort=7, attempt=2):
        thread = threading.Thread(target=lambda: lines.append(_line()))
        thread.start()
        thread.join()
    assert [*lines, _line()] == [" experiment=3 cohort=7 attempt=2", ""]


def test_requests_that_are_answered_at_once_keep_apart() -> None:
    async def answer(number: int, both: asyncio.Barrier) -> str:
        in_request(request=f"r{number}", experiment=number)
        await both.wait()
        return await asyncio.to_thread(_line)

    async def two() -> tuple[str, str]:
        both = asyncio.Barrier(2)
        return await asyncio.gather(answer(1, both), answer(2, both))

    assert asyncio.run(two()) == [" experiment=1 request=r1", " experiment=2 request=r2"]


def test_a_field_is_one_word_on_one_line() -> None:
    assert _line(arm='he, "fast"\n', seed=0) == ' arm="he, \\"fast\\"\\n" seed=0'


def test_warnings_of_a_kind_are_few_and_the_next_one_says_how_many_were_left_out() -> None:
    few = RepeatFilter(lines=2, seconds=10)

    def let_through(message: str, at: float, level: int = logging.WARNING) -> str | None:
        record = logging.LogRecord("api", level, "", 0, message, (1,), None)
        record.created = at
        return record.getMessage() if few.filter(record) else None

    assert [let_through("no. %d", at) for at in (0, 0, 0, 9.9)] == ["no. 1", "no. 1", None, None]
    assert let_through("other %d", 9.9) == "other 1"
    assert [let_through("said %d", 0, logging.INFO) for _ in range(3)] == ["said 1"] * 3
    assert let_through("no. %d", 10) == "no. 1 (2 lines like it were left out)"
    assert [let_through("no. %d", at) for at in (10, 11, 21)] == [
        "no. 1",
        None,
        "no. 1 (1 lines like it were left out)",
    ]
    assert let_through("no. %d", 40) == "no. 1"


def test_a_process_logs_few_warnings_of_a_kind() -> None:
    say = (
        "import logging; from core.logs import set_up; from core.settings import Settings; set_up('api', Settings())\n"
        "for i in range(1000): logging.getLogger('asyncio').error('out of descriptors')"
    )
    ended = subprocess.run([sys.executable, "-c", say], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stderr.count("out of descriptors") == 20
