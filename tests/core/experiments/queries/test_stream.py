"""A viewer has what is stored, whatever happens to the cohorts and wherever it was cut off."""

import pytest

from core.errors import InvalidSpec, NotFound
from core.experiments.maintenance.merging import BlockMerger
from core.experiments.queries import stream
from core.experiments.queries.cursor import EVERYTHING, Choice
from core.experiments.queries.stream import Stream
from core.experiments.requests import cancel, delete, retry
from core.store import Database, Experiment, metric_blocks
from tests.core.experiments.claims import queued, taken
from tests.core.experiments.fake_worker import STEPS, Hand
from tests.core.experiments.viewer import SECRET, Watching


def test_points_come_as_they_are_stored_and_the_state_first_and_last(database: Database) -> None:
    viewed = Watching(database, queued(database))
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


def test_an_end_after_which_no_count_changes_still_says_that_nothing_is_left_to_wait_for(database: Database) -> None:
    viewed = Watching(database, queued(database))
    hand = Hand.of(database, taken(database))
    hand.train(30, diverged=1)
    hand.train(10, diverged=2)
    progress = [one.data for one in viewed.drain() if one.kind == "progress"][-1]
    assert (progress["runs_done"], progress["eta_seconds"]) == (2, 0)
    hand.finish("succeeded")
    assert [one.data for one in viewed.drain() if one.kind == "progress"] == [progress | {"eta_seconds": None}]


def test_diagnoses_that_follow_on_each_other_come_in_one_event(database: Database) -> None:
    viewed = Watching(database, queued(database), Choice(metrics=("weight_norm/fc1",)))
    hand = Hand.of(database, taken(database))
    for _ in range(3):
        hand.train(6)
    record = [one.data for one in viewed.drain() if one.kind == "metric"]
    assert [(one["first"], one["every"], len(one["values"])) for one in record] == [(0, 4, 5)] * 2


def test_nothing_is_sent_twice_after_a_break_anywhere(database: Database) -> None:
    """Also for what one look would have sent whole."""
    viewed = Watching(database, queued(database))
    hand = Hand.of(database, taken(database))
    for steps in (5, 7, 30):
        hand.train(steps)
        while [one for one in viewed.poll(2) if one.kind == "metric"]:
            pass
    viewed.check()
    assert viewed.viewer.received == 2 * (42 + 42 + 4)
    assert viewed.viewer.rewound == []


@pytest.mark.parametrize("most", [20, 1000], ids=["parts", "whole"])
@pytest.mark.parametrize("choice", [EVERYTHING, Choice(diagnostics=True), Choice(metrics=("valid_loss",), seed=1)])
def test_a_viewer_in_the_middle_of_what_is_merged_is_sent_the_rest(
    database: Database, monkeypatch: pytest.MonkeyPatch, choice: Choice, most: int
) -> None:
    """Wherever it was, also in mid course: one run has diverged, was merged, and the others are on their way."""
    monkeypatch.setattr(metric_blocks, "MOST_MERGED", most)
    monkeypatch.setattr(stream, "LONGEST", 9)
    experiment = queued(database, seeds=3)
    viewed = [Watching(database, experiment, choice) for _ in range(6)]
    hand = Hand.of(database, taken(database))
    for i, diverged in enumerate([None, 1, None, 2, None]):
        hand.train(7)
        hand.train(5, diverged=diverged)
        BlockMerger(database).merge()
        viewed[i].drain()
        viewed[5].poll(2)
        if i:
            viewed[i - 1].poll(3)
    hand.train(STEPS)
    hand.finish("succeeded")
    BlockMerger(database).merge()
    for one in viewed:
        one.check()
        assert one.viewer.rewound == []


def test_a_claim_rewinds_what_it_removed_and_no_run_that_had_ended(database: Database) -> None:
    viewed = Watching(database, queued(database))
    hand = Hand.of(database, taken(database))
    hand.train(20, keep=True)
    hand.train(10, diverged=1)
    viewed.drain()
    hand.train(10)
    hand.mark_lost()
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


def test_a_viewer_that_was_behind_gets_the_end_of_a_run_before_the_others_are_rewound(database: Database) -> None:
    viewed = Watching(database, queued(database))
    hand = Hand.of(database, taken(database))
    hand.train(20, keep=True)
    hand.train(2)
    viewed.drain()
    hand.train(20, diverged=2)
    hand.mark_lost()
    Hand.of(database, taken(database)).train(5)
    kinds = [(sent.kind, sent.data.get("run_id")) for sent in viewed.drain()]
    assert kinds == [
        ("state", None), ("metric", 2), ("metric", 2), ("metric", 2),
        ("rewind", None), ("metric", 1), ("metric", 1), ("progress", None),
    ]  # fmt: skip
    viewed.check()
    assert viewed.viewer.rewound[0]["runs"] == [1]


def test_a_damaged_checkpoint_rewinds_to_the_one_before(database: Database) -> None:
    viewed = Watching(database, queued(database))
    hand = Hand.of(database, taken(database))
    hand.train(20, keep=True)
    hand.train(20, keep=True)
    hand.mark_lost()
    viewed.drain()
    hand = Hand.of(database, taken(database))
    viewed.drain()
    assert viewed.viewer.rewound == []  # it had nothing beyond the checkpoint
    hand.fall_back()
    viewed.check()
    assert viewed.viewer.rewound == [{"runs": [1, 2], "attempt": 2, "step": 20, "epoch": 2}]


