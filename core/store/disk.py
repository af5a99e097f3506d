"""The text of `initlab disk`: what takes the space."""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import func, select

from core.settings import Settings
from core.store.database import Database
from core.store.series_tables import MetricBlock
from core.store.space import space
from core.store.tables import Experiment, Run

MOST = 10
"""Experiments that are named, those with the most points."""


def disk(database: Database, settings: Settings) -> str:
    """Return lines for a person: the database by table, the experiments with the most points, and the folders."""
    found = space(database)
    lines = [*_heading("database", found.total), *_line("of it free", found.free)]
    if found.tables is None:
        lines += ["  (this SQLite was made without dbstat, and cannot tell by table)"]
    for table, size in (found.tables or {}).items():
        lines += _line(table, size)
    if not found.shrinks:
        lines += ["  made by a version before: `initlab db compact` gives back what is free, now and later"]
    lines += ["", "experiments with the most points (their bytes)"]
    for experiment_id, name, size in _experiments(database):
        lines += _line(f"{experiment_id} {name}", size)
    folders = {
        "uploads": settings.uploads,
        "checkpoints": settings.checkpoints,
        "logs": settings.logs_folder,
        "datasets": settings.datasets,
    }
    lines += ["", "folders"]
    for name, folder in folders.items():
        lines += _line(name, _size(folder))
    return "\n".join(lines) + "\n"


def _experiments(database: Database) -> Iterable[tuple[int, str, int]]:
    size = func.sum(func.length(MetricBlock.values)).label("size")
    of_runs = (
        select(Run.experiment_id, size)
        .join(MetricBlock, MetricBlock.run_id == Run.id)
        .group_by(Run.experiment_id)
        .order_by(size.desc())
        .limit(MOST)
        .subquery()
    )
    named = select(Experiment.id, Experiment.name, of_runs.c.size)
    with database.reading() as session:
        found = named.join(of_runs, of_runs.c.experiment_id == Experiment.id).order_by(of_runs.c.size.desc())
        return [(row.id, row.name, int(row.size)) for row in session.execute(found)]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0


def _heading(name: str, size: int) -> list[str]:
    return [f"{name}: {size / 2**20:,.1f} MiB"]


def _line(name: str, size: int) -> list[str]:
    return [f"{size / 2**20:12,.1f} MiB  {name}"]
