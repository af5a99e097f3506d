"""The space that the service takes on its disk: what takes it, and the text of `initlab disk`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import func, select

from core.files import file_store
from core.settings import Settings
from core.store.database import Database
from core.store.series_tables import MetricBlock
from core.store.space import Space, space
from core.store.tables import Experiment, Run

MOST = 10
"""Experiments that are named, those with the most points."""


class Stored(NamedTuple):
    """An experiment, and the bytes of its points."""

    id: int
    name: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Disk:
    """All that takes space, in bytes."""

    database: Space
    experiments: Sequence[Stored]
    """Those with the most points, the largest first."""
    folders: dict[str, int]

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "database": self.database._asdict(),
            "experiments": [one._asdict() for one in self.experiments],
            "folders": self.folders,
        }

    def text(self) -> str:
        """Return lines for a person."""
        found = self.database
        lines = [f"database: {found.total / 2**20:,.1f} MiB", _line("of it free", found.free)]
        if found.tables is None:
            lines += ["  (this SQLite was made without dbstat, and cannot tell by table)"]
        lines += [_line(table, size) for table, size in (found.tables or {}).items()]
        if not found.shrinks:
            lines += ["  made by a version before: `initlab db compact` gives back what is free, now and later"]
        lines += ["", "experiments with the most points (their bytes)"]
        lines += [_line(f"{one.id} {one.name}", one.bytes) for one in self.experiments]
        lines += ["", "folders", *(_line(name, size) for name, size in self.folders.items())]
        return "\n".join(lines) + "\n"


def disk(database: Database, settings: Settings) -> Disk:
    """Return what takes space: the database by table, the experiments with the most points, and the folders."""
    files = file_store(settings)
    sizes = {part: sum(one.bytes for one in files.below(part).list()) for part in ("uploads", "checkpoints", "weights")}
    folders = {"logs": settings.logs_folder, "datasets": settings.datasets}
    return Disk(
        database=space(database),
        experiments=_experiments(database),
        folders=sizes | {name: _size(folder) for name, folder in folders.items()},
    )


def _experiments(database: Database) -> list[Stored]:
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
        return [Stored(row.id, row.name, int(row.size)) for row in session.execute(found)]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0


def _line(name: str, size: int) -> str:
    return f"{size / 2**20:12,.1f} MiB  {name}"
