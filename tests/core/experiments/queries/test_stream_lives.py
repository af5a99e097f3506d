"""Whatever happens to an experiment, in any order: its viewers have what is stored."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from core.experiments.maintenance import merging
from core.experiments.maintenance.merging import BlockMerger
from core.experiments.queries import stream
from core.experiments.queries.cursor import EVERYTHING, Choice
from core.experiments.requests import pause, resume, retry
from core.store import Cohort, Database, Experiment, metric_blocks
from tests.core.experiments.claims import queued, take
from tests.core.experiments.fake_worker import STEPS, Hand
from tests.core.experiments.viewer import Watching

CHOICES = [
    EVERYTHING,
    Choice(metrics=("train_loss",)),
    Choice(metrics=("valid_loss", "lr")),
    Choice(metrics=("valid_loss",)),
    Choice(arm="arm 1"),
    Choice(seed=1, metrics=("train_loss", "valid_loss")),
    Choice(metrics=("activation_std", "valid_loss")),
    Choice(seed=0, metrics=("weight_norm/fc1",)),
]
ALL = Choice(diagnostics=True)


class Life:
    """Whatever can happen to an experiment, by dice."""

    def __init__(self, database: Database, dice: random.Random) -> None:
        self.database = database
        self.dice = dice
        self.experiment = queued(database, cohorts=2, seeds=dice.choice([2, 3, 5]))
        self.hands: list[Hand] = []

    def __iter__(self) -> Iterator[None]:
        acts = {
            self.claim: 5, self.train: 8, self.keep: 4, self.diverge: 1, self.mark_lost: 3, self.split_cohort: 1,
            self.fall_back: 1, self.fail: 1, self.leave: 1, self.finish: 1, self.retry: 1, self.pause: 1,
            self.merge: 2,
        }  # fmt: skip
        for _ in range(40):
            (act,) = self.dice.choices([*acts], [*acts.values()])
            act()
            yield

    def claim(self) -> None:
        held = take(self.database)
        if held is not None:
            self.hands.append(Hand.of(self.database, held))

    def train(self, *, keep: bool = False) -> None:
        if self.hands:
            self.dice.choice(self.hands).train(self.dice.randint(1, 15), keep=keep)

    def keep(self) -> None:
        self.train(keep=True)

    def diverge(self) -> None:
        hands = [hand for hand in self.hands if len(hand.alive) > 1 and hand.step < STEPS]
        if hands:
            hand = self.dice.choice(hands)
            hand.train(self.dice.randint(1, 15), diverged=self.dice.choice(sorted(hand.alive)))

    def mark_lost(self) -> None:
        self._let_go(Hand.mark_lost)

    def split_cohort(self) -> None:
        self._let_go(Hand.split_cohort)

    def fall_back(self) -> None:
        for hand in self.hands:  # it can be told only before an attempt has measured anything
            if (
                hand.held.resume_from is not None
                and hand.step == hand.held.resume_from.step
                and hand.before is hand.held.resume_from
            ):
                hand.fall_back()
                return

    def fail(self) -> None:
        self._let_go(lambda hand: hand.finish("failed", "a fault"))

    def leave(self) -> None:
        self._let_go(lambda hand: hand.finish("queued"))

    def finish(self) -> None:
        def to_the_end(hand: Hand) -> None:
            hand.train(STEPS)
            hand.finish("succeeded")

        self._let_go(to_the_end)

    def merge(self) -> None:
        BlockMerger(self.database).merge()

    def retry(self) -> None:
        self._user(retry, "failed")

    def pause(self) -> None:
        self._user(self.dice.choice([pause, resume]), "queued")

    def _user(self, ask: Callable[..., Any], status: str) -> None:
        with self.database.transaction() as session:
            mine = (Cohort.experiment_id == self.experiment, Cohort.status == status)
            if session.scalar(select(Cohort.id).where(*mine).limit(1)) is not None:
                ask(session, session.get_one(Experiment, self.experiment))

    def _let_go(self, act: Callable[[Hand], None]) -> None:
        if self.hands:
            hand = self.dice.choice(self.hands)
            self.hands.remove(hand)
            act(hand)


@pytest.mark.parametrize("seed", range(6))
def test_any_life_ends_in_the_series_that_are_stored(
    database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Viewers with other choices and other luck with their connections, compared whenever they have caught up."""
    dice = random.Random(seed)
    life = Life(database, dice)
    monkeypatch.setattr(stream, "LONGEST", 8)
    monkeypatch.setattr(metric_blocks, "MOST_MERGED", dice.choice([16, 1000]))
    monkeypatch.setattr(merging, "BLOCKS", dice.choice([4, 500]))
    viewed = [Watching(database, life.experiment, choice) for choice in [*dice.sample(CHOICES, 3), EVERYTHING, ALL]]
    for _ in life:
        monkeypatch.setattr(stream, "MOST_POINTS", dice.choice([5, 40, 1000]))
        for one in viewed:
            match dice.randrange(5):
                case 0:
                    one.poll(dice.randint(1, 6))
                case 1:
                    one.poll()
                case 2 if dice.random() < 0.5:
                    one.check()
                case 3:
                    one.reconnect()
    for one in viewed:
        one.check()
