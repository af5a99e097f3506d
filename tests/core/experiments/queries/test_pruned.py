"""A real pruning, by a worker and by the library."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.datasets import DatasetPaths
from core.experiments.queries import read
from core.experiments.worker.worker import Worker
from core.settings import Settings
from core.spec import parse
from core.store import Database
from core.training import train
from tests.core.experiments.submitting import submit


def test_a_worker_prunes_as_the_library_does(database: Database, tmp_path: Path) -> None:
    """Real trainings, in two cohorts, with all numbers bit for bit."""
    spec = parse(
        {
            "model": {"name": "mlp", "hidden": [8]},
            "optimizer": {"name": "adam", "lr": 0.01},
            "epochs": 3,
            "seeds": 3,
            "pruning": {"first": 1},
            "arms": [
                {"label": "zeros", "initializer": "zeros"},
                {"label": "he", "initializer": "he_normal"},
                {"label": "glorot", "initializer": "glorot_normal", "batch_size": 50},
            ],
        }
    )
    with database.transaction() as session:
        experiment = submit(session, spec, DatasetPaths())[0].id
    url = database.engine.url.render_as_string(hide_password=False)
    worker = Worker(Settings(database_url=url, data_dir=tmp_path), threading.Event(), cores=2)
    assert worker() > 4
    worker.close()
    expected = train(spec, DatasetPaths())
    with database.reading() as session:
        found = read.results(session, read.experiment(session, experiment), DatasetPaths())
        assert [replace(run, id=0) for run in found.runs] == [replace(run, id=0) for run in expected.runs]
        assert list(found.rungs) == list(expected.rungs)
        for metric in ("train_loss", "valid_accuracy"):
            for mine, other in zip(found.series(metric), expected.series(metric), strict=True):
                assert np.array_equal(mine.values, other.values), (mine.arm, mine.seed, metric)
    pruned = {run.arm for run in found.runs if run.outcome == "pruned"}
    assert "zeros" in pruned
    assert pruned == {one["arm"] for rung in found.rungs for one in rung["pruned"]}
