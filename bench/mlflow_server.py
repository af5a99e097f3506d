"""An MLflow tracking server beside ours: its own environment in var/mlflow, made at the first run (some 300 MB)."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from alone import ready

from tests.backends import free_port

FOLDER = Path(__file__).parent.parent / "var" / "mlflow"
PACKAGES = ("mlflow>=3,<4", "psycopg2-binary>=2.9,<3")
BATCH = 1000
"""Metrics of one `log-batch`, the most that MLflow takes."""


def install() -> str:
    """Make the environment where it is not there; returns MLflow's version."""
    program = FOLDER / "bin" / "mlflow"
    if not program.exists():
        print("installing MLflow into var/mlflow", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True)
        pip = [str(FOLDER / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES], check=True)
    answer = subprocess.run([str(program), "--version"], check=True, capture_output=True, text=True)
    return answer.stdout.split()[-1]


@contextmanager
def server(database: str, folder: Path) -> Iterator[int]:
    """Yield the port of a tracking server with one worker process, as our API has, on an empty database."""
    port = free_port()
    command = [str(FOLDER / "bin" / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", database, "--artifacts-destination", str(folder / "artifacts")]
    environment = os.environ | {"GIT_PYTHON_REFRESH": "quiet", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            ready(process, f"http://127.0.0.1:{port}/health")
            yield port
        finally:
            process.terminate()


def call(port: int, path: str, body: Any = None) -> Any:
    """Return the answer of a call of the REST API: a post where there is a body."""
    data = None if body is None else json.dumps(body).encode()
    url = f"http://127.0.0.1:{port}/{path}"
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as answer:  # noqa: S310
        return json.loads(answer.read())


def new_run(port: int) -> str:
    """Return the id of a new run."""
    at = int(time.time() * 1000)
    made = call(port, "api/2.0/mlflow/runs/create", {"experiment_id": "0", "start_time": at})
    return str(made["run"]["info"]["run_id"])


def log(port: int, run: str, key: str, values: Sequence[float], seconds: float) -> tuple[int, float]:
    """Log a series in batches until all is logged or the time is up; returns the points and the seconds."""
    at, begin, done = int(time.time() * 1000), time.perf_counter(), 0
    for start in range(0, len(values), BATCH):
        points = [
            {"key": key, "value": value, "timestamp": at, "step": start + i}
            for i, value in enumerate(np.asarray(values[start : start + BATCH]).tolist())
        ]
        call(port, "api/2.0/mlflow/runs/log-batch", {"run_id": run, "metrics": points})
        done += len(points)
        if time.perf_counter() - begin > seconds:
            break
    return done, time.perf_counter() - begin


def history(port: int, run: str, key: str) -> int:
    """Read a whole series, page by page; returns its number of points."""
    query = f"run_id={run}&metric_key={key}&max_results=25000"
    found, token = 0, ""
    while True:
        page = call(port, f"api/2.0/mlflow/metrics/get-history?{query}{token}")
        found += len(page.get("metrics", ()))
        if not page.get("next_page_token"):
            return found
        token = f"&page_token={page['next_page_token']}"


def chart(port: int, run: str, key: str, points: int) -> int:
    """Read what its page draws a series from, at most so many points of it; returns how many came."""
    query = f"run_ids={run}&metric_key={key}&max_results={points}"
    return len(call(port, f"ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{query}")["metrics"])
