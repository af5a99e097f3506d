"""MLflow's runs as its own stores keep them: a SQLite file, and a folder."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from initlab.imports import mlflow, sources
from initlab.imports.rules import Rules
from initlab.imports.runs import ImportFailed
from initlab.imports.sources import Place
from tests.initlab.imports.written import MLFLOW_FOLDER, MLFLOW_SQL, unpacked

Write = Callable[[Path], Path]


def database(folder: Path) -> Path:
    path = folder / "mlflow.db"
    with closing(sqlite3.connect(path)) as made:
        made.executescript(unpacked(MLFLOW_SQL).decode())
    return path


def mlruns(folder: Path) -> Path:
    for name, text in json.loads(unpacked(MLFLOW_FOLDER)).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize("written", [database, mlruns])
@pytest.mark.parametrize("prefix", ["", "own"])
def test_runs_are_read_as_they_were_logged(tmp_path: Path, written: Write, prefix: str) -> None:
    path = written(tmp_path)
    spelled = {"own": f"sqlite:///{path}" if path.is_file() else path.as_uri()}.get(prefix, str(path))
    first, other = sources.read(Place(source="mlflow", at=spelled), Rules())
    assert (first.name, first.state, other.name, other.state) == ("adam 0", "failed", "adam 1", "finished")
    assert (first.config, first.tags) == ({"lr": 0.1, "seed": 0}, {"team": "x"})
    assert first.started > 1.7e9
    steps, values = other.series["val/acc"]
    assert (list(steps), repr(list(values))) == ([0, 1, 2], "[0.75, nan, inf]"), "the last of a step, by time"
    assert first.notes == []


@pytest.mark.parametrize("written", [database, mlruns])
def test_an_experiment_is_chosen_by_its_name(tmp_path: Path, written: Write) -> None:
    path = written(tmp_path)
    assert len(mlflow.read(str(path), "net/a")) == 2
    with pytest.raises(ImportFailed, match=r"has no experiment other; it has: .*net/a"):
        mlflow.read(str(path), "other")
    with pytest.raises(ImportFailed, match="neither a server's URL, nor a folder, nor a SQLite file"):
        mlflow.read(str(tmp_path / "nothing"))


def test_an_experiment_that_was_deleted_is_left_out(tmp_path: Path) -> None:
    path = database(tmp_path)
    with closing(sqlite3.connect(path)) as made:
        made.execute("UPDATE experiments SET lifecycle_stage = 'deleted' WHERE name = 'net/a'")
        made.commit()
    with pytest.raises(ImportFailed, match="has no runs"):
        mlflow.read(str(path))
