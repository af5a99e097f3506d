"""A real experiment of adaptive seeds, by a worker and by the library."""

import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.datasets import DatasetPaths
from core.experiments.queries import read
from core.experiments.worker.worker import Worker
from core.settings import Settings
from core.spec import parse
from core.store import Database
from core.training import library, train
from tests.core.experiments.submitting import submit

SPEC = parse(
    {
        "model": {"name": "mlp", "hidden": [8]},
        "optimizer": {"name": "adam", "lr": 0.01},
        "epochs": 1,
        "seeds": {"from": 3, "to": 7, "looks": [3, 5, 7]},
        "arms": [
            {"label": "zeros", "initializer": "zeros"},
            {"label": "he", "initializer": "he_normal"},
            {"label": "glorot", "initializer": "glorot_normal", "batch_size": 101},
        ],
    }
)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_worker_adds_seeds_as_the_library_does_wherever_that_was_interrupted(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real trainings, with all numbers bit for bit."""
    with database.transaction() as session:
        experiment = submit(session, SPEC, DatasetPaths())[0].id
    url = database.engine.url.render_as_string(hide_password=False)
    worker = Worker(Settings(database_url=url, data_dir=tmp_path), threading.Event(), cores=2)
    with closing(worker):
        worker()
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(library, "take_look", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        train(SPEC, DatasetPaths(), checkpoints=tmp_path / "library")
    assert len([*(tmp_path / "library").iterdir()]) == 2, "a cohort of two arms, and one of the third"
    expected = train(SPEC, DatasetPaths(), checkpoints=tmp_path / "library")
    assert [*(tmp_path / "library").iterdir()] == []
    with database.reading() as session:
        one = read.experiment(session, experiment)
        found = read.results(session, one, DatasetPaths())
        assert one.status == "succeeded"
        assert [replace(run, id=0) for run in found.runs] == [replace(run, id=0) for run in expected.runs]
        assert list(found.looks) == list(expected.looks)
        for mine, other in zip(found.series("valid_accuracy"), expected.series("valid_accuracy"), strict=True):
            assert np.array_equal(mine.values, other.values), (mine.arm, mine.seed)
    assert [(look["seeds"], look["arms"]) for look in found.looks] == [
        (3, ["zeros", "he", "glorot"]),
        (5, ["he", "glorot"]),
        (7, []),
    ]
    assert {arm: sum(run.arm == arm for run in found.runs) for arm in ("zeros", "he")} == {"zeros": 5, "he": 7}
