"""Streams an experiment to a viewer from its cursor on: the state, the progress, points, and points that are void.

A viewer that applies what it is sent in order has, once nothing more is to come, the series that are stored, and it may
go on from any event's cursor: in another process, and after its cohorts have been rolled back, split or tried again.
"""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, func, select, true, union_all
from sqlalchemy.orm import Session

from core.experiments.cohorts.designs import is_external, unit_in
from core.experiments.cohorts.states import TERMINAL
from core.experiments.queries import arrivals, read
from core.experiments.queries.cursor import (
    BEGINNING,
    EVERYTHING,
    Choice,
    CohortCursor,
    Cursor,
    CursorCodec,
    PartialPosition,
)
from core.experiments.queries.families import family
from core.experiments.queries.points import LAST, across, beyond, cut, event_data, from_part_on, joined
from core.experiments.queries.progress import TOLD, progress_of
from core.experiments.queries.series import of_metrics
from core.metrics import diagnostics, metric_names
from core.store import AS_BYTES, Cohort, Event, Experiment, MetricBlock, Run, Status

MOST_POINTS = 20_000
"""Points after which a poll ends: the rest is for the next one, which need not wait. It bounds what is held of one."""
LONGEST = 10_000
"""Points of one event."""
AT_ONCE = 100
"""Blocks that are held of a query's; a merged one may have 128 KiB."""


class StreamEvent(NamedTuple):
    """One event for the viewer, and the cursor that it has then, as text."""

    kind: Literal["state", "progress", "metric", "rewind", "look"]
    data: dict[str, Any]
    id: str


class Stream:
    """A viewer's stream of an experiment. It holds no session and no transaction between two polls."""

    def __init__(
        self, experiment_id: int, choice: Choice = EVERYTHING, last_id: str | None = None, *, secret: bytes
    ) -> None:
        """Go on after the event of that id; None: from the beginning. Raises `InvalidSpec` for an id of another.

        `secret` signs the ids.
        """
        self._experiment = experiment_id
        self._choice = choice
        self._codec = CursorCodec(experiment_id, choice, secret)
        self.cursor = Cursor() if last_id is None else self._codec.read(last_id)
        self._last_sent: dict[str, Any] = {}
        self._idle: frozenset[int] = frozenset()
        self.more = True
        """True where the next poll will find something for certain."""
        self.ended = False
        """True once everything has been sent of an experiment that has ended."""

    def is_over(self, session: Session) -> bool:
        """Return whether the viewer has seen the end, and nothing has happened since. Raises `NotFound`."""
        experiment = read.experiment(session, self._experiment)
        later = (Event.experiment_id == self._experiment, Event.id > self.cursor.event)
        unchanged = session.scalar(select(Event.id).where(*later).limit(1)) is None
        return self.cursor.ended and experiment.status in TERMINAL and unchanged

    def poll(self, session: Session) -> list[StreamEvent]:
        """Return the new events. The session must see one state of the database, as `Database.reading` gives it.

        Raises `NotFound` once the experiment is deleted. After an error the same can be asked for again.
        """
        experiment = read.experiment(session, self._experiment)
        progress = progress_of(session, experiment)
        state = {"status": experiment.status}
        state |= {name: getattr(progress, name) for name in ("paused", "cancelling", "attempt")}
        counts = {name: getattr(progress, name) for name in TOLD}
        ended = experiment.status in TERMINAL
        so_far = counts | {"ended": ended}  # then nobody waits for what is left, though the counts stay
        news: dict[str, Any] = {}
        if state != self._last_sent.get("state"):
            news["state"] = state
        if so_far != self._last_sent.get("progress"):
            news["progress"] = so_far
        poll = _Poll(session, experiment, self._choice, codec=self._codec, cursor=self.cursor, idle=self._idle)
        if "state" in news and not ended:
            poll.send("state", state)
        poll.apply_events()
        poll.catch_up()
        if "progress" in news and not poll.more:
            poll.send("progress", counts | {"eta_seconds": progress.eta_seconds})
        if ended and not poll.more:  # the viewer may take this for the end: nothing comes after it
            poll.cursor = replace(poll.cursor, ended=True)
            poll.send("state", state)
        self._last_sent |= {sent.kind: news[sent.kind] for sent in poll.sent if sent.kind in news}
        self.cursor, self._idle, self.more = poll.cursor, poll.idle, poll.more
        self.ended = ended and not poll.more
        return poll.sent