def test_halves_start_over_each_from_its_own_claim(database: Database) -> None:
    viewed = Watching(database, queued(database, seeds=4))
    hand = Hand.of(database, taken(database))
    hand.train(20, keep=True)
    hand.train(5, diverged=1)
    viewed.poll(3)
    hand.split_cohort()
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


def test_runs_that_moved_on_to_another_cohort_are_rewound_too(database: Database) -> None:
    """Nobody has claimed the other cohort yet, so that nothing else voids what they had."""
    viewed = Watching(database, queued(database, seeds=4))
    hand = Hand.of(database, taken(database))
    hand.train(20, keep=True)
    hand.train(20)
    viewed.drain()
    hand.mark_lost()
    hand = Hand.of(database, taken(database))
    hand.train(10)
    hand.split_cohort()
    viewed.check()


def test_a_viewer_of_which_nothing_was_wanted_yet_sees_what_comes(database: Database) -> None:
    """A cohort that was lost before it had measured anything."""
    viewed = Watching(database, queued(database))
    hand = Hand.of(database, taken(database))
    hand.mark_lost()
    viewed.drain()
    Hand.of(database, taken(database)).train(10)
    viewed.check()


def test_a_rewind_names_runs_that_were_wanted(database: Database) -> None:
    viewed = Watching(database, queued(database, cohorts=2), Choice(arm="arm 1", seed=0, metrics=("train_loss",)))
    hands = [Hand.of(database, taken(database)) for _ in range(2)]
    for hand in hands:
        hand.train(5)
    viewed.drain()
    for hand in hands:
        hand.mark_lost()
    Hand.of(database, taken(database))
    viewed.drain()
    Hand.of(database, taken(database))
    viewed.check()
    assert [one["runs"] for one in viewed.viewer.rewound] == [[3]]


def test_what_is_tried_again_goes_on_for_a_viewer_that_saw_the_end(database: Database) -> None:
    experiment = queued(database)
    viewed = Watching(database, experiment)
    hand = Hand.of(database, taken(database))
    hand.train(20, keep=True)
    hand.train(10)
    hand.finish("failed", "a fault")
    viewed.check()
    assert viewed.ended
    over = Stream(experiment, Choice(), viewed.viewer.last_id, secret=SECRET)
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


def test_a_look_ends_when_it_has_much_and_the_next_goes_on(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = queued(database, cohorts=3)
    for _ in range(3):
        hand = Hand.of(database, taken(database))
        for _ in range(6):
            hand.train(10)
        hand.finish("succeeded")
    monkeypatch.setattr(stream, "MOST_POINTS", 70)
    monkeypatch.setattr(stream, "LONGEST", 20)
    viewed = Watching(database, experiment)
    looks = [viewed.poll()]
    while not viewed.ended:
        assert "state" not in [sent.kind for sent in looks[-1]]
        looks.append(viewed.poll())
    assert len(looks) > 8
    points = [sum(len(sent.data["values"]) for sent in poll if sent.kind == "metric") for poll in looks]
    assert max(points) < 70 + 20
    viewed.check()


def test_a_position_is_short_however_many_cohorts_there_are(database: Database) -> None:
    viewed = Watching(database, queued(database, cohorts=12))
    for _ in range(12):
        hand = Hand.of(database, taken(database))
        hand.train(STEPS)
        hand.finish("succeeded")
    viewed.drain()
    assert len(viewed.viewer.last_id or "") < 60


def test_an_id_that_no_stream_sent_is_refused_before_it_is_worked_on(database: Database) -> None:
    """One that claims 10^17 cohorts costs what any other costs: its signature is not right."""
    viewed = Watching(database, queued(database))
    hand = Hand.of(database, taken(database))
    hand.train(20)
    viewed.drain()
    sent = viewed.viewer.last_id or ""
    for other in (Stream(1, Choice(), sent, secret=SECRET), Stream(1, Choice(), secret=SECRET)):
        assert other.cursor.event <= 2
    forged = [sent[:i] + ("1" if sent[i] != "1" else "0") + sent[i + 1 :] for i in range(len(sent))]
    forged += ["", "7", sent[1:], f"{sent}x", f"{sent}_1.1.1:1-99999999999999999", f"{sent},2", f"é{sent}", f"{sent}\n"]
    for one in forged:
        with pytest.raises(InvalidSpec, match="Last-Event-ID"):
            Stream(1, Choice(), one, secret=SECRET)
    for experiment, choice, secret in [(2, Choice(), SECRET), (1, Choice(seed=0), SECRET), (1, Choice(), bytes(31))]:
        with pytest.raises(InvalidSpec, match="another"):
            Stream(experiment, choice, sent, secret=secret)


def test_a_deleted_experiment_is_not_found(database: Database) -> None:
    experiment = queued(database)
    viewed = Watching(database, experiment)
    viewed.drain()
    with database.transaction() as session:
        cancel(session, session.get_one(Experiment, experiment))
    with database.transaction() as session:
        delete(session, session.get_one(Experiment, experiment))
    with pytest.raises(NotFound):
        viewed.poll()
