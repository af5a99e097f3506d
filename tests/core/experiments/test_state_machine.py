"""Any order of claims, writes, losses and wishes, by workers that are alive and by those that only think so.

After every step the whole database is looked at (`whole`), and compared with what should be there (`books`).
"""

from dataclasses import asdict
from functools import partial
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import event
from sqlalchemy.orm import Session

from core.datasets import DatasetPaths
from core.experiments.cohorts.checkpoints import CheckpointRef
from core.experiments.cohorts.counts import count
from core.experiments.cohorts.eligibility import WorkerCapabilities
from core.experiments.cohorts.leases import end, fall_back, renew
from core.experiments.cohorts.recovery import mark_lost
from core.experiments.cohorts.splitting import split_cohort
from core.experiments.cohorts.states import ACTIVE, TERMINAL
from core.experiments.maintenance import sweep
from core.experiments.maintenance.merging import BlockMerger
from core.experiments.requests import cancel, delete, pause, resume, retry
from core.spec import parse
from core.store import Cohort, Database, Status
from tests.core.experiments.claims import expire, take
from tests.core.experiments.model_state import UPDATES, Books, Hand
from tests.core.experiments.snapshot import Extent, assert_consistent, assert_overtaken, lengths, replayed
from tests.core.experiments.submitting import submit
from tests.thorough import EVERY

MOST_AT_WORK, MOST = 3, 6
WORKERS = {
    "plain": WorkerCapabilities(devices=("auto", "cpu"), queues=("cpu",)),
    "both": WorkerCapabilities(devices=("auto", "cpu"), queues=("cpu", "big")),
    "label": WorkerCapabilities(devices=("auto", "cpu"), queues=("big",)),
}
PICKS = st.integers(0, 7)


