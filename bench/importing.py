"""Imports of a million points of TensorBoard's event files and of a Parquet file, into a service of its own.

`python bench/importing.py [--points 1000000]` writes both sources, starts an API on SQLite, imports a small table, so
that it has begun all its processes, and runs `initlab import` on each source as a user does, in a process of its own;
then once more, when all is there already. Seconds are those of the processors, of the client's process and of the
service together, as of a machine that has nothing else to do; the seconds that went by are beside them. It writes
bench/records/importing.json.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when NumPy is imported

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import record
from alone import api
from pyarrow import parquet
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from core.store import Database, upgrade

TO_REACH = {"seconds": ("<=", 10.0)}
ARMS, SEEDS, METRICS = ("adam", "sgd"), 5, ("train/loss", "val/acc")


def asked() -> argparse.Namespace:
    """Return the command line's arguments."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--points", type=int, default=1_000_000, help="of all runs and metrics together")
    return arguments.parse_args()


def values(arm: str, seed: int, steps: int) -> dict[str, Any]:
    """Return the curves of a run."""
    noise = np.random.default_rng((ARMS.index(arm), seed)).normal(0, 0.02, (len(METRICS), steps))
    fall = np.exp(-np.arange(steps) / steps * (3 - ARMS.index(arm)))
    return {METRICS[0]: 2.3 * fall + noise[0], METRICS[1]: 0.9 - 0.8 * fall + noise[1]}


def write_events(folder: Path, steps: int) -> None:
    """Write a folder of event files, a run each, by TensorBoard's own writer; the seeds of an arm are alike."""
    for arm in ARMS:
        place = folder / arm / "seed_0"
        place.mkdir(parents=True)
        curves = values(arm, 0, steps)
        with (place / "events.out.tfevents.1700000000.bench.1.0").open("wb") as out:
            writer = RecordWriter(out)
            for step in range(steps):
                for tag in METRICS:
                    summary = Summary(value=[Summary.Value(tag=tag, simple_value=curves[tag][step])])
                    writer.write(Event(wall_time=1.7e9 + step, step=step, summary=summary).SerializeToString())
            writer.flush()
        for seed in range(1, SEEDS):  # that writer takes longer than all that is measured here
            shutil.copytree(place, place.with_name(f"seed_{seed}"))


def write_table(path: Path, steps: int) -> None:
    """Write a Parquet file with a row for each step of each run."""
    parts = []
    for arm in ARMS:
        for seed in range(SEEDS):
            columns = {"arm": [arm] * steps, "seed": [seed] * steps, "step": np.arange(steps)}
            parts.append(pa.table(columns | values(arm, seed, steps)))
    parquet.write_table(pa.concat_tables(parts), path)


def spent(processes: list[psutil.Process]) -> float:
    """Return the seconds of the processors that processes have taken."""
    times = [one.cpu_times() for one in processes]
    return sum(one.user + one.system for one in times)


def imported(service: psutil.Process, source: str, place: Path) -> dict[str, Any]:
    """Import a source as a user does, and return what it took."""
    command = [sys.executable, "-m", "initlab", "import", source, str(place), "--metric", f"{METRICS[1]}:max"]
    command += ["--metric", f"{METRICS[0]}:min", "--quiet"]
    of_service = [service, *service.children(recursive=True)]
    before, mine, begin = spent(of_service), os.times(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - begin, os.times()
    client = after.children_user + after.children_system - mine.children_user - mine.children_system
    served = spent(of_service) - before
    return {
        "seconds": round(client + served, 2),
        "client_seconds": round(client, 2),
        "service_seconds": round(served, 2),
        "seconds_that_went_by": round(seconds, 2),
    }


def main() -> None:
    given = asked()
    steps = given.points // (len(ARMS) * SEEDS * len(METRICS))
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder, url = Path(name), f"sqlite:///{Path(name) / 'initlab.sqlite'}"
        write_events(folder / "logs", steps)
        write_table(folder / "runs.parquet", steps)
        database = Database(url)
        upgrade(database.engine)
        database.dispose()
        with api(url, folder) as (port, service):
            os.environ["INITLAB_URL"] = f"http://127.0.0.1:{port}"
            write_table(folder / "small.parquet", 10)
            imported(service, "parquet", folder / "small.parquet")
            for source, place in (("tensorboard", folder / "logs"), ("parquet", folder / "runs.parquet")):
                rows[source] = imported(service, source, place)
                rows[f"{source}, again"] = imported(service, source, place)
    for name, row in rows.items():
        print(f"\n{name}")
        for key, value in row.items():
            reached = "" if key != "seconds" else "   <= 10: " + ("reached" if value <= TO_REACH[key][1] else "MISSED")
            print(f"  {key:24} {value:>10,}{reached}")
    record.write("importing", to_reach=TO_REACH, points=steps * len(ARMS) * SEEDS * len(METRICS), rows=rows)


if __name__ == "__main__":
    main()
