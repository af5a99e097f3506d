"""The cursor of a viewer of an experiment: small enough for the id of an event, and enough to go on from anywhere."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from core.errors import InvalidSpec, Problem

FORM = "2"
"""Of the text. Another form is another number, and refused."""


@dataclass(frozen=True)
class Choice:
    """The series that a viewer wants: metrics (none: all) of an arm and a seed (None: all).

    All are those of no layer, and only with `diagnostics` those of layers too.
    """

    metrics: tuple[str, ...] = ()
    arm: str | None = None
    seed: int | None = None
    diagnostics: bool = False


EVERYTHING = Choice()


class PartialPosition(NamedTuple):
    """A viewer in the middle of what brings it to another point; the points come by run, metric and update."""

    step: int
    epochs: int
    """The other point."""
    run: int
    metric: str
    first: int
    """The next point: of this run and metric at this update or later, or of those that come after."""


class CohortCursor(NamedTuple):
    """The extent to which a viewer has a cohort's points.

    It has all points before `step`, epochs' before `epochs`. Of later ones it has those, and only those, that attempts
    before `attempt` stored: of runs which ended before that attempt went back to an earlier update.
    """

    step: int = 0
    epochs: int = 0
    attempt: int = 0
    part: PartialPosition | None = None


BEGINNING = CohortCursor()


@dataclass(frozen=True)
class Cursor:
    """All that a viewer has: the experiment's events until `event`, and of each cohort what its own cursor says."""

    event: int = 0
    cohorts: Mapping[int, CohortCursor] = field(default_factory=dict)
    ended: bool = False
    """It has seen the end."""

    def at(self, cohort: int) -> CohortCursor:
        return self.cohorts.get(cohort, BEGINNING)

    def moved(self, cohort: int, to: CohortCursor) -> "Cursor":
        return replace(self, cohorts={**self.cohorts, cohort: to})


class CursorCodec:
    """Writes the cursors of one viewer: `FORM-signature-event-cohorts`; cohorts that are equally far stand together.

    The signature is of the experiment, the choice and the cursor: it means nothing for others, and nobody can make one
    that costs more to go on from than those that a stream has sent.
    """

    def __init__(self, experiment_id: int, choice: Choice, secret: bytes) -> None:
        """`secret`: at most 64 bytes, the same in all processes that one viewer may come to."""
        chosen: tuple[object, ...] = (experiment_id, sorted(set(choice.metrics)), choice.arm, choice.seed)
        if choice.diagnostics:  # without, as it was before there were any
            chosen += (True,)
        self._signing = hashlib.blake2b(repr(chosen).encode(), digest_size=8, key=secret)

    def write(self, cursor: Cursor) -> str:
        """Return the cursor as text: letters, digits and `.,:_~-`."""
        return self._signed(self.all_but(cursor, None))

    def all_but(self, cursor: Cursor, cohort: int | None) -> str:
        """Return the cursor without one cohort, unsigned, for `add`: many that differ in one are written in a row."""
        together: dict[str, list[int]] = {}
        for one, extent in sorted(cursor.cohorts.items()):
            if one != cohort and extent != BEGINNING:
                together.setdefault(_cohort_text(extent), []).append(one)
        extents = "_".join(f"{extent}:{_ranges(cohorts)}" for extent, cohorts in together.items())
        return f"{cursor.event}{'e' if cursor.ended else ''}-{extents}"

    def add(self, text: str, cohort: int, extent: CohortCursor) -> str:
        """Return the text that `all_but` gave, with the cohort that it was without, signed."""
        more = f"{_cohort_text(extent)}:{cohort}"
        return self._signed(text + more if text.endswith("-") else f"{text}_{more}")

    def read(self, text: str) -> Cursor:
        """Return the cursor. Raises `InvalidSpec` for text that `write` did not make, or made for others."""
        found = re.fullmatch(r"(\d)-([0-9a-f]{16})-((\d{1,18})(e?)-([\w.,:~-]*))", text, re.ASCII)
        if found is None or found[1] != FORM:
            raise _refused("is no position: it should be the `id` of an event, as it came")
        if not hmac.compare_digest(self._signed(found[3]), text):
            raise _refused("is of another experiment, or of another metric, arm or seed, or has been changed")
        extents: dict[int, CohortCursor] = {}
        for one in filter(None, found[6].split("_")):
            extent, _, cohorts = one.partition(":")
            extents |= dict.fromkeys(_numbers(cohorts), _cohort_cursor(extent))
        return Cursor(event=int(found[4]), cohorts=extents, ended=bool(found[5]))

    def _signed(self, text: str) -> str:
        signing = self._signing.copy()
        signing.update(b"\0" + text.encode())
        return f"{FORM}-{signing.hexdigest()}-{text}"


def _refused(why: str) -> InvalidSpec:
    return InvalidSpec([Problem("Last-Event-ID", why)])


def _cohort_text(cursor: CohortCursor) -> str:
    text = f"{cursor.step}.{cursor.epochs}.{cursor.attempt}"
    part = cursor.part
    if part is None:
        return text
    return f"{text}~{part.step}.{part.epochs}.{part.run}.{_metric_text(part.metric)}.{part.first}"


def _cohort_cursor(text: str) -> CohortCursor:
    """Return the extent that `_cohort_text` wrote."""
    extent, _, rest = text.partition("~")
    step, epochs, attempt = map(int, extent.split("."))
    part = None
    if rest:
        step_of_part, epochs_of_part, run, metric, first = rest.split(".")
        part = PartialPosition(
            step=int(step_of_part), epochs=int(epochs_of_part), run=int(run), metric=_metric(metric), first=int(first)
        )
    return CohortCursor(step=step, epochs=epochs, attempt=attempt, part=part)


def _metric_text(metric: str) -> str:
    """Return the name with `_` as `-`, and what is neither a small letter nor a digit by its code, `/` as `Z2f`."""
    return re.sub("[^a-z0-9-]", lambda found: "".join(f"Z{byte:02x}" for byte in found[0].encode()), _swapped(metric))


def _metric(text: str) -> str:
    """Return the metric that `_metric_text` wrote."""
    return _swapped(re.sub("(?:Z[0-9a-f]{2})+", lambda found: bytes.fromhex(found[0].replace("Z", "")).decode(), text))


def _swapped(text: str) -> str:
    return text.translate({ord("_"): "-", ord("-"): "_"})


def _ranges(numbers: Iterable[int]) -> str:
    """Return ascending numbers as `1-5,9`."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1][1:] = [number]
        else:
            found.append([number])
    return ",".join("-".join(map(str, one)) for one in found)


def _numbers(text: str) -> list[int]:
    """Return the numbers that `_ranges` wrote."""
    found: list[int] = []
    for one in text.split(","):
        first, _, last = one.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found
