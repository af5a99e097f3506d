"""What is new of an experiment since a viewer's position: its state, its progress, points, and points that are void.

A viewer that applies what it is sent in order has, once nothing more is to come, the series that are stored, and it may
go on from any event's position: in another process, and after its cohorts have been rolled back, split or tried again.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np
from sqlalchemy import ColumnElement, Row, and_, func, or_, select, true, tuple_
from sqlalchemy.orm import Session

from core.experiments.cohorts.states import TERMINAL
from core.experiments.queries import read
from core.experiments.queries.cursor import (
    BEGINNING,
    EVERYTHING,
    Choice,
    CohortCursor,
    Cursor,
    CursorCodec,
    PartialPosition,
)
from core.results import EPOCH_METRICS, STEP_METRICS
from core.spec import DIAGNOSTICS
from core.store import Cohort, Event, MetricBlock, Run, Status, metric_blocks

MOST_POINTS = 200_000
"""After which a look ends: the rest is for the next one, which need not wait."""
LONGEST = 10_000
"""Points of one event, but for a longer block."""
AFTER = MetricBlock.first + MetricBlock.n


class StreamEvent(NamedTuple):
    """One event for the viewer, and the position that it has then."""

    kind: Literal["state", "progress", "metric", "rewind"]
    data: dict[str, Any]
    id: str


class Stream:
    """One viewer's looks at an experiment. It holds no session and no transaction between them."""

    def __init__(self, experiment_id: int, choice: Choice = EVERYTHING, last_id: str | None = None) -> None:
        """Go on after the event of that id; None: from the beginning. Raises `InvalidSpec` for an id of another."""
        self._experiment = experiment_id
        self._choice = choice
        self._writer = CursorCodec(experiment_id, choice)
        self.position = Cursor() if last_id is None else self._writer.read(last_id)
        self._told: dict[str, Any] = {}
        self._quiet: frozenset[int] = frozenset()
        self.more = True
        """Whether the next look will find something for certain."""
        self.ended = False
        """Whether everything has been sent of an experiment that has ended."""

    def is_over(self, session: Session) -> bool:
        """Whether the viewer has seen the end, and nothing has happened since. Raises `NotFound`."""
        experiment = read.experiment(session, self._experiment)
        later = (Event.experiment_id == self._experiment, Event.id > self.position.event)
        unchanged = session.scalar(select(Event.id).where(*later).limit(1)) is None
        return self.position.ended and experiment.status in TERMINAL and unchanged

    def poll(self, session: Session) -> list[StreamEvent]:
        """What is new. The session must see one state of the database, as `Database.reading` gives it.

        Raises `NotFound` once the experiment is deleted. After an error the same can be asked for again.
        """
        experiment = read.experiment(session, self._experiment)
        progress = read.progress(session, experiment)
        state = {"status": experiment.status}
        state |= {name: getattr(progress, name) for name in ("paused", "cancelling", "attempt")}
        counts = {name: getattr(progress, name) for name in ("steps_done", "steps_total", "runs_done", "runs_total")}
        ended = experiment.status in TERMINAL
        so_far = counts | {"ended": ended}  # then nobody waits for what is left, though the counts stay
        news: dict[str, Any] = {}
        if state != self._told.get("state"):
            news["state"] = state
        if so_far != self._told.get("progress"):
            news["progress"] = so_far
        found = _Poll(session, self._experiment, self._choice, self._writer, self.position, self._quiet)
        if "state" in news and not ended:
            found.tell("state", state)
        found.apply_events()
        found.catch_up()
        if "progress" in news and not found.more:
            found.tell("progress", counts | {"eta_seconds": progress.eta_seconds})
        if ended and not found.more:  # the viewer may take this for the end: nothing comes after it
            found.position = replace(found.position, ended=True)
            found.tell("state", state)
        self._told |= {sent.kind: news[sent.kind] for sent in found.sent if sent.kind in news}
        self.position, self._quiet, self.more = found.position, found.quiet, found.more
        self.ended = ended and not found.more
        return found.sent


