"""A database with as much in it as a lab has after years: experiments, runs and points, written past the service."""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Engine, text

from core.store import Database
from core.store.space import space
from tests.core.experiments.claims import queued

RUNS_EACH, SEEDS, EPOCHS, STEPS = 100, 25, 4, 44
"""Runs of an experiment, 4 arms of so many seeds; epochs and updates of a run, which is 100 points in five series."""
QUEUED_RUNS = 4
AT = 1_750_000_000.0
STATUSES = ["succeeded"] * 18 + ["failed", "cancelled"]
OF_EPOCHS = ("train_accuracy", "valid_accuracy", "valid_loss")
POINTS = 2 * STEPS + len(OF_EPOCHS) * EPOCHS


def fill(database: Database, experiments: int, waiting: int) -> dict[str, Any]:
    """Store ended experiments of 100 runs and 10,000 points each, and waiting ones of 4 runs; returns what there is."""
    shape = queued(database, cohorts=4, seeds=SEEDS, epochs=EPOCHS)
    engine = database.engine
    with engine.begin() as connection:
        spec, steps = connection.execute(text("SELECT spec, steps_per_epoch FROM experiments")).one()
        connection.execute(text("DELETE FROM experiments"))
    texts = [one if isinstance(one, str) else json.dumps(one) for one in (spec, steps)]
    last = shape + experiments
    _bulk(engine, "experiments", _experiments(shape + 1, last, texts, waiting))
    every = range(shape + 1, last + waiting + 1)
    _bulk(engine, "tags", ((one, f"tag {tag}") for one in every for tag in {one % 50, 50 + one % 7}))
    _bulk(engine, "cohorts", _cohorts(shape + 1, last, waiting))
    _bulk(engine, "events", ((one, one, one, 1, AT, "ended", "{}") for one in every))
    _bulk(engine, "runs", _runs(shape + 1, last, waiting))
    _bulk(engine, "metric_blocks", _blocks(experiments))
    _bulk(engine, "epoch_values", _epochs(experiments))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            for table in ("experiments", "cohorts", "runs", "events"):
                connection.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))  # noqa: S608 our own
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # As autovacuum has done long since in a database of years; it would begin amid what is measured.
        words = ("VACUUM ANALYZE", "CHECKPOINT") if engine.dialect.name == "postgresql" else ("ANALYZE",)
        for one in words:
            connection.execute(text(one))
    runs = experiments * RUNS_EACH
    return {
        "experiments": experiments,
        "runs": runs,
        "points": runs * POINTS,
        "queued": waiting,
        "bytes": space(database).total,
    }


COLUMNS = {
    "experiments": "id, name, status, spec, steps_per_epoch, task, fingerprint, owner, created_at, started_at, "
    "finished_at, progress",
    "tags": "experiment_id, tag",
    "cohorts": "id, experiment_id, status, priority, device, attempt, lost, cancel_requested, queued_at",
    "events": "id, experiment_id, cohort_id, attempt, at, kind, detail",
    "runs": "id, experiment_id, cohort_id, arm_index, arm, seed, status, outcome, attempt, steps_done, steps_total, "
    "final, started_at, finished_at, merged",
    "metric_blocks": 'run_id, metric, "first", n, "every", attempt, "values"',
    "epoch_values": "run_id, metric, epoch, value",
}


def _experiments(first: int, last: int, texts: Sequence[str], waiting: int) -> Iterator[tuple[Any, ...]]:
    draw = random.Random(0)
    for one in range(first, last + waiting + 1):
        ended = one <= last
        status = draw.choice(STATUSES) if ended else "queued"
        at = AT + one * 60.0
        times = (at, at + 1 if ended else None, at + 600 if ended else None)
        name = f"{draw.choice(['weights', 'schedules', 'batches'])} on {draw.choice(['digits', 'cifar'])} {one:06d}"
        yield (one, name, status, *texts, "multiclass", "f" * 64, f"lab {one % 20}", *times, _progress(ended))


def _progress(ended: bool) -> str:
    """As the service keeps it."""
    runs = SEEDS if ended else 1
    counts = {"runs_done": runs * ended, "runs_total": runs, "steps_done": runs * STEPS * ended}
    counts |= dict.fromkeys(("diverged", "failed", "stopped_early", "pruned"), 0)
    counts |= {"steps_total": runs * STEPS, "left": runs * STEPS * (not ended)}
    arms = [{"label": f"arm {i}"} | counts for i in range(RUNS_EACH // SEEDS)]
    return json.dumps({"arms": arms, "attempt": int(ended), "errors": []})


def _cohorts(first: int, last: int, waiting: int) -> Iterator[tuple[Any, ...]]:
    for one in range(first, last + waiting + 1):
        status = "succeeded" if one <= last else "queued"
        yield (one, one, status, 0, "auto", 1 if one <= last else 0, 0, False, AT + one * 60.0)


def _runs(first: int, last: int, waiting: int) -> Iterator[tuple[Any, ...]]:
    run = 0
    for one in range(first, last + waiting + 1):
        at = AT + one * 60.0
        for i in range(RUNS_EACH if one <= last else QUEUED_RUNS):
            run += 1
            arm, seed = divmod(i, SEEDS) if one <= last else (i, 0)
            key = (run, one, one, arm, f"arm {arm}", seed)
            if one > last:
                yield (*key, "queued", None, 0, 0, STEPS, None, None, None, False)
                continue
            final = json.dumps({"train_loss": 0.1, "lr": 1e-3} | dict.fromkeys(OF_EPOCHS, 0.9 + i / 1000))
            yield (*key, "succeeded", "completed", 1, STEPS, STEPS, final, at, at + 600, True)


def _blocks(experiments: int) -> Iterator[tuple[Any, ...]]:
    draw = np.random.default_rng(0)
    losses = [draw.normal(size=STEPS).astype("<f4").tobytes() for _ in range(97)]
    rates, values = np.full(STEPS, 1e-3, "<f8").tobytes(), draw.normal(size=EPOCHS).astype("<f8").tobytes()
    for run in range(1, experiments * RUNS_EACH + 1):
        yield (run, "lr", 0, STEPS, 1, 1, rates)
        yield (run, "train_loss", 0, STEPS, 1, 1, losses[run % 97])
        for metric in OF_EPOCHS:
            yield (run, metric, 0, EPOCHS, 1, 1, values)


def _epochs(experiments: int) -> Iterator[tuple[Any, ...]]:
    for run in range(1, experiments * RUNS_EACH + 1):
        for metric in OF_EPOCHS:
            for epoch in range(EPOCHS):
                yield (run, metric, epoch, 0.5 + epoch / 10)


def _bulk(engine: Engine, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    columns = COLUMNS[table]
    pooled = engine.raw_connection()
    cursor: Any = pooled.cursor()
    try:
        if engine.dialect.name == "postgresql":
            cursor.execute("SET session_replication_role = replica")  # foreign keys are right as they are made here
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute("SET session_replication_role = DEFAULT")
        else:
            cursor.execute("PRAGMA foreign_keys=OFF")
            cursor.execute("BEGIN")
            marks = ", ".join("?" * len(columns.split(",")))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608 our own
        pooled.commit()
        if engine.dialect.name == "sqlite":
            cursor.execute("PRAGMA foreign_keys=ON")
    finally:
        pooled.close()
