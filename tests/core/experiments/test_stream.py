"""A viewer has what is stored, whatever happens to the cohorts and wherever it was cut off."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from core.errors import InvalidSpec, NotFound
from core.experiments import cancel, delete, pause, resume, retry, stream
from core.experiments.checkpoints import Kept
from core.experiments.claim import Claim
from core.experiments.halve import halve
from core.experiments.hold import Ended, Flush, end, fall_back, flush, renew
from core.experiments.lose import give_up
from core.experiments.position import Choice
from core.experiments.stream import Sent, Stream
from core.store import Cohort, Database, Experiment
from tests.core.experiments.claims import queued, take, taken
from tests.core.experiments.viewer import Viewer, stored

STEPS, EVERY = 60, 10
"""Updates of a run, and of an epoch."""
CHOICES = [
    Choice(),
    Choice(metrics=("train_loss",)),
    Choice(metrics=("valid_loss", "lr")),
    Choice(metrics=("valid_loss",)),
    Choice(arm="arm 1"),
    Choice(seed=1, metrics=("train_loss", "valid_loss")),
]


@dataclass
class Hand:
    """A worker that trains one cohort; its values say who wrote them, so that a stale one is seen."""

    database: Database
    held: Claim
    step: int
    epochs: int
    alive: set[int]
    before: Kept | None

    @classmethod
    def of(cls, database: Database, held: Claim) -> "Hand":
        step, epochs = (held.kept.step, held.kept.epochs) if held.kept else (0, 0)
        alive = {lane.run for lane in held.lanes} - held.ended
        return cls(database, held, step, epochs, alive, held.kept)

    def measure(self, steps: int, *, diverged: int | None = None) -> Flush:
        """The next updates of all runs, with the epochs that end on the way; a run may end in the last of them."""
        last = min(STEPS, self.step + steps)
        what = Flush(step=last)
        epochs = range(self.epochs, last // EVERY)
        for run in sorted(self.alive):
            for metric, first, n in (
                ("train_loss", self.step, last - self.step),
                ("lr", self.step, last - self.step),
                ("valid_loss", epochs.start, len(epochs)),
            ):
                values = run + np.arange(first, first + n) / 1e3 + self.held.attempt * 1e3
                if run == diverged and metric == "train_loss":
                    values[-1:] = np.nan
                packed = values.astype("<f8").tobytes()
                if n:
                    what.blocks.append({"run_id": run, "metric": metric, "first": first, "n": n, "values": packed})
        if diverged is not None:
            what.ended[diverged] = Ended("diverged", last, {})
            self.alive.remove(diverged)
        self.step, self.epochs = last, epochs.stop
        return what

    def store(self, what: Flush, *, keep: bool = False) -> None:
        if keep:
            what.kept = Kept(f"{self.held.cohort_id}-{self.held.attempt}-{self.step}", "0", self.step, self.epochs)
        with self.database.transaction() as session:
            renew(session, self.held, 30)
            flush(session, self.held, what, self.before)
        self.before = what.kept or self.before

    def train(self, steps: int, *, diverged: int | None = None, keep: bool = False) -> None:
        self.store(self.measure(steps, diverged=diverged), keep=keep)

    def finish(self, status: str, error: str | None = None) -> None:
        with self.database.transaction() as session:
            end(session, self.held, status, error)

    def lose(self) -> None:
        with self.database.transaction() as session:
            give_up(session, self.held.cohort_id, self.held.attempt, "killed")

    def halve(self) -> None:
        with self.database.transaction() as session:
            renew(session, self.held, 30)
            halve(session, self.held, "no memory")

    def fall_back(self) -> None:
        with self.database.transaction() as session:
            kept = fall_back(session, self.held, "damaged")[0]
        self.step, self.epochs = (kept.step, kept.epochs) if kept else (0, 0)
        self.before = kept


class Watching:
    """A viewer on its connection, which may break after any event."""

    def __init__(self, database: Database, experiment: int, choice: Choice = CHOICES[0]) -> None:
        self.viewer = Viewer()
        self.choice = choice
        self._database = database
        self._experiment = experiment
        self._stream = Stream(experiment, choice)

    def look(self, most: int | None = None) -> list[Sent]:
        """Apply what is new; after `most` events the connection breaks, and the next look is another process's."""
        with self._database.reading() as session:
            sent = self._stream.look(session)
        for one in sent[:most]:
            self.viewer.apply(*one)
        if most is not None:
            self.reconnect()
        return sent[:most]

    def reconnect(self) -> None:
        self._stream = Stream(self._experiment, self.choice, self.viewer.last_id)

    def drain(self) -> list[Sent]:
        """Everything that is new."""
        sent = self.look()
        while self._stream.more:
            sent += self.look()
        return sent

    def check(self) -> None:
        self.drain()
        assert self.viewer.whole() == stored(self._database, self._experiment, self.choice)

    @property
    def ended(self) -> bool:
        return self._stream.ended