class _Poll:
    """One look in the making."""

    def __init__(
        self,
        session: Session,
        experiment_id: int,
        choice: Choice,
        writer: CursorCodec,
        position: Cursor,
        quiet: frozenset[int],
    ) -> None:
        self.sent: list[StreamEvent] = []
        self.position = replace(position, ended=False)
        self.quiet = quiet
        """Cohorts that nobody trains and whose points the viewer has: history will tell before more come."""
        self.more = False
        self._session = session
        self._experiment = experiment_id
        self._writer = writer
        self._points = 0
        self._chosen: list[ColumnElement[bool]] = [true()]
        self._metrics = read.of_metrics(choice.metrics, choice.diagnostics)
        self._diagnostics = choice.diagnostics or any(m.partition("/")[0] in DIAGNOSTICS for m in choice.metrics)
        if choice.arm is not None:
            self._chosen.append(Run.arm == choice.arm)
        if choice.seed is not None:
            self._chosen.append(Run.seed == choice.seed)

    def tell(self, kind: Literal["state", "progress", "rewind"], data: dict[str, Any]) -> None:
        self.sent.append(StreamEvent(kind, data, self._writer.write(self.position)))

    def apply_events(self) -> None:
        """Go through the history since the position, and rewind what was rolled back."""
        mine = Event.experiment_id == self._experiment
        if not self.position.places:  # a viewer that has nothing has nothing to rewind
            last = self._session.scalar(select(func.max(Event.id)).where(mine)) or 0
            self.position, self.quiet = replace(self.position, event=last), frozenset()
            return
        events = self._session.scalars(
            select(Event).where(mine, Event.id > self.position.event).order_by(Event.id)
        ).all()
        self._part(events)
        for i, event in enumerate(events):
            if event.kind in ("claimed", "fell_back") and event.cohort_id is not None:
                for cohort in _family(event.cohort_id, events[i + 1 :]):
                    self._rewind(cohort, event)
            self.position = replace(self.position, event=event.id)
        self.quiet = self.quiet.difference(event.cohort_id for event in events)

    def catch_up(self) -> None:
        """Bring the viewer to where the experiment's cohorts are, as far as one look goes."""
        cohorts = self._session.execute(
            select(Cohort.id, Cohort.status)
            .where(Cohort.experiment_id == self._experiment, Cohort.attempt > 0)
            .order_by(Cohort.id)
        ).all()
        for cohort, status in cohorts:
            if cohort in self.quiet:
                continue
            while (there := self._target(cohort)) is not None:
                if self._points >= MOST_POINTS or not self._advance(cohort, there):
                    self.more = True
                    return
            if status != Status.RUNNING:
                self.quiet |= {cohort}

    def _part(self, events: Sequence[Event]) -> None:
        """A cohort that another was split from left it where it was itself."""
        for event in events:
            for cohort in event.detail.get("into", {}).values() if event.kind == "halved" else ():
                before = self.position.at(event.cohort_id or 0)
                if cohort not in self.position.places and before != BEGINNING:
                    self.position = self.position.moved(cohort, before)

    def _rewind(self, cohort: int, event: Event) -> None:
        """Follow a cohort back to where an attempt began, if the viewer is beyond it.

        Runs that had ended keep their points: the viewer must have all of them before. One that was cut off in mid
        course has those of some runs and not of others; it is taken back to before it set out, with all runs.
        """
        step, epochs, attempt = event.detail.get("step", 0), event.detail.get("epochs", 0), event.attempt or 0
        here = self.position.at(cohort)
        far = here if here.part is None else here.part
        if max(far.step, here.step) <= step and max(far.epochs, here.epochs) <= epochs:
            return
        if here.part is None:
            there = CohortCursor(step, epochs, attempt)
            lacks = _between(here, None, self._diagnostics)
            rest = and_(Run.attempt < attempt, MetricBlock.attempt >= here.attempt, lacks)
            self.sent += self._told_of(cohort, rest)
        else:
            there = CohortCursor(min(step, here.step), min(epochs, here.epochs))
        runs = self._session.scalars(
            select(Run.id).where(Run.cohort_id == cohort, Run.attempt >= there.attempt, *self._chosen).order_by(Run.id)
        ).all()
        self.position = self.position.moved(cohort, there)
        if runs:
            place = {"step": there.step, "epoch": there.epochs}
            self.tell("rewind", {"runs": list(runs), "attempt": attempt, **place})

    def _target(self, cohort: int) -> CohortCursor | None:
        """Where the viewer is to be next; None where it is there.

        All runs of a cohort that have not ended are equally far, in every state of the database.
        """
        here = self.position.at(cohort)
        if here.part is not None:
            return CohortCursor(here.part.step, here.part.epochs, here.attempt)
        lacking = (
            select(MetricBlock.metric.in_(EPOCH_METRICS).label("epochs"), func.max(AFTER))
            .join(Run, Run.id == MetricBlock.run_id)
            .where(Run.cohort_id == cohort, MetricBlock.attempt >= here.attempt, _between(here))
            .group_by("epochs")
        )
        found = {bool(of_epochs): after for of_epochs, after in self._session.execute(lacking)}
        if not found:
            return None
        return CohortCursor(found.get(False, here.step), found.get(True, here.epochs), here.attempt)

    def _advance(self, cohort: int, there: CohortCursor) -> bool:
        """Send what lies between the viewer and that place; False where that is too much for one look."""
        here = self.position.at(cohort)
        wanted = [MetricBlock.attempt >= here.attempt, _between(here, there, self._diagnostics)]
        if here.part is not None:
            key = tuple_(MetricBlock.run_id, MetricBlock.metric, MetricBlock.first)
            wanted.append(key >= (here.part.run, here.part.metric, here.part.first))
        sent: StreamEvent | None = None
        with closing(self._told_of(cohort, and_(*wanted), there)) as events:
            for sent in events:
                self.sent.append(sent)
                if self._points >= MOST_POINTS:
                    return False
        self.position = self.position.moved(cohort, there)
        if sent is not None:  # the last one brought the viewer there
            self.sent[-1] = sent._replace(id=self._writer.write(self.position))
        return True

    def _told_of(
        self, cohort: int, wanted: ColumnElement[bool], there: CohortCursor | None = None
    ) -> Generator[StreamEvent]:
        """The wanted points of a cohort's runs, and after each event the position on the way `there`."""
        block = (MetricBlock.attempt, MetricBlock.first, MetricBlock.n, MetricBlock.every, MetricBlock.values)
        query = (
            select(Run.id, Run.arm, Run.seed, MetricBlock.metric, *block)
            .join(Run, Run.id == MetricBlock.run_id)
            .where(Run.cohort_id == cohort, wanted, self._metrics, *self._chosen)
            .order_by(MetricBlock.run_id, MetricBlock.metric, MetricBlock.first)
        )
        here = self.position.at(cohort)
        step, epochs = (here.step, here.epochs) if there is None else (there.step, there.epochs)
        others = self._writer.all_but(self.position, cohort)
        with self._session.execute(query, execution_options={"yield_per": 500}) as rows:
            for blocks in _joined(rows):
                last = blocks[-1]
                part = PartialPosition(step, epochs, last.id, last.metric, last.first + last.n)
                place = here._replace(part=part)
                self.position = self.position.moved(cohort, place)
                self._points += sum(one.n for one in blocks)
                yield StreamEvent("metric", _points(blocks), self._writer.add(others, cohort, place))


