"""What it costs to keep every measurement: training that stores to a real database beside training that discards.

`python bench/logging_cost.py` prints milliseconds an update of the whole cohort and writes
bench/records/logging_cost.json (`--device cuda`: logging_cost-cuda.json). What stores is the worker's own recorder, the
`AttemptRecorder` of a claimed cohort, on SQLite in a folder of its own; its time ends when the last point is durable.
Pairs in turns, the order within a pair alternating. The second case is the worst: the most points a second.
"""

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the worker does; read when torch is loaded

import record
import torch
from sqlalchemy import func, select
from work import Discard, lanes_of, layout_of

from core.datasets import Dataset, DatasetInfo, DatasetPaths, Splits
from core.experiments.cohorts.checkpoints import CheckpointStore
from core.experiments.cohorts.claims import claim
from core.experiments.cohorts.eligibility import WorkerCapabilities
from core.experiments.requests import draft, fingerprint_of, submit
from core.experiments.worker.endings import Completed
from core.experiments.worker.recorder import Attempt, AttemptRecorder
from core.experiments.worker.worker import leave_hung
from core.files import FolderStore
from core.spec import Spec, parse
from core.store import Database, MetricBlock, upgrade
from core.training import Profile, TrainOptions, train_lanes

PAIRS = 9
MOST = 0.02
LEASE = 30.0
SEVEN = ["zeros", "ones", "uniform_rule", "normal_rule", "glorot_normal", "he_normal", "torch_default"]
SPECS: dict[str, dict[str, Any]] = {
    "MLP 64-256-128-10 on digits, 35 lanes": {
        "model": {"name": "mlp", "hidden": [256, 128], "dropout": 0.2},
        "epochs": 20,
        "seeds": 5,
        "arms": [{"initializer": name} for name in SEVEN],
    },
    "table 30-6-6-1, batch 20, 100 lanes": {
        "dataset": "breast_cancer",
        "model": {"name": "mlp", "hidden": [6, 6]},
        "batch_size": 20,
        "epochs": 200,
        "seeds": 20,
        "arms": [{"initializer": name} for name in SEVEN[2:]],
    },
}


def kept(database: Database, folder: Path, spec: Spec, data: Splits, info: DatasetInfo, device: str) -> float:
    """Seconds of the training while all is stored, from the claim on."""
    with database.transaction() as session:
        submit(session, draft(spec, fingerprint_of(spec), DatasetPaths(), Profile.guess()), DatasetPaths())
    with database.transaction() as session:
        held = claim(
            session, "host/1/0", WorkerCapabilities(devices=("auto", "cpu", "cuda"), queues=("cpu", "gpu")), LEASE
        )
    assert held is not None
    assert len(held.lanes) == len(lanes_of(spec)), "the experiment should be one cohort"
    begin = time.perf_counter()
    recorder = AttemptRecorder(
        Attempt(
            database=database,
            held=held,
            store=CheckpointStore(FolderStore(folder), held.cohort_id, held.attempt),
            lease_seconds=LEASE,
            draining=threading.Event(),
            on_hang=leave_hung,
        )
    )
    options = TrainOptions.of(spec, device, held.layout)
    train_lanes(held.lanes, data, info, recorder, options, stopped=recorder.stopped, keep=recorder.save)
    recorder.close(Completed())
    return time.perf_counter() - begin


def discarded(spec: Spec, data: Splits, info: DatasetInfo, device: str) -> float:
    """Seconds of the training while nothing is stored."""
    options = TrainOptions.of(spec, device, layout_of(spec))
    begin = time.perf_counter()
    train_lanes(lanes_of(spec), data, info, Discard(), options)
    return time.perf_counter() - begin


def in_turns(one: Callable[[], float], other: Callable[[], float], n: int, unit: float) -> list[tuple[float, float]]:
    """`n` pairs of what both give, times `unit`; each is warmed up once, and the order within a pair alternates."""
    ways = (one, other)
    for warm in ways:
        warm()
    pairs = []
    for turn in range(n):
        times = {way: ways[way]() * unit for way in ((0, 1) if turn % 2 else (1, 0))}
        pairs.append((times[0], times[1]))
    return pairs


def measure(name: str, body: Mapping[str, Any], device: str) -> dict[str, Any]:
    """The pairs of one case; print and return what came out."""
    spec = parse(dict(body))
    dataset: Dataset = spec.dataset.build()
    data, info = dataset.load(DatasetPaths()), dataset.info(DatasetPaths())
    treatment = spec.expanded[0].treatment
    updates = -(-info.train // treatment.batch_size) * treatment.epochs
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'bench.sqlite'}")
        upgrade(database.engine)
        ways = (
            lambda: kept(database, Path(folder), spec, data, info, device),
            lambda: discarded(spec, data, info, device),
        )
        pairs = in_turns(*ways, PAIRS, 1e3 / updates)
        with database.reading() as session:
            points = session.scalar(select(func.sum(MetricBlock.n))) or 0
        database.dispose()
    on, off = (statistics.median(column) for column in zip(*pairs, strict=True))
    cost = statistics.median(kept_ms / discarded_ms - 1 for kept_ms, discarded_ms in pairs)
    rate = points / (PAIRS + 1) / (on * updates / 1e3)
    verdict = "reached" if cost <= MOST else "MISSED"
    print(f"{name:40s} {on:9.3f} {off:9.3f} {cost:8.1%} {rate:12,.0f}   at most {MOST:.0%}: {verdict}", flush=True)
    return {
        "case": name,
        "updates": updates,
        "kept_ms": round(on, 4),
        "discarded_ms": round(off, 4),
        "cost": round(cost, 4),
        "points_a_second": round(rate),
        "at_most": MOST,
        "reached": cost <= MOST,
        "pairs_ms": [[round(value, 4) for value in pair] for pair in pairs],
    }


def main() -> None:
    device = record.asked_device(__doc__)
    torch.set_num_threads(1)  # as a worker's processes
    print(f"{'ms an update of all lanes':40s} {'kept':>9s} {'discarded':>9s} {'cost':>8s} {'points/s':>12s}")
    rows = [measure(name, body, device) for name, body in SPECS.items()]
    statistic = "median of the pairs' ratios less 1"
    record.write("logging_cost", device, threads=torch.get_num_threads(), n=PAIRS, statistic=statistic, rows=rows)


if __name__ == "__main__":
    main()
