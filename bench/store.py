"""The store beside MLflow's: points a second, bytes a point, and long series as JSON, Parquet, CSV and a chart.

`python bench/store.py [--points 1000000] [--runs 10] [--only sqlite] [--without-mlflow]` stores series as workers do,
merges them as the sweeper does, asks an API for them over HTTP, and does what it can of that with an MLflow server on a
database of the same kind, with as many points as it takes in ten seconds. It writes bench/records/store.json. For
PostgreSQL it makes databases of its own on INITLAB_TEST_POSTGRES, else postgres@127.0.0.1:5432.
"""

import argparse
import statistics
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow_server
import numpy as np
import psutil
import record
from alone import api, memory
from load import Sent, one_by_one
from sqlalchemy import text

from core.experiments.cohorts.leases import Flush, end, flush, renew
from core.experiments.maintenance.merging import BlockMerger
from core.store import Database, Status, metric_blocks, upgrade
from core.store.space import space
from tests.backends import postgres_database
from tests.core.experiments.claims import queued, taken
from tests.thorough import POSTGRES

TO_REACH = {
    "ingest_points_a_second": (">=", 500_000),
    "ingest_of_short_blocks_points_a_second": (">=", 500_000),
    "bytes_a_point": ("<=", 8.0),
    "json_s": ("<=", 1.0),
    "parquet_s": ("<=", 0.3),
    "chart_p95_ms": ("<=", 40.0),
    "csv_api_memory_mb": ("<=", 300.0),
}
"""JSON, Parquet and the chart are of one series of a million points; CSV is of ten such."""
BLOCK, SHORT = 1_000, 100
"""Points of a block as a quick training stores it, and as a slow one does."""
LANES, QUICK, SLOW = 50, 20_000, 4_000
"""Runs of the experiment that measures how many points are stored, of two series each, and points in both ways."""
LONG = LANES + 1
"""The first run of the experiment with long series, which is the second."""
CHART, CHARTS, ANSWERS = 2_500, 60, 5
MLFLOW_SECONDS = 10.0


def asked() -> argparse.Namespace:
    """Return the command line's arguments."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--points", type=int, default=1_000_000, help="of a series")
    arguments.add_argument("--runs", type=int, default=10, help="of two such series each")
    arguments.add_argument("--only", choices=["sqlite", "postgresql"])
    arguments.add_argument("--without-mlflow", action="store_true")
    return arguments.parse_args()


@contextmanager
def new_database(kind: str, folder: Path, name: str = "initlab") -> Iterator[str]:
    """Yield the SQLAlchemy URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / name}.sqlite"
        return
    with postgres_database(POSTGRES) as url:
        yield url


def ingest(database: Database, held: Any, first: int, points: int, block: int) -> float:
    """Store points of two series of every run, a block of each in a transaction; returns the seconds."""
    draw = np.random.default_rng(0)
    losses, rates = draw.normal(size=2**20).astype("<f4"), np.full(block, 1e-3)
    begin = time.perf_counter()
    for at in range(first, first + points, block):
        what = Flush(step=at + block)
        for lane in held.lanes:
            start = int(draw.integers(len(losses) - block))  # other values each time, as PostgreSQL compresses
            what.blocks.append(metric_blocks.encode(lane.run, "train_loss", at, losses[start : start + block]))
            what.blocks.append(metric_blocks.encode(lane.run, "lr", at, rates))
        with database.transaction() as session:
            renew(session, held, 3600)
            flush(session, held, what)
    return time.perf_counter() - begin


def merge(database: Database, runs: int) -> dict[str, float]:
    """Merge so many runs that have ended; returns the seconds, and the longest that a transaction took."""
    merger, times = BlockMerger(database), []
    done = 0
    while done < runs:
        begin = time.perf_counter()
        done += merger.merge()
        times.append(time.perf_counter() - begin)
    return {"merge_s": round(sum(times), 2), "longest_merge_ms": round(1e3 * max(times), 1)}


def stored(database: Database, points: int, runs: int) -> dict[str, Any]:
    """Fill a database with two experiments: many runs that store a little, and `LONG` with long series."""
    before = space(database).total
    queued(database, seeds=LANES)
    many = taken(database, lease=3600)
    quick = ingest(database, many, 0, QUICK, BLOCK)
    slow = ingest(database, many, QUICK, SLOW, SHORT)
    queued(database, seeds=runs)
    few = taken(database, lease=3600)
    ingest(database, few, 0, points, BLOCK)
    for held in (many, few):
        with database.transaction() as session:
            end(session, held, Status.CANCELLED)
    merged = merge(database, LANES + runs)
    _settle(database)
    total = 2 * (LANES * (QUICK + SLOW) + runs * points)
    return {
        "points": total,
        "ingest_points_a_second": round(2 * LANES * QUICK / quick),
        "ingest_of_short_blocks_points_a_second": round(2 * LANES * SLOW / slow),
        **merged,
        "bytes_a_point": round((space(database).total - before) / total, 2),
    }


def _settle(database: Database) -> None:
    """Have a database give back what the merging left, as it does by itself sooner or later."""
    words = "PRAGMA incremental_vacuum" if database.engine.dialect.name == "sqlite" else "VACUUM FULL metric_blocks"
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(words)).close()