def _between(here: CohortCursor, there: CohortCursor | None = None, diagnostics: bool = False) -> ColumnElement[bool]:
    """Points that a viewer lacks who is `here`; those before `there` only, if it is given.

    Without `diagnostics`, which are stored with the losses of their updates, an index finds them.
    """
    steps = MetricBlock.metric.in_(STEP_METRICS)
    kinds = [
        (or_(steps, metric_blocks.IS_DIAGNOSTIC) if diagnostics else steps, 0),
        (MetricBlock.metric.in_(EPOCH_METRICS), 1),
    ]
    first = MetricBlock.first
    return or_(
        *(and_(kind, first >= here[i], true() if there is None else first < there[i]) for kind, i in kinds)
    )  # of a place 0 is the step, 1 the epochs


def _family(cohort: int, later: Sequence[Event]) -> list[int]:
    """The cohorts that have the runs which one had before these events."""
    found = [cohort]
    for event in later:
        if event.kind == "halved" and event.cohort_id in found:
            found += event.detail.get("into", {}).values()
    return found


def _joined(rows: Iterable[Any]) -> Iterator[list[Row[Any]]]:
    """Blocks that follow on each other, as many as one event should have."""
    found: list[Row[Any]] = []
    for row in rows:
        if found:
            last = found[-1]
            follows = (last.id, last.metric, last.attempt, last.first + last.n * last.every)
            full = (row.first - found[0].first) // row.every + row.n > LONGEST
            if full or (row.id, row.metric, row.attempt, row.first) != follows:
                yield found
                found = []
        found.append(row)
    if found:
        yield found


def _points(blocks: Sequence[Row[Any]]) -> dict[str, Any]:
    first = blocks[0]
    values = np.concatenate([metric_blocks.decode(block) for block in blocks])
    plain = values.astype(object)
    plain[~np.isfinite(values)] = None
    about = {"run_id": first.id, "arm": first.arm, "seed": first.seed, "metric": first.metric}
    unit = "epoch" if first.metric in EPOCH_METRICS else "step"
    place = {"unit": unit, "attempt": first.attempt, "first": first.first, "every": first.every}
    return about | place | {"values": plain.tolist()}
