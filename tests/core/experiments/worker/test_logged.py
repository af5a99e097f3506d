"""What a worker logs: which claim every line is about, whichever thread says it, and which run diverged."""

import errno
import io
import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from core.datasets import DatasetPaths
from core.experiments.cohorts.checkpoints import CheckpointStore
from core.experiments.worker.worker import Worker
from core.logs import Text
from core.settings import Settings
from core.spec import parse
from core.store import Database, Run, upgrade
from tests.core.experiments.submitting import submit


@pytest.fixture
def record() -> Iterator[io.StringIO]:
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(Text())
    log = logging.getLogger("core")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield handler.stream
    log.removeHandler(handler)
    log.setLevel(logging.NOTSET)


def test_a_line_says_what_it_is_about(tmp_path: Path, record: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path)
    database = Database(settings.database)
    upgrade(database.engine)
    spec = parse(
        {
            "arms": [{"label": "calm"}, {"label": "far too fast", "optimizer.lr": 1e12}],
            "optimizer": {"name": "sgd", "lr": 0.1},
            "seeds": [5],
            "epochs": 60,
            "model": {"name": "mlp", "hidden": [4]},
            "checkpoint_every": 0.1,
        }
    )
    with database.transaction() as session:
        experiment = submit(session, spec, DatasetPaths())[0].id

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(CheckpointStore, "write", full)  # said by the thread that writes checkpoints
    with closing(Worker(settings, threading.Event(), cores=2)) as worker:
        while worker():
            pass
    lines = record.getvalue().splitlines()
    with database.reading() as session:
        runs = {run.arm: run for run in session.scalars(select(Run))}
    fast = runs["far too fast"]
    where = f"experiment={experiment} cohort={fast.cohort_id} attempt=1"
    assert any(line.endswith(f"INFO core.experiments.worker.worker: training {where} runs=2") for line in lines)
    diverged = f'diverged {where} run={fast.id} arm="far too fast" seed=5 update={fast.steps_done}'
    assert [line.partition("metric_writer: ")[2] for line in lines if "diverged" in line] == [diverged]
    assert fast.outcome == "diverged"
    writing = [line for line in lines if "no checkpoint of update" in line]
    assert writing
    assert all(line.endswith(where) for line in writing)
    assert not re.search(r"run=\d+ arm=calm", record.getvalue())
