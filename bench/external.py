"""Points logged by eight processes at once, beside MLflow's server and client, and what a log takes of a training loop.

`python bench/external.py [--processes 8] [--seconds 10] [--steps 5000] [--without-mlflow]` starts an API on SQLite, and
MLflow's server on a database of the same kind. Each process has a run of its own and logs two metrics at each step, as
fast as it can; counted are the points that the server has when all of them are in. MLflow's client does it in its two
ways: `log_metrics` at each step, and `log_metrics(synchronous=False)`, its own background thread. Then one process
steps through a loop of 1 ms of arithmetic, with a log a step and without, in turns, the server here throughout. It
writes bench/records/external.json.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when NumPy is imported: the loop has one core

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mlflow_server
import numpy as np
import record
from alone import api

import initlab
from core.store import Database, upgrade
from initlab.tracking.sender import INTERVAL

TO_REACH = {"times_mlflow": (">=", 20), "share_of_a_1_ms_step": ("<=", 0.01), "log_p50_us": ("<=", 10)}
METRICS: Any = {"accuracy": {"direction": "max", "per": "step"}, "loss": {"direction": "min", "per": "step"}}
TURN = 1000
"""Steps of 1 ms."""
MATRIX = np.random.default_rng(0).normal(size=(64, 64))


def asked() -> argparse.Namespace:
    """Return the command line's arguments."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--processes", type=int, default=8)
    arguments.add_argument("--seconds", type=float, default=10.0, help="for which each process logs")
    arguments.add_argument("--steps", type=int, default=5000, help="of the loop of 1 ms")
    arguments.add_argument("--without-mlflow", action="store_true")
    arguments.add_argument("--as-client", nargs=3, metavar=("ID", "SEED", "SECONDS"), help=argparse.SUPPRESS)
    return arguments.parse_args()


def client(experiment: int, seed: int, seconds: float) -> None:
    """Log two metrics a step as fast as it goes once it is told to; prints the points when all are sent."""
    run = initlab.Client().experiment(experiment).run("he", seed)
    print("ready", flush=True)
    sys.stdin.readline()
    step, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        run.log(step, accuracy=0.5, loss=1 / (step + 1))
        step += 1
    run.finish("completed")
    print(2 * step)


MLFLOW_CLIENT = """
import sys, time, mlflow
url, seconds, synchronous = sys.argv[1], float(sys.argv[2]), sys.argv[3] == "True"
mlflow.set_tracking_uri(url)
mlflow.start_run()
print("ready", flush=True)
sys.stdin.readline()
step, end = 0, time.perf_counter() + seconds
while time.perf_counter() < end:
    mlflow.log_metrics({"accuracy": 0.5, "loss": 1 / (step + 1)}, step=step, synchronous=synchronous)
    step += 1
if not synchronous:
    mlflow.flush_async_logging()
print(2 * step)
"""
"""A user's program, in MLflow's own environment."""
MLFLOW_PATIENCE = 60.0
"""Seconds for its background threads to send what was logged. Eight processes fill queues that its server, on SQLite
with 15 connections for which the others wait 30 s each, did not empty in six minutes."""


def together(
    commands: Sequence[Sequence[str]], environment: dict[str, str], patience: float | None = None
) -> dict[str, Any]:
    """Start programs, tell all to begin once all are ready; returns the points of all, and how many a second.

    Those that have not ended after `patience` seconds are ended, and counted for nothing.
    """
    pipe = subprocess.PIPE
    programs = [subprocess.Popen(one, env=environment, stdin=pipe, stdout=pipe, text=True) for one in commands]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    begin = time.perf_counter()
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    try:
        said = [program.communicate(timeout=patience)[0].splitlines() for program in programs]  # more than our numbers
    except subprocess.TimeoutExpired:
        return {"points_a_second": 0, "given_up_after_seconds": round(time.perf_counter() - begin)}
    finally:
        for program in programs:
            program.kill()
    points = sum(int(next(line for line in lines if line.isdigit())) for lines in said)
    seconds = time.perf_counter() - begin
    return {"points": points, "seconds": round(seconds, 1), "points_a_second": round(points / seconds)}


def ours(given: argparse.Namespace, url: str) -> dict[str, Any]:
    """Return what our clients did; every point has to be on the server."""
    experiment = initlab.external(["he"], given.processes, METRICS)
    program = [sys.executable, __file__, "--as-client", str(experiment.id)]
    commands = [[*program, str(seed), str(given.seconds)] for seed in range(given.processes)]
    found = together(commands, os.environ | {"INITLAB_URL": url})
    counted = sum(one["total"] for one in experiment.metrics(max_points=4))
    assert counted == found["points"], f"{counted:,} of {found['points']:,} points are there"
    assert all(run["outcome"] == "completed" for run in experiment.runs())
    return found


