"""Experiments through the embedded service: uploaded data, a post, and the database's clock."""

import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from cases import Case, arrays

from core.settings import Settings
from initlab import Client
from initlab.demo import service

CANCELLED = 20.0
"""Seconds in which an experiment ends that is told to."""


@contextmanager
def running() -> Iterator[Client]:
    """A client of a service in a folder of its own; SIGTERM ends the benchmark and the service with it."""
    with running_on() as (client, _):
        yield client


@contextmanager
def running_on(database_url: str = "") -> Iterator[tuple[Client, Settings]]:
    """Such a client, and the settings of its service, which is on this database; empty: on SQLite in its folder."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given = {"INITLAB_DATABASE_URL": database_url} if database_url else {}
    with (
        tempfile.TemporaryDirectory() as folder,
        service(Path(folder), given) as url,
        Client(url, api_key="") as client,
    ):
        yield client, Settings(data_dir=Path(folder) / "service", database_url=database_url)


def upload(client: Client, case: Case) -> None:
    """Send the case's data under its name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{case.name}.npz"
        np.savez(path, allow_pickle=False, **arrays(case))
        client.upload_dataset(path, case.name, task="multiclass" if case.kind == "images" else "binary")


class NotTrained(Exception):
    """An experiment that did not succeed."""


def seconds(client: Client, spec: Mapping[str, Any], timeout: float = inf) -> float:
    """From the post to the end, by the database's clock, while a client waits for it; one that takes longer is ended.

    Raises `NotTrained`.
    """
    experiment = client.submit(spec)
    try:
        experiment.wait(timeout=timeout)
    except TimeoutError as error:
        experiment.cancel().wait(timeout=CANCELLED)
        raise NotTrained(str(error)) from error
    if experiment.status != "succeeded":
        raise NotTrained(f"the experiment {experiment.status}: {experiment.errors}")
    begin, end = (datetime.fromisoformat(experiment.data[key]) for key in ("created_at", "finished_at"))
    return (end - begin).total_seconds()
