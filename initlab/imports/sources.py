"""The sources that can be imported, by name: each gives the runs that it finds."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from initlab.imports import mlflow, tables, tensorboard, wandb
from initlab.imports.rules import Rules
from initlab.imports.runs import FoundRun, ImportFailed

Source = Literal["tensorboard", "mlflow", "wandb", "csv", "parquet"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where runs lie, and what some sources need to know of it."""

    source: Source
    at: str
    """A path, or a server's URL."""
    experiment: str | None = None
    """MLflow: the experiment, by its name or id."""
    step: str | None = None
    """Tables: the column that counts steps."""
    run: str | None = None
    """Tables: the column that tells runs apart, where arm and seed do not."""


def read(place: Place, rules: Rules) -> list[FoundRun]:
    """Return the runs of a source, in its order, their series settled.

    Raises `ImportFailed` where there are none, and OSError for a file that cannot be read.
    """
    runs = _read(place, rules)
    for run in runs:
        settled = {metric: series.settled() for metric, series in run.series.items()}
        run.series = {metric: series for metric, series in settled.items() if series.steps}
    return runs


def _read(place: Place, rules: Rules) -> list[FoundRun]:
    if place.source == "mlflow":
        return mlflow.read(place.at, place.experiment)
    path = Path(place.at)
    if not path.exists():
        raise ImportFailed(f"there is no {path}")
    if place.source == "tensorboard":
        return tensorboard.read(path)
    if place.source == "wandb":
        return wandb.read(path)
    keys = [*(rules.arm or ["arm"]), *([] if rules.number_runs else [rules.seed or "seed"]), *rules.where]
    columns = tables.Columns(
        keys=() if rules.path else keys,
        run=place.run,
        step=place.step,
        metrics=[one.name for one in rules.measures],
    )
    if rules.number_runs and place.run is None:
        columns = replace(columns, keys=())
    return (tables.read_csv if place.source == "csv" else tables.read_parquet)(path, columns)