def read(port: int, process: psutil.Process) -> dict[str, Any]:
    """Ask for what is stored, as one client does; returns seconds, milliseconds and megabytes."""
    path = f"/runs/{LONG}/metrics?metric=train_loss"
    found: dict[str, Any] = {}
    for name in ("json", "parquet"):
        seconds = one_by_one(port, [Sent("GET", f"{path}&format={name}")] * ANSWERS).seconds
        found[f"{name}_s"] = round(statistics.median(seconds), 3)
    chart = one_by_one(port, [Sent("GET", f"{path}&max_points={CHART}")] * CHARTS).row()
    found |= {"chart_p50_ms": chart["p50"], "chart_p95_ms": chart["p95"]}
    url = f"http://127.0.0.1:{port}/experiments/2/metrics?metric=train_loss&format=csv"
    before = memory(process)[0]
    begin = time.perf_counter()
    lines, most = watched(process, lambda: _lines(url))
    found |= {
        "csv_points": lines - 1,
        "csv_s": round(time.perf_counter() - begin, 2),
        "csv_api_memory_mb": round(most[0] / 2**20, 1),
        "csv_api_grew_by_mb": round((most[0] - before) / 2**20, 1),
        "csv_jobs_memory_mb": round(most[1] / 2**20, 1),
    }
    return found


def _lines(url: str) -> int:
    number = 0
    with urllib.request.urlopen(url, timeout=300) as answer:  # noqa: S310 our own
        while part := answer.read(2**20):
            number += part.count(b"\n")
    return number


def watched(process: psutil.Process, work: Callable[[], int]) -> tuple[int, tuple[int, int]]:
    """Return what work returns, and the most memory that the process and its children had meanwhile."""
    over = threading.Event()
    most = [0, 0]

    def watch() -> None:
        while not over.wait(0.05):
            most[:] = map(max, most, memory(process))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        return work(), (most[0], most[1])
    finally:
        over.set()
        thread.join()


def removed(database: Database, port: int) -> dict[str, Any]:
    """Delete the experiment while another writes every 20 ms; returns the space given back and the longest wait."""
    before, waits = space(database).total, []
    one_by_one(port, [Sent("DELETE", "/experiments/2")])
    begin = time.perf_counter()
    while time.perf_counter() - begin < 60:
        at = time.perf_counter()
        with database.transaction() as session:
            session.execute(text("UPDATE counters SET value = value"))
        waits.append(time.perf_counter() - at)
        now = space(database) if len(waits) % 25 == 0 else None
        if now is not None and now.free <= 2**23 and now.total < before / 2:
            break
        time.sleep(0.02)
    left = space(database).total
    return {
        "given_back_s": round(time.perf_counter() - begin, 1),
        "given_back_share": round(1 - left / before, 3),
        "longest_wait_of_a_writer_ms": round(1e3 * max(waits), 1),
    }


def ours(kind: str, points: int, runs: int) -> dict[str, Any]:
    """Return a database's row."""
    with tempfile.TemporaryDirectory() as name, new_database(kind, Path(name)) as url:
        database = Database(url)
        upgrade(database.engine)
        found = stored(database, points, runs)
        with api(url, Path(name)) as (port, process):
            found |= read(port, process)
            if kind == "sqlite":
                found |= removed(database, port)
        database.dispose()
    return found


def theirs(kind: str) -> dict[str, Any]:
    """Return MLflow's row, of as many points as it took in ten seconds."""
    with (
        tempfile.TemporaryDirectory() as name,
        new_database(kind, Path(name), "mlflow") as url,
        mlflow_server.server(url.replace("+psycopg", "+psycopg2"), Path(name)) as port,
    ):
        run = mlflow_server.new_run(port)
        database = Database(url)
        before = space(database).total
        values = np.random.default_rng(0).normal(size=1_000_000).tolist()
        points, seconds = mlflow_server.log(port, run, "train_loss", values, MLFLOW_SECONDS)
        taken_up = space(database).total - before
        database.dispose()
        begin = time.perf_counter()
        assert mlflow_server.history(port, run, "train_loss") == points
        history = time.perf_counter() - begin
        charts = []
        for _ in range(10):
            begin = time.perf_counter()
            mlflow_server.chart(port, run, "train_loss", CHART)
            charts.append(time.perf_counter() - begin)
    return {
        "points": points,
        "ingest_points_a_second": round(points / seconds),
        "bytes_a_point": round(taken_up / points, 1),
        "json_s": round(history, 3),
        "json_points_a_second": round(points / history),
        "chart_p50_ms": round(1e3 * statistics.median(charts), 1),
        "chart_p95_ms": round(1e3 * float(np.percentile(charts, 95)), 1),
        "cannot": "Parquet or CSV of series over HTTP; its chart is every k-th point, so that a spike may be left out",
    }


def main() -> None:
    given = asked()
    version = None if given.without_mlflow else mlflow_server.install()
    rows: dict[str, dict[str, Any]] = {}
    for kind in ("sqlite", "postgresql"):
        if given.only in (None, kind):
            rows[kind] = ours(kind, given.points, given.runs)
            if version is not None:
                rows[f"mlflow on {kind}"] = theirs(kind)
    for name, row in rows.items():
        print(f"\n{name}")
        for key, value in row.items():
            print(f"  {key:40} {value if isinstance(value, str) else f'{value:>14,}'}{verdict(name, key, value)}")
    record.write("store", mlflow=version, to_reach=TO_REACH, series_points=given.points, runs=given.runs, rows=rows)


def verdict(name: str, key: str, value: Any) -> str:
    """Return the words behind a number of ours that has a bound."""
    if key not in TO_REACH or name.startswith("mlflow"):
        return ""
    sign, bound = TO_REACH[key]
    reached = value <= bound if sign == "<=" else value >= bound
    return f"   {sign} {bound:,}: {'reached' if reached else 'MISSED'}"


if __name__ == "__main__":
    main()