class _Poll:
    """One poll in the making."""

    def __init__(
        self,
        session: Session,
        of: Experiment,
        choice: Choice,
        *,
        codec: CursorCodec,
        cursor: Cursor,
        idle: frozenset[int],
    ) -> None:
        self.sent: list[StreamEvent] = []
        self.cursor = replace(cursor, ended=False)
        self.idle = idle
        """Cohorts that nobody trains and whose points the viewer has: an event comes before more do."""
        self.more = False
        self._session = session
        self._experiment = of.id
        self._by_arrival, self._unit_in = is_external(of), unit_in(of)
        self._codec = codec
        self._points = 0
        self._chosen: list[ColumnElement[bool]] = [~Run.repeat]
        self._metrics = of_metrics(choice.metrics, choice.diagnostics or self._by_arrival)
        self._diagnostics = choice.diagnostics or any(m.partition("/")[0] in diagnostics() for m in choice.metrics)
        if choice.arm is not None:
            self._chosen.append(Run.arm == choice.arm)
        if choice.seed is not None:
            self._chosen.append(Run.seed == choice.seed)

    def send(self, kind: Literal["state", "progress", "rewind", "look"], data: dict[str, Any]) -> None:
        self.sent.append(StreamEvent(kind=kind, data=data, id=self._codec.write(self.cursor)))

    def apply_events(self) -> None:
        """Go through the experiment's events since the cursor: send its looks, and rewind what was rolled back."""
        mine = Event.experiment_id == self._experiment
        if not self.cursor.cohorts:  # a viewer that has nothing has nothing to rewind
            last = self._session.scalar(select(func.max(Event.id)).where(mine)) or 0
            looks = (mine, Event.kind == "look", Event.id > self.cursor.event)
            for event in self._session.scalars(select(Event).where(*looks).order_by(Event.id)):
                self._look(event)
            self.cursor, self.idle = replace(self.cursor, event=last), frozenset()
            return
        events = self._session.scalars(select(Event).where(mine, Event.id > self.cursor.event).order_by(Event.id)).all()
        self._follow_splits(events)
        for i, event in enumerate(events):
            if event.kind in ("claimed", "fell_back") and event.cohort_id is not None:
                for cohort in family(event.cohort_id, events[i + 1 :]):
                    self._rewind(cohort, event)
            if event.kind == "restarted" and event.cohort_id is not None:
                self._start_over(event.cohort_id, 0)
            if event.kind == "look":
                self._look(event)
            self.cursor = replace(self.cursor, event=event.id)
        self.idle = self.idle.difference(event.cohort_id for event in events)

    def _look(self, event: Event) -> None:
        self.cursor = replace(self.cursor, event=event.id)
        self.send("look", event.detail)

    def catch_up(self) -> None:
        """Bring the viewer to where the experiment's cohorts are, as far as one poll goes."""
        cohorts = self._session.execute(
            select(Cohort.id, Cohort.status)
            .where(Cohort.experiment_id == self._experiment, Cohort.attempt > 0)
            .order_by(Cohort.id)
        ).all()
        for cohort, status in cohorts:
            if cohort in self.idle:
                continue
            while (there := self._target(cohort)) is not None:
                if self._points >= MOST_POINTS or not self._advance(cohort, there):
                    self.more = True
                    return
            if status != Status.RUNNING:
                self.idle |= {cohort}

    def _follow_splits(self, events: Sequence[Event]) -> None:
        """Put each cohort that was split from another where that one was."""
        for event in events:
            for cohort in event.detail.get("into", {}).values() if event.kind == "halved" else ():
                before = self.cursor.at(event.cohort_id or 0)
                if cohort not in self.cursor.cohorts and before != BEGINNING:
                    self.cursor = self.cursor.moved(cohort, before)

    def _rewind(self, cohort: int, event: Event) -> None:
        """Follow a cohort back to where an attempt began, if the viewer is beyond it.

        Runs that had ended keep their points: the viewer must have all of them before. One that was cut off in mid
        course has those of some runs and not of others; it is taken back to before it set out, with all runs.
        """
        step, epochs, attempt = event.detail.get("step", 0), event.detail.get("epochs", 0), event.attempt or 0
        here = self.cursor.at(cohort)
        far = here if here.part is None else here.part
        if max(far.step, here.step) <= step and max(far.epochs, here.epochs) <= epochs:
            return
        if here.part is None:
            there = CohortCursor(step=step, epochs=epochs, attempt=attempt)
            self.sent += self._points_of(cohort, Run.attempt < attempt)
        else:
            there = CohortCursor(step=min(step, here.step), epochs=min(epochs, here.epochs))
        runs = self._session.scalars(
            select(Run.id).where(Run.cohort_id == cohort, Run.attempt >= there.attempt, *self._chosen).order_by(Run.id)
        ).all()
        self.cursor = self.cursor.moved(cohort, there)
        if runs:
            place = {"step": there.step, "epoch": there.epochs}
            self.send("rewind", {"runs": list(runs), "attempt": attempt, **place})

    def _start_over(self, cohort: int, attempt: int) -> None:
        """Take a viewer back to the beginning of a run that is trained elsewhere, if it has anything of it."""
        if self.cursor.at(cohort) == BEGINNING:
            return
        self.cursor = self.cursor.moved(cohort, BEGINNING)
        runs = self._session.scalars(select(Run.id).where(Run.cohort_id == cohort, *self._chosen)).all()
        if runs:
            self.send("rewind", {"runs": list(runs), "attempt": attempt, "step": 0, "epoch": 0})

    def _target(self, cohort: int) -> CohortCursor | None:
        """Return where the viewer is to be next; None where it is there.

        All runs of a cohort that have not ended are equally far, in every state of the database.
        """
        here = self.cursor.at(cohort)
        if self._by_arrival:
            there = arrivals.target(self._session, cohort, here)
            if there is None or here.part is not None or not arrivals.is_merged(self._session, cohort):
                return there
            self._start_over(cohort, there.attempt)
            return arrivals.target(self._session, cohort, BEGINNING)
        if here.part is not None:
            return CohortCursor(step=here.part.step, epochs=here.part.epochs, attempt=here.attempt)
        of_epochs = MetricBlock.metric.in_(metric_names("epoch")).label("epochs")
        lacking = select(of_epochs, func.max(LAST) + 1).join(Run, Run.id == MetricBlock.run_id).group_by(of_epochs)
        mine = (Run.cohort_id == cohort, MetricBlock.attempt >= here.attempt)
        both = union_all(*(lacking.where(*mine, condition) for condition in (beyond(here), across(here))))
        found: dict[bool, int] = {}
        for epochs, after in self._session.execute(both):
            found[bool(epochs)] = max(after, found.get(bool(epochs), 0))
        if not found:
            return None
        return CohortCursor(step=found.get(False, here.step), epochs=found.get(True, here.epochs), attempt=here.attempt)

    def _advance(self, cohort: int, there: CohortCursor) -> bool:
        """Send what lies between the viewer and that point; False where that is too much for one poll."""
        here = self.cursor.at(cohort)
        wanted = true() if here.part is None else from_part_on(here.part)
        sent: StreamEvent | None = None
        with closing(self._points_of(cohort, wanted, there)) as events:
            for sent in events:
                self.sent.append(sent)
                if self._points >= MOST_POINTS:
                    return False
        self.cursor = self.cursor.moved(cohort, there)
        if sent is not None:  # the last one brought the viewer there
            self.sent[-1] = sent._replace(id=self._codec.write(self.cursor))
        return True

    def _points_of(
        self, cohort: int, wanted: ColumnElement[bool], there: CohortCursor | None = None
    ) -> Generator[StreamEvent]:
        """Yield of the wanted blocks what the viewer lacks, each event with the cursor on the way `there`."""
        here = self.cursor.at(cohort)
        place = (MetricBlock.attempt, MetricBlock.first, MetricBlock.n, MetricBlock.every)
        block = (*place, MetricBlock.values, MetricBlock.steps)
        blocks_of = (
            select(MetricBlock.run_id, Run.arm, Run.seed, MetricBlock.metric, *block)
            .join(Run, Run.id == MetricBlock.run_id)
            .where(Run.cohort_id == cohort, MetricBlock.attempt >= here.attempt, wanted, self._metrics, *self._chosen)
        )
        lacks = [beyond(here, there, diagnostics=self._diagnostics), across(here, diagnostics=self._diagnostics)]
        if self._by_arrival:
            lacks = [arrivals.between(here, there)]
        query = union_all(*(blocks_of.where(condition) for condition in lacks)).order_by("run_id", "metric", "first")
        step, epochs, bound = *((here.step, here.epochs) if there is None else (there.step, there.epochs)), there
        if self._by_arrival and there is not None:
            step, epochs, bound = there.attempt, 0, None
        others = self._codec.all_but(self.cursor, cohort)
        with self._session.execute(query, execution_options={"yield_per": AT_ONCE} | AS_BYTES) as rows:
            for blocks in joined(cut(rows, here, bound, LONGEST, self._unit_in), LONGEST):
                last = blocks[-1]
                after = last.last + 1
                part = PartialPosition(step=step, epochs=epochs, run=last.run_id, metric=last.metric, first=after)
                way = here._replace(part=part)
                self.cursor = self.cursor.moved(cohort, way)
                self._points += sum(one.n for one in blocks)
                yield StreamEvent(
                    kind="metric", data=event_data(blocks, self._unit_in), id=self._codec.add(others, cohort, way)
                )
