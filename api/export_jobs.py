"""The jobs that pack an experiment into one file."""

from pathlib import Path
from typing import Literal

from api.archive import Archive
from api.bundles import write_bundle
from api.eln import root_of, write_eln
from api.job_process import Process
from core.experiments.queries import read

Package = Literal["bundle", "eln"]


def pack(path: Path, experiment_id: int, package: Package) -> None:
    """Write an experiment's bundle, or its `.eln`, into a file that is there, all as of one moment.

    Raises `NotFound`, and `Conflict` where the experiment has not ended.
    """
    with Process.database.reading() as session, path.open("wb") as out:
        one = read.experiment(session, experiment_id)
        if package == "bundle":
            archive = Archive(out)
            write_bundle(archive, session, one, Process.paths)
        else:
            archive = Archive(out, f"{root_of(one.id)}/")
            write_eln(archive, session, one, Process.paths)
        archive.close()