def theirs(given: argparse.Namespace, port: int, *, synchronous: bool) -> dict[str, Any]:
    """Return what MLflow's clients did."""
    program = [str(mlflow_server.FOLDER / "bin" / "python"), "-c", MLFLOW_CLIENT, f"http://127.0.0.1:{port}"]
    command = [*program, str(given.seconds), str(synchronous)]
    patience = None if synchronous else MLFLOW_PATIENCE
    return together([command] * given.processes, os.environ | {"GIT_PYTHON_REFRESH": "quiet"}, patience)


def turn(products: int, steps: int, log: Callable[[], None] | None) -> float:
    """Return the seconds of a step of a loop: so many products of matrices, and perhaps a log."""
    begin = time.perf_counter()
    for _ in range(steps):
        for _ in range(products):
            np.matmul(MATRIX, MATRIX)
        if log is not None:
            log()
    return (time.perf_counter() - begin) / steps


def in_the_loop(steps: int) -> dict[str, Any]:
    """Return what a log of two metrics takes of steps of 1 ms: of whole turns of a second, and of each call.

    Turns with logs and without follow each other, and before each the thread has sent what was logged: what it takes
    from the loop is in the turn whose points it sends.
    """
    experiment = initlab.external(["he"], 1, METRICS)
    products = max(1, round(1e-3 / turn(1, 2000, None)))
    calls: list[float] = []
    shares: list[float] = []
    with experiment.run("he", 0) as run:

        def log() -> None:
            at = time.perf_counter()
            run.log(accuracy=0.5, loss=0.1)
            calls.append(time.perf_counter() - at)

        for _ in range(max(1, steps // TURN)):
            without, logged = turn(products, TURN, None), turn(products, TURN, log)
            shares.append(logged / without - 1)
            time.sleep(2 * INTERVAL)
    return {
        "step_ms": round(1e3 * without, 3),
        "share_of_a_1_ms_step": round(statistics.median(shares), 4),
        "shares": [round(share, 4) for share in shares],
        "log_p50_us": round(1e6 * float(np.percentile(calls, 50)), 1),
        "log_p99_us": round(1e6 * float(np.percentile(calls, 99)), 1),
        "log_longest_us": round(1e6 * max(calls)),
    }


def main() -> None:
    given = asked()
    if given.as_client:
        experiment, seed, seconds = given.as_client
        client(int(experiment), int(seed), float(seconds))
        return
    version = None if given.without_mlflow else mlflow_server.install()
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder, url = Path(name), f"sqlite:///{Path(name) / 'initlab.sqlite'}"
        os.environ["INITLAB_JOURNAL"] = str(folder / "journal")
        database = Database(url)
        upgrade(database.engine)
        database.dispose()
        with api(url, folder) as (port, _):
            os.environ["INITLAB_URL"] = f"http://127.0.0.1:{port}"
            rows["initlab"] = ours(given, os.environ["INITLAB_URL"])
            rows["initlab, a loop of 1 ms"] = in_the_loop(given.steps)
        if version is not None:
            with mlflow_server.server(f"sqlite:///{folder / 'mlflow.sqlite'}", folder) as port:
                rows["mlflow"] = theirs(given, port, synchronous=True)
                rows["mlflow, asynchronous"] = theirs(given, port, synchronous=False)
                best = max(rows[kind]["points_a_second"] for kind in ("mlflow", "mlflow, asynchronous"))
                rows["initlab"]["times_mlflow"] = round(rows["initlab"]["points_a_second"] / best, 1)
    for name, row in rows.items():
        print(f"\n{name}")
        for key, value in row.items():
            print(f"  {key:30} {value if isinstance(value, list) else f'{value:>14,}'}{verdict(key, value)}")
    record.write("external", mlflow=version, to_reach=TO_REACH, processes=given.processes, rows=rows)


def verdict(key: str, value: Any) -> str:
    """Return the words behind a number that has a bound."""
    if key not in TO_REACH:
        return ""
    sign, bound = TO_REACH[key]
    reached = value <= bound if sign == "<=" else value >= bound
    return f"   {sign} {bound:,}: {'reached' if reached else 'MISSED'}"


if __name__ == "__main__":
    main()
