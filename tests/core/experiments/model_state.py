"""What a test of any order of events keeps in mind: who holds what, what was measured, whose turn it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy.orm import Session

from core.errors import Conflict
from core.experiments.cohorts.checkpoints import CheckpointRef
from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.leases import Ended, Fenced, Flush, flush, poll_requests, renew
from core.experiments.cohorts.recovery import LOST_TOGETHER, MOST_LOST
from core.experiments.cohorts.states import ACTIVE
from core.experiments.queries import read
from core.store import Database
from tests.core.experiments.snapshot import STEPS_OF_EPOCH, Extent, Row, Whole, assert_follows, empty, rows

UPDATES = 15


@dataclass
class Hand:
    """A worker's knowledge of its claim: all it has, however long ago another took it."""

    held: Claim
    at: Extent
    kept: CheckpointRef | None
    before: CheckpointRef | None
    ended: set[int]
    begun: bool = False

    @property
    def training(self) -> list[int]:
        return [lane.run for lane in self.held.lanes if lane.run not in self.ended]

    def on(self, updates: int) -> Extent:
        """Where it will be after so many updates more."""
        steps = min(UPDATES, self.at.steps + updates)
        return Extent(steps, steps // STEPS_OF_EPOCH)

    def flush(
        self, session: Session, until: Extent, early: Mapping[int, Extent], kept: CheckpointRef | None = None
    ) -> None:
        """Store all up to `until`; the runs that are in `early` end, some before it."""
        renew(session, self.held, 30)
        blocks = [row for run in self.training for row in rows(run, self.at, early.get(run, until))]
        ended = {
            run: Ended(outcome="completed" if length == until else "diverged", steps=length.steps, final={})
            for run, length in early.items()
        }
        flush(session, self.held, Flush(step=until.steps, blocks=blocks, ended=ended, checkpoint=kept), self.kept)


class Books(RuleBasedStateMachine):
    """The state of the database before a step, `seen`, and what should be there after it."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        empty(database)
        self.seen = Whole.of(database)
        self.hands: list[Hand] = []
        self.posted: dict[int, list[int]] = {}
        """Each experiment's first cohorts."""
        self.members: dict[int, list[tuple[int, int]]] = {}
        """Each experiment's runs: arm and seed."""
        self.turns: dict[int, int] = {}
        self.clock = 0
        self.stored: dict[int, Extent] = {}
        """How much of each run should be there."""
        self.began: dict[int, dict[int, Extent]] = {}
        """Where each attempt of each run began."""

    def teardown(self) -> None:
        empty(self.database)

    def poll(self, *, retried: bool = False) -> None:
        after = Whole.of(self.database)
        assert_follows(self.seen, after, retried=retried)
        self.seen = after

    def has_turn(self, experiment: int) -> None:
        self.clock += 1
        self.turns[experiment] = self.clock

    def pick(self, number: int, *statuses: str) -> int:
        """An experiment with a cohort in such a status, mostly."""
        fit = self.having(*statuses)
        among = fit if fit and number % 4 else sorted(self.posted)
        return among[number % len(among)]

    def having(self, *statuses: str) -> list[int]:
        """The experiments with a cohort in such a status."""
        return sorted({row["experiment_id"] for row in self.seen.tables["cohorts"] if row["status"] in statuses})

    @property
    def living(self) -> list[Hand]:
        """Whose cohort no other has."""
        return [hand for hand in self.hands if self.cohort(hand)]

    @property
    def waiting(self) -> list[Row]:
        """The cohorts that some worker may take."""
        return [
            cohort for cohort in self.seen.tables["cohorts"] if cohort["status"] == "queued" and not cohort["paused"]
        ]

    def status(self, experiment: int) -> str:
        return str(self.seen.by_id("experiments")[experiment]["status"])

    def cohort(self, hand: Hand) -> Row | None:
        """The hand's, if it is still its own."""
        row = self.seen.by_id("cohorts").get(hand.held.cohort_id)
        if row is None or row["experiment_id"] != hand.held.experiment_id:
            return None
        return row if (row["attempt"], row["status"]) == (hand.held.attempt, "running") else None

    def ask(self, experiment: int, wish: Callable[..., Any], *, retried: bool = False) -> None:
        with self.database.transaction() as session:
            wish(session, read.experiment(session, experiment))
        self.poll(retried=retried)

    def refused(self, experiment: int, wish: Callable[..., Any]) -> None:
        with pytest.raises(Conflict), self.database.transaction() as session:
            wish(session, read.experiment(session, experiment))
        assert Whole.of(self.database) == self.seen

    def write(self, hand: Hand, write: Callable[[Session], Any]) -> bool:
        """Whether it was the hand's to write; else it was refused, and nothing has changed."""
        mine = self.cohort(hand)
        if mine is None:
            with pytest.raises(Fenced), self.database.transaction() as session:
                write(session)
            with pytest.raises(Fenced), self.database.reading() as session:
                poll_requests(session, hand.held)
            assert Whole.of(self.database) == self.seen
            return False
        wish = "cancel" if mine["cancel_requested"] else "pause" if mine["paused"] else None
        with self.database.reading() as session:
            assert poll_requests(session, hand.held) == wish
        with self.database.transaction() as session:
            write(session)
        self.poll()
        return True

    def measured(self, hand: Hand, until: Extent, early: Mapping[int, Extent]) -> None:
        runs = self.seen.by_id("runs")
        for run in hand.training:
            self.stored[run] = early.get(run, until)
            assert runs[run]["steps_done"] == self.stored[run].steps
        hand.at, hand.begun = until, True
        hand.ended.update(early)

    def given_up(self, then: Row, runs: Sequence[Row], *, too_wide: bool) -> None:
        """What should have become of a cohort, with those runs, whose attempt was lost or needed too much memory."""
        now, left = self.seen.by_id("cohorts")[then["id"]], self.seen.runs_of(then["id"])
        active = [run for run in runs if run["status"] in ACTIVE]
        lost = then["lost"] + (not too_wide)
        parted = False
        if then["cancel_requested"]:
            status = "cancelled"
        elif not active:
            status = "succeeded"
        elif len(runs) > 1 and (too_wide or lost >= LOST_TOGETHER):
            status, lost, parted = "queued", min(lost, 1), True
            assert {run["status"] for run in left} == {"queued"}
            assert len(left) == 1 if len(active) == 1 else 3 * len(left) <= 2 * len(active)
            assert now["checkpoint"] is now["checkpoint_before"] is None
        else:
            status = "failed" if too_wide or lost >= MOST_LOST else "queued"
        assert (now["status"], now["lost"]) == (status, lost)
        assert parted or len(left) == len(runs)
        if status == "failed":
            assert {run["error"] for run in left if run["status"] == "failed"} == {now["error"]}