@pytest.fixture
def watch(database: Database) -> Callable[..., Watching]:
    def made(experiment: int, choice: Choice = CHOICES[0]) -> Watching:
        return Watching(database, experiment, choice)

    return made


Watch = Callable[..., Watching]


def test_points_come_as_they_are_stored_and_the_state_first_and_last(database: Database, watch: Watch) -> None:
    viewed = watch(queued(database))
    (state, progress) = viewed.drain()
    assert (state.kind, state.data) == (
        "state",
        {"status": "queued", "paused": False, "cancelling": False, "attempt": 0},
    )
    assert (progress.kind, progress.data["runs_total"]) == ("progress", 2)
    hand = Hand.of(database, taken(database))
    assert [(sent.kind, sent.data["status"]) for sent in viewed.drain()] == [("state", "running")]
    assert viewed.drain() == []
    hand.train(12)
    sent = viewed.drain()
    assert [(one.kind, one.data.get("metric"), one.data.get("unit")) for one in sent] == [
        *(2 * [("metric", "lr", "step"), ("metric", "train_loss", "step"), ("metric", "valid_loss", "epoch")]),
        ("progress", None, None),
    ]
    assert (sent[0].data["first"], len(sent[0].data["values"]), sent[0].data["attempt"]) == (0, 12, 1)
    hand.train(STEPS)
    hand.finish("succeeded")
    sent = viewed.drain()
    assert sent[-1].data["status"] == "succeeded"
    assert "state" not in [one.kind for one in sent[:-1]]
    assert viewed.ended
    viewed.check()


def test_nothing_is_sent_twice_after_a_break_anywhere(database: Database, watch: Watch) -> None:
    """Also for what one look would have sent whole."""
    viewed = watch(queued(database))
    hand = Hand.of(database, taken(database))
    for steps in (5, 7, 30):
        hand.train(steps)
        while [one for one in viewed.look(2) if one.kind == "metric"]:
            pass
    viewed.check()
    assert viewed.viewer.received == 2 * (42 + 42 + 4)
    assert viewed.viewer.rewound == []


def test_a_claim_rewinds_what_it_removed_and_no_run_that_had_ended(database: Database, watch: Watch) -> None:
    viewed = watch(queued(database))
    hand = Hand.of(database, taken(database))
    hand.train(20, keep=True)
    hand.train(10, diverged=1)
    viewed.drain()
    hand.train(10)
    hand.lose()
    viewed.drain()
    assert viewed.viewer.rewound == []  # until somebody goes on, what is stored stands
    viewed.check()
    hand = Hand.of(database, taken(database))
    assert [(sent.kind, sent.data) for sent in viewed.drain() if sent.kind == "rewind"] == [
        ("rewind", {"runs": [2], "attempt": 2, "step": 20, "epoch": 2})
    ]
    hand.train(STEPS)
    viewed.check()
    assert len(viewed.viewer.series[1, "train_loss"]) == 30
    assert viewed.viewer.received == 2 * 20 * 2 + 2 * 2 + (10 * 2 + 1) + (20 * 2 + 2) + (40 * 2 + 4)


def test_a_viewer_that_was_behind_gets_the_end_of_a_run_before_the_others_are_rewound(
    database: Database, watch: Watch
) -> None:
    viewed = watch(queued(database))
    hand = Hand.of(database, taken(database))
    hand.train(20, keep=True)
    hand.train(2)
    viewed.drain()
    hand.train(20, diverged=2)
    hand.lose()
    Hand.of(database, taken(database)).train(5)
    kinds = [(sent.kind, sent.data.get("run_id")) for sent in viewed.drain()]
    assert kinds == [
        ("state", None), ("metric", 2), ("metric", 2), ("metric", 2),
        ("rewind", None), ("metric", 1), ("metric", 1), ("progress", None),
    ]  # fmt: skip
    viewed.check()
    assert viewed.viewer.rewound[0]["runs"] == [1]


