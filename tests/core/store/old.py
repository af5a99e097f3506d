"""What versions of this code before stored, row by row: experiments that ended, wait, and are in training."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from alembic import command
from numpy.typing import NDArray
from sqlalchemy import Connection, inspect, text

from core.classification import ClassSummary
from core.datasets import DatasetPaths, Splits
from core.metrics import metric_names
from core.results import Outcome
from core.spec import Spec, parse
from core.store import Database
from core.store.migrate import _config
from core.training import Checkpoint, Lane, TrainOptions, train_lanes

SPECS: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "specs.json").read_text())
"""By revision: the canonical spec as the last version at that revision stored it."""
STEPS, PER_EPOCH = 45, 15
SAFE = 20
"""Updates in the checkpoint of the experiment that is in training."""
SUCCEEDED, FAILED, QUEUED, RUNNING = 1, 2, 3, 4
RUNS = 4
"""Of each experiment: two arms, two seeds."""
AT = 1_750_000_000.0


class Recording:
    """A training kept whole: the points by run and metric, and a checkpoint in the middle of an epoch."""

    def __init__(self, spec: Spec, first_run: int) -> None:
        self.points: dict[tuple[int, str], NDArray[Any]] = {}
        self.checkpoint: Checkpoint | None = None
        self.lanes = [
            Lane(first_run + number, arm.treatment, seed)
            for number, (arm, seed) in enumerate((arm, seed) for arm in spec.expanded for seed in spec.seed_list)
        ]
        dataset = self.lanes[0].treatment.dataset.build()
        data: Splits = dataset.load(DatasetPaths())
        train_lanes(self.lanes, data, dataset.info(DatasetPaths()), self, TrainOptions(keep_seconds=0), keep=self._keep)

    def record(self, run: int, metric: str, first: int, values: NDArray[Any]) -> None:
        before = self.points.get((run, metric), values[:0])
        assert len(before) == first
        self.points[run, metric] = np.concatenate([before, values])

    def judge(self, run: int, correct: NDArray[np.bool_]) -> None:
        pass

    def classify(self, run: int, summary: ClassSummary) -> None:
        pass

    def finish(self, _: int, outcome: Outcome) -> None:
        assert outcome == "completed"

    def advance(self, step: int) -> None:
        pass

    def _keep(self, checkpoint: Checkpoint) -> None:
        if checkpoint.step == SAFE:
            self.checkpoint = checkpoint


def recording(revision: str, experiment: int) -> Recording:
    """What an experiment measured: trained once for all revisions whose specs mean the same."""
    return _recorded(json.dumps(parse(SPECS[revision]).canonical()), experiment)


@cache
def _recorded(canonical: str, experiment: int) -> Recording:
    return Recording(parse(json.loads(canonical)), RUNS * (experiment - 1) + 1)


def make(database: Database, revision: str, checkpoints: Path) -> None:
    """A database at a revision, with an experiment in each state."""
    for experiment in (SUCCEEDED, FAILED, QUEUED, RUNNING):
        recording(revision, experiment)  # before the transaction, which may not wait for long
    with database.engine.begin() as connection:
        command.upgrade(_config(connection), revision)
        store = _Store(connection, revision)
        store.experiment(SUCCEEDED, "succeeded", attempt=1)
        store.runs(SUCCEEDED, "succeeded", steps=STEPS)
        store.experiment(FAILED, "failed", attempt=1, error="RuntimeError: why (in step, x.py:1)")
        store.runs(FAILED, "failed", steps=SAFE, error="RuntimeError: why (in step, x.py:1)")
        store.experiment(QUEUED, "queued", attempt=0)
        store.runs(QUEUED, "queued", steps=0)
        more: dict[str, Any] = {"holder": "elsewhere boot pid/7/0", "lease_until": AT}
        if revision >= "0003":
            made = recording(revision, RUNNING).checkpoint
            assert made is not None
            name = f"cohort-{RUNNING}-2-{SAFE}.safetensors"
            made.write(checkpoints / name)
            sha = hashlib.sha256((checkpoints / name).read_bytes()).hexdigest()
            more |= {"checkpoint": name, "checkpoint_sha256": sha, "threads": 1}
            more |= {"checkpoint_step": SAFE, "checkpoint_epochs": SAFE // PER_EPOCH}
        store.experiment(RUNNING, "running", attempt=2, **more)
        store.runs(RUNNING, "running", steps=SAFE, attempt=2)
        for run in range(RUNS * (RUNNING - 1) + 1, RUNS * RUNNING + 1):  # after the checkpoint: to be measured again
            store.block(run, "train_loss", SAFE, np.full(5, 99, dtype="<f4"), 2)
        if connection.dialect.name == "postgresql":  # ids were given by hand
            for table in ("experiments", "cohorts", "runs"):
                connection.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))


class _Store:
    def __init__(self, connection: Connection, revision: str) -> None:
        self._connection = connection
        self._revision = revision
        self._columns: dict[str, set[str]] = {}

    def experiment(self, number: int, status: str, **cohort: Any) -> None:
        ended = AT + 60 if status in ("succeeded", "failed") else None
        started = None if status == "queued" else AT + 1
        spec = SPECS[self._revision]
        row = {"id": number, "name": "old", "status": status, "spec": json.dumps(spec), "fingerprint": "f" * 64}
        times = {"created_at": AT + number, "started_at": started, "finished_at": ended}
        task = {} if self._revision == "0001" else {"task": "multiclass"}
        key = {"idempotency_key": f":{number}"}
        self._put("experiments", row | task | times | key | {"steps_per_epoch": json.dumps([PER_EPOCH] * 2)})
        for tag in ("a", "b"):
            self._put("tags", {"experiment_id": number, "tag": tag})
        fixed = {"id": number, "experiment_id": number, "status": status, "priority": 0, "device": "auto"}
        rest = {"lost": 0, "cancel_requested": False, "queued_at": AT + number}
        self._put("cohorts", fixed | rest | cohort)

    def runs(self, experiment: int, status: str, *, steps: int, attempt: int = 1, error: str | None = None) -> None:
        """All come as far; the first of those that failed had diverged before."""
        made = recording(self._revision, experiment)
        labels = [arm.label for arm in parse(SPECS[self._revision]).expanded]
        for number, lane in enumerate(made.lanes):
            diverged = status == "failed" and number == 0
            length = 4 if diverged else steps
            points = {
                metric: values[: length // PER_EPOCH if metric in metric_names("epoch") else length]
                for (run, metric), values in made.points.items()
                if run == lane.run
            }
            points = {metric: values for metric, values in points.items() if len(values)}
            if diverged:
                points["train_loss"] = np.array([2.5, 3.5, 9.5, np.nan], dtype="<f4")
            final = {name: float(values[-1]) if np.isfinite(values[-1]) else None for name, values in points.items()}
            done = diverged or status == "succeeded"
            row = {"id": lane.run, "experiment_id": experiment, "cohort_id": experiment, "seed": lane.seed}
            arm = {"arm_index": number // 2, "arm": labels[number // 2], "steps_done": length, "steps_total": STEPS}
            outcome = {"outcome": ("diverged" if diverged else "completed") if done else None}
            result = {"status": "succeeded" if done else status, "final": json.dumps(final) if done else "null"}
            about = {"attempt": attempt if steps else 0, "error": None if done else error}
            times = {"started_at": AT + 1 if steps else None, "finished_at": AT + 60 if done or error else None}
            self._put("runs", row | arm | outcome | result | about | times)
            for metric, values in points.items():
                half = len(values) // 2
                for first, part in ((0, values[:half]), (half, values[half:])):
                    if len(part):
                        self.block(lane.run, metric, first, part, attempt)

    def block(self, run: int, metric: str, first: int, values: NDArray[Any], attempt: int) -> None:
        raw = values.astype(values.dtype.newbyteorder("<")).tobytes()
        place = {"run_id": run, "metric": metric, "first": first, "n": len(values), "attempt": attempt}
        self._put("metric_blocks", place | {"values": raw})

    def _put(self, table: str, row: dict[str, Any]) -> None:
        if table not in self._columns:
            self._columns[table] = {column["name"] for column in inspect(self._connection).get_columns(table)}
        assert row.keys() <= self._columns[table], "columns of that revision only"
        columns, given = ", ".join(f'"{name}"' for name in row), ", ".join(f":{name}" for name in row)
        self._connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({given})"), row)