class Service(Books):
    @initialize(cohorts=st.integers(1, 3), seeds=st.integers(1, 4))
    def begin(self, cohorts: int, seeds: int) -> None:
        self.post(cohorts, seeds, 0, None)

    # What a user does

    @precondition(lambda self: len(self.having(*ACTIVE)) < MOST_AT_WORK and len(self.posted) < MOST)
    @rule(
        cohorts=st.integers(1, 3),
        seeds=st.integers(1, 4),
        priority=st.integers(0, 1),
        queue=st.sampled_from([None, None, "big"]),
    )
    def post(self, cohorts: int, seeds: int, priority: int, queue: str | None) -> None:
        arms = [{"label": f"arm {i}", "initializer": "he_normal", "batch_size": 100 + i} for i in range(cohorts)]
        more = {"seeds": seeds, "epochs": 1, "model": {"name": "mlp", "hidden": [4]}}
        with self.database.transaction() as session:
            spec = parse({"arms": arms, "priority": priority, "queue": queue} | more)
            experiment = submit(session, spec, DatasetPaths())[0].id
        self.poll()
        self.posted[experiment] = [cohort["id"] for cohort in self.seen.cohorts_of(experiment)]
        self.members[experiment] = sorted((arm, seed) for arm in range(cohorts) for seed in range(seeds))
        self.has_turn(experiment)
        for cohort in self.posted[experiment]:
            for run in self.seen.runs_of(cohort):
                self.stored[run["id"]], self.began[run["id"]] = Extent(), {}

    @precondition(lambda self: self.having("running"))
    @rule(number=PICKS)
    def cancel(self, number: int) -> None:
        experiment = self.pick(number, *ACTIVE)
        self.ask(experiment, cancel)
        for cohort in self.seen.cohorts_of(experiment):
            assert cohort["status"] in TERMINAL or (cohort["status"] == "running" and cohort["cancel_requested"])

    @precondition(lambda self: self.having("running"))
    @rule(number=PICKS)
    def pause(self, number: int) -> None:
        experiment = self.pick(number, "running")
        if self.status(experiment) in TERMINAL:
            self.refused(experiment, pause)
            return
        self.ask(experiment, pause)
        assert {cohort["paused"] for cohort in self.seen.cohorts_of(experiment)} == {True}

    @precondition(lambda self: any(cohort["paused"] for cohort in self.seen.tables["cohorts"]))
    @rule(number=PICKS)
    def resume(self, number: int) -> None:
        paused = [cohort["experiment_id"] for cohort in self.seen.tables["cohorts"] if cohort["paused"]]
        experiment = paused[number % len(paused)]
        self.ask(experiment, resume)
        assert {cohort["paused"] for cohort in self.seen.cohorts_of(experiment)} == {False}

    @precondition(lambda self: self.having("failed"))
    @rule(number=PICKS)
    def retry(self, number: int) -> None:
        experiment = self.pick(number, "failed")
        failed = [cohort for cohort in self.seen.cohorts_of(experiment) if cohort["status"] == "failed"]
        if not any(run["status"] == "failed" for cohort in failed for run in self.seen.runs_of(cohort["id"])):
            self.refused(experiment, retry)
            return
        self.ask(experiment, retry, retried=True)
        reset = {"status": "queued", "lost": 0, "error": None, "holder": None, "cancel_requested": False}
        for old in failed:
            new = self.seen.by_id("cohorts")[old["id"]]
            assert new == dict(old) | reset | {"queued_at": new["queued_at"]}

    @precondition(lambda self: len(self.posted) > 1 and self.having(*TERMINAL))
    @rule(number=PICKS)
    def delete(self, number: int) -> None:
        experiment = self.pick(number, *TERMINAL)
        if self.status(experiment) not in TERMINAL:
            self.refused(experiment, delete)
            return
        for run in self.seen.tables["runs"]:
            if run["experiment_id"] == experiment:
                del self.stored[run["id"]]
        del self.posted[experiment]
        self.ask(experiment, delete)
        assert experiment not in self.seen.by_id("experiments")

    # What workers do

    @precondition(lambda self: self.waiting)
    @rule(worker=st.sampled_from(["plain", "plain", "both", "label"]), damaged=st.sampled_from([0, 0, 1, 2]))
    def claim(self, worker: str, damaged: int = 0) -> None:
        capabilities = WORKERS[worker]
        waiting = [
            (-cohort["priority"], self.turns[cohort["experiment_id"]], cohort["id"])
            for cohort in self.waiting
            if (cohort["queue"] or "cpu") in capabilities.queues
        ]
        held = take(self.database, f"{worker}/1/0", capabilities=capabilities)
        assert (held and held.cohort_id) == (min(waiting)[2] if waiting else None)
        if held is None:
            return
        then = self.seen.by_id("cohorts")[held.cohort_id]
        self.poll()
        self.has_turn(held.experiment_id)
        assert held.attempt == then["attempt"] + 1
        assert held.resume_from == CheckpointRef.of(Cohort(**then))
        assert held.ended == {run["id"] for run in self.seen.runs_of(held.cohort_id) if run["status"] in TERMINAL}
        at = Extent(then["checkpoint_step"], then["checkpoint_epochs"])
        before = then["checkpoint_before"]
        hand = Hand(held, at, held.resume_from, before and CheckpointRef(**before), set(held.ended))
        self.hands.append(hand)
        for run in hand.training:
            self.stored[run] = self.began[run][held.attempt] = at
            assert self.seen.by_id("runs")[run]["steps_done"] == at.steps
        for _ in range(damaged):
            self._fall_back(hand)

    def someone(self, number: int) -> Hand:
        """A hand, one that is alive mostly: where nobody works, somebody comes."""
        if not self.living and self.waiting:
            self.claim("both")
        among = self.living if self.living and number else self.hands
        return among[number % len(among)]

    @precondition(lambda self: self.hands or self.waiting)
    @rule(
        number=PICKS,
        n=st.integers(0, 5),
        keeps=st.booleans(),
        diverging=st.none() | PICKS,
        twice=st.sampled_from(["", "at once", "merged meanwhile"]),
    )
    def flush(self, number: int, n: int, keeps: bool, diverging: int | None, twice: str) -> None:
        hand = self.someone(number)
        until = hand.on(n)
        early = {}
        if diverging is not None and hand.training and until.steps > hand.at.steps:
            early = {hand.training[diverging % len(hand.training)]: Extent(hand.at.steps + 1, hand.at.epochs)}
        kept = (
            CheckpointRef(
                name=f"{hand.held.cohort_id}-{hand.held.attempt}-{until.steps}",
                sha256="0",
                step=until.steps,
                epochs=until.epochs,
            )
            if keeps and n
            else None
        )
        for _ in range(1 + bool(twice)):  # the outcome of the first commit was unknown
            if not self.write(hand, lambda session: hand.flush(session, until, early, kept)):
                return
            if twice == "merged meanwhile":
                BlockMerger(self.database).merge()
                self.poll()
        self.measured(hand, until, early)
        if kept:
            hand.before, hand.kept = hand.kept, kept
        row = self.seen.by_id("cohorts")[hand.held.cohort_id]
        assert (CheckpointRef.of(Cohort(**row)), row["checkpoint_before"]) == (
            hand.kept,
            hand.before and asdict(hand.before),
        )

    @precondition(lambda self: self.hands or self.waiting)
    @rule(number=PICKS, n=st.integers(1, 3))
    def keep(self, number: int, n: int) -> None:
        """A rule of its own: what comes after a checkpoint, or two, is what there is to see."""
        self.flush(number, n, keeps=True, diverging=None, twice=False)

    @precondition(lambda self: self.hands or self.waiting)
    @rule(number=PICKS, status=st.sampled_from(["succeeded", "failed", "failed", "queued", "queued", "cancelled"]))
    def end(self, number: int, status: str) -> None:
        """With the last points, or given back with no more than is there."""
        hand = self.someone(number)
        until = hand.on(UPDATES if status == "succeeded" else 0)
        ended = dict.fromkeys(hand.training, until) if status == "succeeded" else {}

        def write(session: Session) -> None:
            hand.flush(session, until, ended)
            end(session, hand.held, Status(status), error="why" if status == "failed" else None)

        mine = self.cohort(hand)
        if self.write(hand, write):
            self.measured(hand, until, ended)
            assert mine is not None
            expected = "cancelled" if mine["cancel_requested"] and status == "queued" else status
            assert self.seen.by_id("cohorts")[mine["id"]]["status"] == expected

    @precondition(lambda self: self.hands)
    @rule(number=PICKS)
    def fall_back(self, number: int) -> None:
        self._fall_back(self.someone(number))

    def _fall_back(self, hand: Hand) -> None:
        """The file that it goes on from is damaged: it has not begun."""
        if hand.kept is None or hand.begun:
            return
        if self.write(hand, lambda session: fall_back(session, hand.held, "torn")):
            hand.kept, hand.before = hand.before, None
            hand.at = Extent(hand.kept.step, hand.kept.epochs) if hand.kept else Extent()
            for run in hand.training:
                self.stored[run] = self.began[run][hand.held.attempt] = hand.at

    @precondition(lambda self: self.hands or self.waiting)
    @rule(number=PICKS, too_wide=st.booleans())
    def recover_attempt(self, number: int, too_wide: bool) -> None:
        """It has run out of memory, or its device is broken."""
        hand = self.someone(number)
        then, runs = self.cohort(hand), self.seen.runs_of(hand.held.cohort_id)

        def write(session: Session) -> None:
            renew(session, hand.held, 30)
            split_cohort(session, hand.held, "no memory") if too_wide else mark_lost(session, hand.held, "no device")

        if self.write(hand, write):
            assert then is not None
            self.given_up(then, runs, too_wide=too_wide)

    @precondition(lambda self: self.hands or self.waiting)
    @rule(number=PICKS)
    def fall_silent(self, number: int) -> None:
        """Its lease runs out, and a sweep finds that."""
        hand = self.someone(number)
        then, runs = self.cohort(hand), self.seen.runs_of(hand.held.cohort_id)
        if then is not None:
            expire(self.database, hand.held)
            swept = sweep(self.database, 3600)
            self.poll()
            self.given_up(then, runs, too_wide=False)
            assert swept.rescued + swept.ended == 1

    @invariant()
    def holds(self) -> None:
        assert_consistent(self.seen)
        assert lengths(self.seen) == self.stored
        assert_overtaken(self.seen, self.began)
        kept = {row["id"]: row["progress"] for row in self.seen.tables["experiments"] if row["progress"]}
        with self.database.reading() as session:
            assert {number: progress["arms"] for number, progress in kept.items()} == count(session, [*kept])
        assert kept.keys() >= {row["id"] for row in self.seen.tables["experiments"] if row["status"] in TERMINAL}
        for experiment, first in self.posted.items():
            runs = [run for run in self.seen.tables["runs"] if run["experiment_id"] == experiment]
            assert sorted((run["arm_index"], run["seed"]) for run in runs) == self.members[experiment]
            record = [event for event in self.seen.tables["events"] if event["experiment_id"] == experiment]
            cohorts = self.seen.cohorts_of(experiment)
            now = {cohort["id"]: (cohort["status"], cohort["attempt"], cohort["paused"]) for cohort in cohorts}
            assert replayed(first, record) == now


@pytest.mark.timeout(900)  # where it fails, it looks for a short way to fail
def test_any_order_of_events_keeps_what_must_hold(database: Database) -> None:
    on_sqlite = database.engine.dialect.name == "sqlite"
    if on_sqlite:  # each step is a transaction: none of these has to survive the power
        event.listen(database.engine, "checkout", lambda connection, *_: connection.execute("PRAGMA synchronous=OFF"))
    examples = (30 if on_sqlite else 8) if EVERY else (12 if on_sqlite else 4)
    by_plan = settings(max_examples=examples, stateful_step_count=50, deadline=None, derandomize=True)
    service: Any = partial(Service, database)  # called without arguments, as a class is
    run_state_machine_as_test(service, settings=by_plan)