def test_a_damaged_checkpoint_rewinds_to_the_one_before(database: Database, watch: Watch) -> None:
    viewed = watch(queued(database))
    hand = Hand.of(database, taken(database))
    hand.train(20, keep=True)
    hand.train(20, keep=True)
    hand.lose()
    viewed.drain()
    hand = Hand.of(database, taken(database))
    viewed.drain()
    assert viewed.viewer.rewound == []  # it had nothing beyond the checkpoint
    hand.fall_back()
    viewed.check()
    assert viewed.viewer.rewound == [{"runs": [1, 2], "attempt": 2, "step": 20, "epoch": 2}]


def test_halves_start_over_each_from_its_own_claim(database: Database, watch: Watch) -> None:
    viewed = watch(queued(database, seeds=4))
    hand = Hand.of(database, taken(database))
    hand.train(20, keep=True)
    hand.train(5, diverged=1)
    viewed.look(3)
    hand.halve()
    viewed.check()
    assert viewed.viewer.rewound == []
    first, second = (Hand.of(database, taken(database)) for _ in range(2))
    viewed.drain()
    assert [(one["step"], one["runs"]) for one in viewed.viewer.rewound] == [
        (0, sorted(first.alive)),
        (0, sorted(second.alive)),
    ]
    for hand in (first, second):
        hand.train(STEPS)
        viewed.check()


def test_runs_that_moved_on_to_another_cohort_are_rewound_too(database: Database, watch: Watch) -> None:
    """Nobody has claimed the other cohort yet, so that nothing else voids what they had."""
    viewed = watch(queued(database, seeds=4))
    hand = Hand.of(database, taken(database))
    hand.train(20, keep=True)
    hand.train(20)
    viewed.drain()
    hand.lose()
    hand = Hand.of(database, taken(database))
    hand.train(10)
    hand.halve()
    viewed.check()


def test_a_viewer_of_which_nothing_was_wanted_yet_sees_what_comes(database: Database, watch: Watch) -> None:
    """A cohort that was lost before it had measured anything."""
    viewed = watch(queued(database))
    hand = Hand.of(database, taken(database))
    hand.lose()
    viewed.drain()
    Hand.of(database, taken(database)).train(10)
    viewed.check()


def test_a_rewind_names_runs_that_were_wanted(database: Database, watch: Watch) -> None:
    viewed = watch(queued(database, cohorts=2), Choice(arm="arm 1", seed=0, metrics=("train_loss",)))
    hands = [Hand.of(database, taken(database)) for _ in range(2)]
    for hand in hands:
        hand.train(5)
    viewed.drain()
    for hand in hands:
        hand.lose()
    Hand.of(database, taken(database))
    viewed.drain()
    Hand.of(database, taken(database))
    viewed.check()
    assert [one["runs"] for one in viewed.viewer.rewound] == [[3]]


def test_what_is_tried_again_goes_on_for_a_viewer_that_saw_the_end(database: Database, watch: Watch) -> None:
    experiment = queued(database)
    viewed = watch(experiment)
    hand = Hand.of(database, taken(database))
    hand.train(20, keep=True)
    hand.train(10)
    hand.finish("failed", "a fault")
    viewed.check()
    assert viewed.ended
    over = Stream(experiment, Choice(), viewed.viewer.last_id)
    with database.reading() as session:
        assert over.is_over(session)
    with database.transaction() as session:
        retry(session, session.get_one(Experiment, experiment))
    with database.reading() as session:
        assert not over.is_over(session)
    viewed.reconnect()
    assert viewed.drain()[0].data["status"] == "queued"
    hand = Hand.of(database, taken(database))
    hand.train(STEPS)
    hand.finish("succeeded")
    viewed.check()
    assert [one["step"] for one in viewed.viewer.rewound] == [20]


