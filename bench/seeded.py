"""Experiments put into a service's database as if they had been trained: a benchmark cannot wait for 48.6 M updates."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sqlalchemy import insert, select, update

from core.datasets import DatasetPaths
from core.experiments import requests
from core.settings import Settings
from core.spec import parse
from core.store import Cohort, Database, Experiment, MetricBlock, Run, metric_blocks, now
from core.training import Profile

BLOCK = 8_192
"""Points of a block."""
AT_ONCE = 500
MODEL = {"name": "mlp", "hidden": [4]}
MANY_RUNS = {"arms": [{"label": f"{i}", "optimizer.lr": 1e-3 + i * 1e-5} for i in range(256)], "seeds": 39, "epochs": 1}
"""9,984 runs."""
MANY_STEPS = {"arms": [{"label": "a"}, {"label": "b"}], "seeds": 5, "batch_size": 1, "epochs": 3_382}
"""10 runs of 4.86 M updates."""


def ended(settings: Settings, spec: Mapping[str, Any]) -> int:
    """Store an experiment with curves for every run, in one transaction before any worker sees it; return its id."""
    database = Database(settings.database)
    paths = DatasetPaths(settings.datasets, settings.uploads)
    parsed = parse({"model": MODEL, "name": "seeded"} | dict(spec))
    draft = requests.draft(parsed, requests.fingerprint_of(parsed), paths, Profile.guess())
    done = {"status": "succeeded", "finished_at": now()}
    final = {"train_loss": 0.5, "valid_loss": 0.5, "valid_accuracy": 0.9}
    with database.transaction() as session:
        made, _ = requests.submit(session, draft, paths)
        session.execute(update(Cohort).where(Cohort.experiment_id == made.id).values(status="succeeded"))
        mine = update(Run).where(Run.experiment_id == made.id)
        session.execute(
            mine.values(outcome="completed", steps_done=Run.steps_total, final=final, started_at=now(), **done)
        )
        session.execute(update(Experiment).where(Experiment.id == made.id).values(started_at=now(), **done))
        runs = session.execute(
            select(Run.id, Run.seed, Run.arm_index, Run.steps_total)
            .where(Run.experiment_id == made.id)
            .order_by(Run.id)
        ).all()
        rows: list[dict[str, Any]] = []
        for run, seed, arm, steps in runs:
            for row in _blocks(run, seed + arm / 300, steps, steps // draft.steps_per_epoch[arm]):
                rows.append(row | {"attempt": 1})
                if len(rows) == AT_ONCE:
                    session.execute(insert(MetricBlock), rows)
                    rows = []
        if rows:
            session.execute(insert(MetricBlock), rows)
        found = made.id
    database.dispose()
    return found


def _blocks(run: int, shift: float, steps: int, epochs: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of a run's curves: losses that fall and rates that are one, and what an epoch is judged by."""
    for metric, count in (("train_loss", steps), ("lr", steps), ("valid_loss", epochs), ("valid_accuracy", epochs)):
        for first in range(0, count, BLOCK):
            at = np.arange(first, min(count, first + BLOCK))
            values = (
                np.full(len(at), 1e-3)
                if metric == "lr"
                else 0.5 + np.exp(-at / count) * (1 + 0.01 * np.sin(at + shift))
            )
            yield metric_blocks.encode(run, metric, first, values.astype(np.float32))
