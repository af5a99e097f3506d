"""Blocks of runs that have ended for good become few, and every reader finds the points that were there."""

import numpy as np
import pytest
from sqlalchemy import Connection, delete, event, func, select, text, update

from core.experiments.maintenance import merging
from core.experiments.maintenance.merging import BlockMerger, count_ended
from core.experiments.queries import read
from core.experiments.queries.cursor import Choice
from core.experiments.queries.progress import progress_of
from core.experiments.requests import cancel
from core.store import Database, EpochValue, Experiment, MetricBlock, Run, metric_blocks
from tests.core.experiments.claims import queued, taken
from tests.core.experiments.fake_worker import EVERY, STEPS, Hand
from tests.core.experiments.viewer import stored

ALL = Choice(diagnostics=True)


def trained(database: Database, status: str = "succeeded", each: int = 7) -> int:
    """An experiment of two runs whose points came a few at a time."""
    experiment = queued(database)
    hand = Hand.of(database, taken(database))
    while hand.step < STEPS:
        hand.train(each)
    hand.finish(status, "a fault" if status == "failed" else None)
    return experiment


def count(database: Database, experiment: int) -> int:
    of = select(func.count()).select_from(MetricBlock).join(Run, Run.id == MetricBlock.run_id)
    with database.reading() as session:
        return session.scalars(of.where(Run.experiment_id == experiment)).one()


def test_every_series_becomes_one_block_with_the_points_that_it_had(database: Database) -> None:
    experiment = trained(database)
    before = stored(database, experiment, ALL)
    assert count(database, experiment) > 50
    assert BlockMerger(database).merge(60) == 2
    assert stored(database, experiment, ALL) == before
    assert count(database, experiment) == len(before) == 12
    assert BlockMerger(database).merge(60) == 0


