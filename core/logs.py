"""Logs of a process: lines that say which claim or request they are about, as text for people or JSON for programs.

A training process works for one claim at a time, with several threads: `working_for` holds for the whole process. The
API answers many requests at once: `in_request` holds for the request, in whichever thread it is answered.
"""

import json
import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from core.settings import Settings

FIELDS = ("experiment", "cohort", "attempt", "run", "runs", "arm", "seed", "update", "by", "address", "request")
"""Fields of a line beside its message: from the context, or from the line's own `extra`."""
MOST_KINDS = 1000
"""Kinds of lines that are told apart while they come."""
OURS = ("api", "core", "worker")

_process = "initlab"
_claim: Mapping[str, object] = {}
_request: ContextVar[Mapping[str, object]] = ContextVar("request", default=MappingProxyType({}))


def set_up(process: str, settings: Settings, others: int = logging.INFO) -> None:
    """Log to stderr, as the settings say. Libraries log nothing below `others`, however much of ours is asked for."""
    global _process
    _process = process
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    handler = logging.StreamHandler()
    handler.setFormatter(_Json(()) if settings.log_format == "json" else Text())
    handler.addFilter(RepeatFilter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, others))
    for ours in OURS:
        logging.getLogger(ours).setLevel(level)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it says which database it is at every health check


@contextmanager
def working_for(**fields: object) -> Iterator[None]:
    """Have every line of this process, of any thread, carry the fields."""
    global _claim
    before, _claim = _claim, fields
    try:
        yield
    finally:
        _claim = before


def in_request(**fields: object) -> None:
    """Have the lines of this request carry the fields. They end with its task, whose context is its own."""
    _request.set(fields)


def request_id() -> str:
    """Return the id of the request that is being answered."""
    return str(_request.get().get("request", ""))


class RepeatFilter(logging.Filter):
    """Lets so many warnings of one kind through in a window of time, and counts the rest.

    What anyone can cause from outside, again and again, must not fill the disk. The first line of a kind after its
    window says how many were left out. Lines below warnings pass.
    """

    def __init__(self, lines: int = 20, seconds: float = 10.0) -> None:
        super().__init__()
        self._lines = lines
        self._seconds = seconds
        self._windows: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        kind = (record.name, str(record.msg)[:80])
        began, count = self._windows.pop(kind, (record.created, 0))
        left_out = 0
        if record.created - began >= self._seconds:
            left_out = max(0, count - self._lines)
            began, count = record.created, 0
        self._windows[kind] = (began, count + 1)
        if len(self._windows) > MOST_KINDS:
            self._windows.popitem(last=False)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} ({left_out:,} lines like it were left out)", ()
        return count < self._lines


class Text(logging.Formatter):
    """One line, which ends with the fields: `experiment=3 cohort=7 attempt=2`; then the traceback, if any."""

    def __init__(self) -> None:
        super().__init__(f"%(asctime)s {_process} %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 the base's name
        fields = (f"{name}={_word(value)}" for name, value in _fields(record).items())
        return " ".join([super().formatMessage(record), *fields])


class _Json(JsonFormatter):
    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data["time"] = at.replace("+00:00", "Z")
        log_data |= {"level": record.levelname, "logger": record.name, "process": _process, "pid": record.process}
        log_data["message"] = record.getMessage()
        log_data |= _fields(record)
        if "exc_info" in message_dict:  # as text: the formatter puts it there
            log_data["exception"] = message_dict["exc_info"]


def _fields(record: logging.LogRecord) -> dict[str, object]:
    """Return the fields of a line, in their order. The thread that logs it formats it: the context is its own."""
    given = {**_claim, **_request.get(), **record.__dict__}
    return {name: given[name] for name in FIELDS if given.get(name) is not None}


def _word(value: object) -> str:
    """Return the value as one word: quoted where a reader could not tell its end."""
    text = str(value)
    return text if text and not set(text) & set(' "=') and text.isprintable() else json.dumps(text)