def test_a_look_ends_when_it_has_much_and_the_next_goes_on(
    database: Database, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = queued(database, cohorts=3)
    for _ in range(3):
        hand = Hand.of(database, taken(database))
        for _ in range(6):
            hand.train(10)
        hand.finish("succeeded")
    monkeypatch.setattr(stream, "MOST_POINTS", 70)
    monkeypatch.setattr(stream, "LONGEST", 20)
    viewed = watch(experiment)
    looks = [viewed.look()]
    while not viewed.ended:
        assert "state" not in [sent.kind for sent in looks[-1]]
        looks.append(viewed.look())
    assert len(looks) > 8
    points = [sum(len(sent.data["values"]) for sent in look if sent.kind == "metric") for look in looks]
    assert max(points) < 70 + 20
    viewed.check()


def test_a_position_is_short_however_many_cohorts_there_are(database: Database, watch: Watch) -> None:
    viewed = watch(queued(database, cohorts=40))
    for _ in range(40):
        hand = Hand.of(database, taken(database))
        hand.train(STEPS)
        hand.finish("succeeded")
    viewed.drain()
    assert len(viewed.viewer.last_id or "") < 60


@pytest.mark.parametrize(
    "last_id",
    ["", "7", "2-00000000-0-", "1-00000000-0-", "{}x", "{}_1.1.1", "{}_1.1.1:9-1", "{}_1.1.1:1-99999999", "{}_1.1:1"],
)
def test_an_id_that_is_not_of_this_stream_is_refused(database: Database, watch: Watch, last_id: str) -> None:
    viewed = watch(queued(database))
    hand = Hand.of(database, taken(database))
    hand.train(20)
    viewed.drain()
    with pytest.raises(InvalidSpec, match="Last-Event-ID"):
        Stream(1, Choice(), last_id.format(viewed.viewer.last_id))
    for other in (Stream(1, Choice(), viewed.viewer.last_id), Stream(1, Choice())):
        assert other.position.event <= 2
    with pytest.raises(InvalidSpec, match="another"):
        Stream(1, Choice(seed=0), viewed.viewer.last_id)


def test_a_deleted_experiment_is_not_found(database: Database, watch: Watch) -> None:
    experiment = queued(database)
    viewed = watch(experiment)
    viewed.drain()
    with database.transaction() as session:
        cancel(session, session.get_one(Experiment, experiment))
    with database.transaction() as session:
        delete(session, session.get_one(Experiment, experiment))
    with pytest.raises(NotFound):
        viewed.look()


class Life:
    """Whatever can happen to an experiment, by dice."""

    def __init__(self, database: Database, dice: random.Random) -> None:
        self.database = database
        self.dice = dice
        self.experiment = queued(database, cohorts=2, seeds=dice.choice([2, 3, 5]))
        self.hands: list[Hand] = []

    def __iter__(self) -> Iterator[None]:
        acts = {
            self.claim: 5, self.train: 8, self.keep: 4, self.diverge: 1, self.lose: 3, self.halve: 1,
            self.fall_back: 1, self.fail: 1, self.leave: 1, self.finish: 1, self.retry: 1, self.pause: 1,
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

    def lose(self) -> None:
        self._let_go(Hand.lose)

    def halve(self) -> None:
        self._let_go(Hand.halve)

    def fall_back(self) -> None:
        for hand in self.hands:  # it can be told only before an attempt has measured anything
            if hand.held.kept is not None and hand.step == hand.held.kept.step and hand.before is hand.held.kept:
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


@pytest.mark.parametrize("seed", range(8))
def test_any_life_ends_in_the_series_that_are_stored(
    database: Database, watch: Watch, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Viewers with other choices and other luck with their connections, compared whenever they have caught up."""
    dice = random.Random(seed)
    life = Life(database, dice)
    monkeypatch.setattr(stream, "LONGEST", 8)
    viewed = [watch(life.experiment, choice) for choice in [*dice.sample(CHOICES, 3), CHOICES[0]]]
    for _ in life:
        monkeypatch.setattr(stream, "MOST_POINTS", dice.choice([5, 40, 1000]))
        for one in viewed:
            match dice.randrange(5):
                case 0:
                    one.look(dice.randint(1, 6))
                case 1:
                    one.look()
                case 2 if dice.random() < 0.5:
                    one.check()
                case 3:
                    one.reconnect()
    for one in viewed:
        one.check()
