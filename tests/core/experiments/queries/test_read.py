"""What is read of an experiment beside its runs, and how its series are."""

from typing import Any

import numpy as np
import pytest

from core.datasets import DatasetPaths
from core.experiments.queries import read
from core.plots import suitable
from core.store import Database, MetricBlock, metric_blocks
from tests.core.experiments.claims import queued, taken


@pytest.mark.parametrize("name", ["valid_macro_f1", "valid_top5_accuracy"])
def test_a_further_metric_is_there_from_its_first_point(database: Database, name: str) -> None:
    """And not before: an experiment from before it was measured has none, and reads as it did."""
    queued(database)
    experiment = queued(database, cohorts=2)
    with database.reading() as session:
        of = read.experiment(session, experiment)
        before = read.design(session, of, DatasetPaths())
    assert name not in before.metrics
    assert "metrics" not in suitable(before)

    *_, held = [taken(database) for _ in range(3)]  # the last of them is of the second experiment
    with database.transaction() as session:
        block = metric_blocks.encode(held.lanes[0].run, name, 0, np.array([0.5]))
        session.add(MetricBlock(**block, attempt=1))

    with database.reading() as session:
        of = read.experiment(session, experiment)
        after, results = read.design(session, of, DatasetPaths()), read.results(session, of, DatasetPaths())
        other = read.design(session, read.experiment(session, experiment - 1), DatasetPaths())
    assert after.metrics.keys() - before.metrics.keys() == {name}
    assert results.design.metrics.keys() == after.metrics.keys()
    assert "metrics" in suitable(after)
    assert other.metrics.keys() == before.metrics.keys()


def test_series_are_read_as_they_are_asked_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of an experiment were a gigabyte and a half; joined is one run's at a time."""
    experiment = queued(database)
    held = taken(database)
    with database.transaction() as session:
        for lane in held.lanes:
            for first, n in ((0, 5), (5, 3), (9, 2)):
                block = metric_blocks.encode(
                    lane.run, "train_loss", first, np.arange(first, first + n, dtype=np.float32)
                )
                session.add(MetricBlock(**block, attempt=1))
    joined: list[int] = []
    original = metric_blocks.join

    def join(blocks: Any) -> Any:
        joined.append(1)
        return original(blocks)

    monkeypatch.setattr(metric_blocks, "join", join)
    with database.reading() as session:
        found = iter(read.results(session, read.experiment(session, experiment), DatasetPaths()).series("train_loss"))
        assert not joined
        one = next(found)
        assert len(joined) == 1
        assert one.steps.tolist() == one.values.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 9, 10]
        assert [other.seed for other in found] == [1]
        (part, _) = read.series(session, experiment, metrics=["train_loss"], first=4, last=9)
    assert part.steps.tolist() == part.values.tolist() == [4, 5, 6, 7, 9]
