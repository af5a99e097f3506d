"""The log of each attempt in a file of its own: all that is left of a process that was killed."""

import faulthandler
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from core.logs import Text

LAST_LINES = 8


class AttemptLogs:
    """The folder of the attempts' logs. The sweeper that recovers an attempt reads there, if it can see the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def of(self, cohort_id: int, attempt: int) -> Iterator[None]:
        """Write this process's log there too, and where Python is when a signal such as SIGSEGV ends it.

        The file goes when the attempt ends in whatever way it should.
        """
        path = self._path(cohort_id, attempt)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handler = logging.StreamHandler(path.open("a"))
        except OSError as error:  # a full disk: the training matters more than its log
            logging.getLogger(__name__).warning("the attempt's log cannot be written: %s", error)
            yield
            return
        handler.setFormatter(Text())
        root = logging.getLogger()
        root.addHandler(handler)
        faulthandler.enable(handler.stream.fileno(), all_threads=False)
        try:
            yield
        finally:
            faulthandler.disable()
            root.removeHandler(handler)
            with suppress(OSError):  # of a full disk: what was not written is tried once more here
                handler.stream.close()
        self.remove(cohort_id, attempt)

    def last_lines(self, cohort_id: int, attempt: int) -> list[str]:
        """Return the end of an attempt's log; empty where there is none to be seen."""
        with suppress(OSError):
            text = self._path(cohort_id, attempt).read_text(errors="replace")
            return [line[:200] for line in _last([line for line in text.splitlines() if line.strip()])]
        return []

    def remove(self, cohort_id: int, attempt: int) -> None:
        """Remove an attempt's log, which nobody needs any more."""
        with suppress(OSError):
            self._path(cohort_id, attempt).unlink()

    def _path(self, cohort_id: int, attempt: int) -> Path:
        return self._folder / f"cohort-{cohort_id}-{attempt}.log"


def _last(lines: Sequence[str]) -> Sequence[str]:
    """Return the last lines; of a process that a signal ended those of the innermost calls, which come first."""
    fatal = next((i for i, line in enumerate(lines) if line.startswith("Fatal Python error")), None)
    if fatal is None:
        return lines[-LAST_LINES:]
    here = next((i for i, line in enumerate(lines) if line.startswith("Current thread")), fatal + 1)
    return [*lines[max(0, fatal - 2) : fatal + 1], *lines[here:]][:LAST_LINES]