def test_a_long_run_is_merged_in_many_transactions(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each leaves every point where it was, and each process may be the last: the next one begins anew."""
    experiment = trained(database)
    before = stored(database, experiment, ALL)
    monkeypatch.setattr(merging, "BLOCKS", 9)
    numbers = [count(database, experiment)]
    merger = BlockMerger(database)
    merger.merge()
    merger = BlockMerger(database)
    while numbers[-1] > len(before):
        merger.merge()
        numbers.append(count(database, experiment))
        assert numbers[-1] <= numbers[-2]
        assert len(numbers) < 20
        assert stored(database, experiment, ALL) == before
    assert len(numbers) > 5


def test_no_merged_block_is_longer_than_readers_hold(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metric_blocks, "MOST_MERGED", 20)
    experiment = trained(database)
    before = stored(database, experiment, ALL)
    BlockMerger(database).merge(60)
    with database.reading() as session:
        lengths = session.scalars(
            select(MetricBlock.n)
            .where(MetricBlock.metric == "train_loss", MetricBlock.run_id == 1)
            .order_by(MetricBlock.first)
        ).all()
    assert lengths == [14, 14, 14, 18]
    assert stored(database, experiment, ALL) == before


def test_what_may_be_trained_again_is_left_as_it_is(database: Database) -> None:
    """A failed run goes on from its checkpoint when it is tried again: no block may lie across it."""
    trained(database, "failed")
    running = queued(database)
    Hand.of(database, taken(database)).train(STEPS)
    assert BlockMerger(database).merge(60) == 0
    with database.transaction() as session:
        cancel(session, read.experiment(session, running))
    assert BlockMerger(database).merge(60) == 0


def test_blocks_of_two_attempts_stay_apart(database: Database) -> None:
    """A viewer tells them from each other when one of them was rolled back."""
    queued(database)
    hand = Hand.of(database, taken(database))
    for _ in range(2):
        hand.train(10, keep=True)
    hand.mark_lost()
    hand = Hand.of(database, taken(database))
    for _ in range(4):
        hand.train(10)
    hand.finish("succeeded")
    BlockMerger(database).merge(60)
    with database.reading() as session:
        of = (MetricBlock.metric == "train_loss", MetricBlock.run_id == 1)
        columns = (MetricBlock.first, MetricBlock.n, MetricBlock.attempt)
        blocks = session.execute(select(*columns).where(*of).order_by(MetricBlock.first)).all()
    assert [tuple(row) for row in blocks] == [(0, 20, 1), (20, 40, 2)]


def test_what_is_stored_again_after_a_lost_answer_is_not_there_twice(database: Database) -> None:
    """The worker that ended a run does not know that it did, and meanwhile its blocks have become one."""
    experiment = queued(database)
    hand = Hand.of(database, taken(database))
    hand.train(10)
    last = hand.measure(10, diverged=1)
    hand.store(last)
    BlockMerger(database).merge()
    before = stored(database, experiment, ALL)
    hand.store(last)
    assert count(database, experiment) == 6 + 12
    assert stored(database, experiment, ALL) == before


def test_a_process_that_ends_in_the_middle_has_changed_nothing(database: Database) -> None:
    experiment = trained(database)
    before, number = stored(database, experiment, ALL), count(database, experiment)

    def killed(_connection: Connection) -> None:
        raise KeyboardInterrupt

    event.listen(database.engine, "commit", killed)
    with pytest.raises(KeyboardInterrupt):
        BlockMerger(database).merge(60)
    event.remove(database.engine, "commit", killed)
    assert (stored(database, experiment, ALL), count(database, experiment)) == (before, number)
    assert BlockMerger(database).merge(60) == 2


def test_two_that_merge_at_once_do_not_meet(postgres: Database) -> None:
    experiment = trained(postgres)
    before = stored(postgres, experiment, ALL)
    with postgres.transaction() as session:
        assert merging._merge(session, [1, 2], None)[0] == 2
        assert BlockMerger(postgres).merge(60) == 0  # those are locked, and not waited for
    assert stored(postgres, experiment, ALL) == before


def test_runs_from_before_have_their_epochs_in_sql_once_they_are_merged(database: Database) -> None:
    trained(database)
    every = select(EpochValue.run_id, EpochValue.epoch, EpochValue.value).order_by(EpochValue.run_id, EpochValue.epoch)
    with database.transaction() as session:
        whole = session.execute(every).all()
        session.execute(delete(EpochValue).where(EpochValue.epoch > 1))
    BlockMerger(database).merge(60)
    with database.reading() as session:
        assert session.execute(every).all() == whole
    assert len(whole) == 2 * STEPS // EVERY


def test_what_ended_before_counts_were_kept_is_counted(database: Database) -> None:
    first, failed = trained(database), trained(database, "failed")
    with database.transaction() as session:
        kept = [progress_of(session, read.experiment(session, number)) for number in (first, failed)]
        session.execute(update(Experiment).values(progress=None))
    assert count_ended(database) == 2
    assert count_ended(database) == 0
    with database.reading() as session:
        found = [read.experiment(session, number) for number in (first, failed)]
        assert [one.progress is not None for one in found] == [True, True]
        assert [progress_of(session, one) for one in found] == kept
    assert kept[1].errors == ["a fault"]


def test_sql_reads_the_values_of_epochs_and_the_last_ones(database: Database) -> None:
    """What is not finite is NULL, as in the answers of the API."""
    queued(database)
    hand = Hand.of(database, taken(database))
    what = hand.measure(20, diverged=2)
    what.ended[2].final.update(train_loss=None, valid_loss=2.5)
    what.blocks = [block for block in what.blocks if block["metric"] != "valid_loss"]
    values = np.array([0.5, np.inf])
    what.blocks.append(metric_blocks.encode(1, "valid_loss", 0, values))
    hand.store(what)
    epochs = "SELECT epoch, value FROM epoch_values WHERE run_id = 1 AND metric = 'valid_loss' ORDER BY epoch"
    last = "SELECT arm, seed, repeat, outcome, metric, value FROM final_values WHERE experiment_id = 1 ORDER BY metric"
    with database.reading() as session:
        assert [tuple(row) for row in session.execute(text(epochs))] == [(0, 0.5), (1, None)]
        found = [tuple(row) for row in session.execute(text(last))]
        assert found == [
            ("arm 0", 1, 0, "diverged", "train_loss", None),
            ("arm 0", 1, 0, "diverged", "valid_loss", 2.5),
        ]
        assert type(found[1][-1]) is float
