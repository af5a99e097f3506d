"""Experiments through the embedded service: uploaded data, a post, and the database's clock."""

import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from cases import Case, arrays

from initlab import Client
from initlab.demo import service


@contextmanager
def running() -> Iterator[Client]:
    """A client of a service in a folder of its own; SIGTERM ends the benchmark and the service with it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as url, Client(url, api_key="") as client:
        yield client


def upload(client: Client, case: Case) -> None:
    """Send the case's data under its name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{case.name}.npz"
        np.savez(path, allow_pickle=False, **arrays(case))
        client.upload_dataset(path, case.name, task="multiclass" if case.kind == "images" else "binary")


def seconds(client: Client, spec: Mapping[str, Any]) -> float:
    """From the post to the end, by the database's clock, while a client waits for it."""
    experiment = client.submit(spec).wait()
    if experiment.status != "succeeded":
        raise SystemExit(f"the experiment {experiment.status}: {experiment.errors}")
    begin, end = (datetime.fromisoformat(experiment.data[key]) for key in ("created_at", "finished_at"))
    return (end - begin).total_seconds()
