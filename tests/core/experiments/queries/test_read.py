"""What is read of an experiment beside its runs and series."""

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
