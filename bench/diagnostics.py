"""What diagnostics cost: training that looks at every layer every 50 updates beside training that does not.

`python bench/diagnostics.py` prints milliseconds an update of the whole cohort and writes
bench/records/diagnostics.json (`--device cuda`: diagnostics-cuda.json). Both store all they measure as a worker does,
in SQLite, and are timed from the claim until the last point is durable; pairs in turns, the order within a pair
alternating. `poll` is what one look takes, in updates without any.
"""

import os
import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the worker does; read when torch is loaded

import record
import torch
from logging_cost import SEVEN, in_turns, kept

from core.datasets import Dataset, DatasetPaths
from core.spec import Spec, parse
from core.store import Database, upgrade

PAIRS = 7
EVERY = 50
MOST = 0.05
SPECS: dict[str, dict[str, Any]] = {
    "MLP 64-256-128-10 on digits, batch 100, 35 lanes": {
        "model": {"name": "mlp", "hidden": [256, 128], "dropout": 0.2},
        "epochs": 20,
        "seeds": 5,
        "arms": [{"initializer": name} for name in SEVEN],
    },
    "CNN 32-32-64 with batch norm on digits, batch 128, alone": {  # as the service trains it: lanes gain nothing
        "model": {"name": "cnn", "channels": [32, 32, 64], "dense": [128]},
        "batch_size": 128,
        "epochs": 25,
        "seeds": 1,
        "arms": [{"initializer": "he_normal"}],
    },
}


def measure(name: str, body: Mapping[str, Any], device: str) -> dict[str, Any]:
    """The pairs of one case; print and return what came out."""
    plain, looked = parse(dict(body)), parse({**body, "diagnostics": {"every": EVERY}})
    dataset: Dataset = plain.dataset.build()
    data, info = dataset.load(DatasetPaths()), dataset.info(DatasetPaths())
    treatment = plain.expanded[0].treatment
    updates = -(-info.train // treatment.batch_size) * treatment.epochs
    looks = -(-updates // EVERY)
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'bench.sqlite'}")
        upgrade(database.engine)

        def timed(spec: Spec) -> float:
            return kept(database, Path(folder), spec, data, info, device)

        pairs = in_turns(lambda: timed(looked), lambda: timed(plain), PAIRS, 1e3 / updates)
        database.dispose()
    on, off = (statistics.median(column) for column in zip(*pairs, strict=True))
    cost = statistics.median(looked_ms / plain_ms - 1 for looked_ms, plain_ms in pairs)
    verdict = "reached" if cost <= MOST else "MISSED"
    poll = cost * updates / looks
    print(f"{name:60s} {on:9.3f} {off:9.3f} {cost:8.1%} {poll:6.2f}   at most {MOST:.0%}: {verdict}", flush=True)
    return {
        "case": name,
        "updates": updates,
        "looks": looks,
        "with_ms": round(on, 4),
        "without_ms": round(off, 4),
        "cost": round(cost, 4),
        "look_in_updates": round(poll, 2),
        "at_most": MOST,
        "reached": cost <= MOST,
        "pairs_ms": [[round(value, 4) for value in pair] for pair in pairs],
    }


def main() -> None:
    device = record.asked_device(__doc__)
    torch.set_num_threads(1)  # as a worker's processes
    print(f"{'ms an update of all lanes':60s} {'with':>9s} {'without':>9s} {'cost':>8s} {'look':>6s}")
    rows = [measure(name, body, device) for name, body in SPECS.items()]
    about = {"threads": torch.get_num_threads(), "n": PAIRS, "every": EVERY}
    record.write("diagnostics", device, **about, statistic="median of the pairs' ratios less 1", rows=rows)


if __name__ == "__main__":
    main()
