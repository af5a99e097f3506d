"""The cursor of a viewer of an experiment: small enough for the id of an event, and enough to go on from anywhere."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from core.errors import InvalidSpec, Problem

FORM = "1"
"""Of the text. Another form is another number, and refused."""
MOST_COHORTS = 100_000
"""Of one cursor: no experiment has a tenth of that many, and a text that claims more is not ours."""


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
    """Writes the cursors of one viewer: `FORM-stamp-event-cohorts`, where cohorts that are equally far stand together.

    The stamp is made of the experiment and the choice: a cursor means nothing for others.
    """

    def __init__(self, experiment_id: int, choice: Choice) -> None:
        chosen: tuple[object, ...] = (experiment_id, sorted(set(choice.metrics)), choice.arm, choice.seed)
        if choice.diagnostics:  # without, as it was before there were any
            chosen += (True,)
        self._stamp = hashlib.blake2b(repr(chosen).encode(), digest_size=4).hexdigest()

    def write(self, cursor: Cursor) -> str:
        """Return the cursor as text: letters, digits and `.,:_~-`."""
        return self.all_but(cursor, None)

    def all_but(self, cursor: Cursor, cohort: int | None) -> str:
        """Return the cursor without one cohort, for `add`: many that differ in one are written one after another."""
        together: dict[str, list[int]] = {}
        for one, extent in sorted(cursor.cohorts.items()):
            if one != cohort and extent != BEGINNING:
                together.setdefault(_cohort_text(extent), []).append(one)
        extents = "_".join(f"{extent}:{_ranges(cohorts)}" for extent, cohorts in together.items())
        return f"{FORM}-{self._stamp}-{cursor.event}{'e' if cursor.ended else ''}-{extents}"

    def add(self, text: str, cohort: int, extent: CohortCursor) -> str:
        """Return the text that `all_but` gave, with the cohort that it was without."""
        more = f"{_cohort_text(extent)}:{cohort}"
        return text + more if text.endswith("-") else f"{text}_{more}"

    def read(self, text: str) -> Cursor:
        """Return the cursor. Raises `InvalidSpec` for text that `write` did not make, or made for others."""
        found = re.fullmatch(r"(\d+)-([0-9a-f]{8})-(\d{1,18})(e?)-([\w.,:~-]*)", text, re.ASCII)
        if found is None or found[1] != FORM:
            raise _refused("is no position: it should be the `id` of an event, as it came")
        if found[2] != self._stamp:
            raise _refused("is of another experiment, or of another metric, arm or seed")
        extents: dict[int, CohortCursor] = {}
        for one in filter(None, found[5].split("_")):
            extent, _, cohorts = one.partition(":")
            extents |= dict.fromkeys(_numbers(cohorts), _cohort_cursor(extent))
            if len(extents) > MOST_COHORTS:
                raise _refused("is damaged")
        return Cursor(event=int(found[3]), cohorts=extents, ended=bool(found[4]))


def _refused(why: str) -> InvalidSpec:
    return InvalidSpec([Problem("Last-Event-ID", why)])


def _cohort_text(cursor: CohortCursor) -> str:
    text = f"{cursor.step}.{cursor.epochs}.{cursor.attempt}"
    part = cursor.part
    if part is None:
        return text
    return f"{text}~{part.step}.{part.epochs}.{part.run}.{_metric_text(part.metric)}.{part.first}"


def _cohort_cursor(text: str) -> CohortCursor:
    found = re.fullmatch(
        r"(\d{1,18})\.(\d{1,9})\.(\d{1,9})(?:~(\d{1,18})\.(\d{1,9})\.(\d{1,18})\.([A-Za-z0-9-]{1,600})\.(\d{1,18}))?",
        text,
    )
    if found is None:
        raise _refused("is damaged")
    part = None
    if found[4] is not None:
        part = PartialPosition(
            step=int(found[4]), epochs=int(found[5]), run=int(found[6]), metric=_metric(found[7]), first=int(found[8])
        )
    return CohortCursor(step=int(found[1]), epochs=int(found[2]), attempt=int(found[3]), part=part)


def _metric_text(metric: str) -> str:
    """Return the name with `_` as `-`, and what is neither a small letter nor a digit by its code, `/` as `Z2f`."""
    return re.sub("[^a-z0-9-]", lambda found: "".join(f"Z{byte:02x}" for byte in found[0].encode()), _swapped(metric))


def _metric(text: str) -> str:
    """Return the metric that `_metric_text` wrote."""
    try:
        return _swapped(
            re.sub("(?:Z[0-9a-f]{2})+", lambda found: bytes.fromhex(found[0].replace("Z", "")).decode(), text)
        )
    except UnicodeDecodeError:
        raise _refused("is damaged") from None


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
        ends = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", one)
        first, last = (int(ends[1]), int(ends[2] or ends[1])) if ends else (1, 0)
        if not 0 <= last - first < MOST_COHORTS - len(found):
            raise _refused("is damaged")
        found += range(first, last + 1)
    return found
