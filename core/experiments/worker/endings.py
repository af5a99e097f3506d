"""The ways in which an attempt ends, and the transaction that writes each of them."""

import logging
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from sqlalchemy.orm import Session

from core.errors import InitlabError
from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.leases import Fenced, end
from core.experiments.cohorts.pruning import wait
from core.experiments.cohorts.recovery import mark_lost
from core.experiments.cohorts.splitting import split_cohort
from core.experiments.worker.watchdog import Reason
from core.files import FilesUnavailable
from core.store import Status
from core.training.faults import Fault, classify

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Completed:
    """All runs have ended."""


@dataclass(frozen=True)
class Failed:
    """The training raised an error; runs that had ended before keep their outcomes."""

    error: str


@dataclass(frozen=True)
class Cancelled:
    """The user cancelled the experiment; `why` goes to its history."""

    why: str | None = None


@dataclass(frozen=True)
class Released:
    """The cohort goes back to the queue, and on from here."""

    why: str


@dataclass(frozen=True)
class WaitsAtRung:
    """The cohort goes back to the queue, and waits until the arms have been compared."""


@dataclass(frozen=True)
class OutOfMemory:
    """The cohort needs more memory than there is: it is split."""

    error: str


@dataclass(frozen=True)
class BrokenDevice:
    """The device refuses everything after an error: the attempt is lost, and its process ends."""

    error: str


@dataclass(frozen=True)
class Lost:
    """The training hangs, and nobody had asked it to stop: the points after its checkpoint are given up."""

    why: str


@dataclass(frozen=True)
class FencedOff:
    """Another worker has the cohort, or may have it by now: nothing more is written."""


Written = Completed | Failed | Cancelled | Released | WaitsAtRung | OutOfMemory | BrokenDevice | Lost
"""An ending that this worker writes."""
Ending = Written | FencedOff


def write_ending(session: Session, held: Claim, ending: Written) -> Status:
    """End the claim; returns the cohort's status. Call after `renew` in the same transaction. Raises `Fenced`."""
    match ending:
        case Completed():
            return end(session, held, Status.SUCCEEDED)
        case Failed(error):
            return end(session, held, Status.FAILED, error=error)
        case Cancelled(why):
            return end(session, held, Status.CANCELLED, why=why)
        case Released(why):
            return end(session, held, Status.QUEUED, why=why)
        case WaitsAtRung():
            return wait(session, held)
        case OutOfMemory(error):
            return split_cohort(session, held, error)
        case BrokenDevice(why) | Lost(why):
            return mark_lost(session, held, why)
        case _:
            assert_never(ending)


def ending_of_stop(reason: Reason | None) -> Ending:
    """Return how an attempt ends whose trainer stopped for a reason."""
    match reason:
        case "cancel":
            return Cancelled()
        case "pause":
            return Released("paused")
        case "drain":
            return Released("its worker left")
        case "asked":
            return Released("its worker was drained")
        case "silent":
            return Released("its worker could not reach the database")
        case "fenced" | None:
            return FencedOff()
        case _:
            assert_never(reason)


def ending_of_failure(failure: Exception) -> Ending:
    """Return how an attempt ends whose training raised this."""
    match failure:
        case Fenced():
            return FencedOff()
        case FilesUnavailable(detail=detail):
            log.warning("the cohort goes back to the queue: %s", detail)
            return Released(f"its worker could not reach the file store: {detail}")
        case InitlabError(detail=detail):
            return Failed(detail)
    match classify(failure):
        case Fault.MEMORY:
            return OutOfMemory(text_of(failure))
        case Fault.DEVICE:
            return BrokenDevice(text_of(failure))
        case Fault.PROGRAM:
            return Failed(text_of(failure))
        case fault:
            assert_never(fault)


def ending_of_hang(reason: Reason | None, why: str) -> Ending:
    """Return how an attempt ends whose trainer does not stop; `reason` is why it was asked to."""
    match reason:
        case "cancel":
            return Cancelled(why)
        case "pause" | "drain" | "asked":
            return Released(why)
        case None:
            return Lost(why)
        case "fenced" | "silent":
            return FencedOff()
        case _:
            assert_never(reason)


def text_of(failure: Exception) -> str:
    """Return an error as a run shows it: its name, its text, and where it was raised."""
    last = traceback.extract_tb(failure.__traceback__)[-1]
    return f"{type(failure).__name__}: {str(failure)[:2000]} (in {last.name}, {Path(last.filename).name}:{last.lineno})"
