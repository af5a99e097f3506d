"""MLflow's runs: of a tracking server by its REST API, of a local `mlruns` folder, of a SQLite file.

Formats: mlflow/protos/service.proto, mlflow/store/tracking/file_store.py and dbmodels/models.py.
"""

import math
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import httpx2 as httpx
import yaml

from initlab.imports.runs import FoundRun, ImportFailed, State, number, value_of
from initlab.settings import MlflowSettings

STATES: dict[Any, State] = {
    "FINISHED": "finished",
    "FAILED": "failed",
    "KILLED": "failed",
    3: "finished",
    4: "failed",
    5: "failed",
}
"""By name, and by number as the folder has them; others are still running."""
MANY = 1_000


class _Experiment(NamedTuple):
    id: str
    name: str
    read: Callable[[], list[FoundRun]]
    """Returns its runs, those that were deleted left out."""


def read(place: str, experiment: str | None = None) -> list[FoundRun]:
    """Return the runs of one experiment, by its name or id; None: the only one that has runs.

    `place` is `http://HOST:PORT`, a folder with `mlruns` inside or such a folder itself, or a SQLite file; MLflow's
    own spelling (`file:...`, `sqlite:///...`) is understood. Tags that MLflow sets itself are left out. Raises
    `ImportFailed` where nothing is found, or several experiments are and none was named.
    """
    url = urlsplit(place)
    if url.scheme in ("http", "https"):
        with _Server(place) as server:
            return _chosen(server.experiments(), experiment, place)
    path = Path(unquote(url.path) if url.scheme == "file" else place.removeprefix("sqlite:///"))
    if path.is_dir():
        inside = path / "mlruns"
        return _chosen(_folder(inside if inside.is_dir() else path), experiment, place)
    if not path.is_file():
        raise ImportFailed(f"{place} is neither a server's URL, nor a folder, nor a SQLite file")
    try:
        with closing(sqlite3.connect(f"file:{path.resolve().as_posix()}?mode=ro", uri=True)) as database:
            return _chosen(_database(database), experiment, place)
    except sqlite3.DatabaseError as error:
        raise ImportFailed(f"{place} is no SQLite file of MLflow: {error}") from None


def _chosen(found: Iterator[_Experiment], wanted: str | None, place: str) -> list[FoundRun]:
    experiments = list(found)
    if wanted is not None:
        for one in experiments:
            if wanted in (one.name, one.id):
                return one.read()
        names = ", ".join(one.name for one in experiments) or "none"
        raise ImportFailed(f"{place} has no experiment {wanted}; it has: {names}")
    filled = [(one.name, runs) for one in experiments if (runs := one.read())]
    if len(filled) != 1:
        names = ", ".join(name for name, _ in filled)
        said = f"has runs in several experiments: say --experiment NAME, one of: {names}" if filled else "has no runs"
        raise ImportFailed(f"{place} {said}")
    return filled[0][1]


def _run(info: dict[str, Any], params: dict[str, Any], tags: dict[str, Any]) -> FoundRun:
    started = number(info.get("start_time")) or 0.0
    return FoundRun(
        key=info["run_id"],
        name=info.get("run_name") or tags.get("mlflow.runName") or info["run_id"],
        config={name: value_of(value) for name, value in params.items()},
        tags={name: value_of(value) for name, value in tags.items() if not name.startswith("mlflow.")},
        state=STATES.get(info.get("status"), "running"),
        started=started / 1000,
    )


def _take(run: FoundRun, metric: str, points: list[tuple[int, int, float]]) -> None:
    """Take a metric's points (timestamp, step, value) in the order of their times, which is that of their logging."""
    for _, step, value in sorted(points, key=lambda point: point[0]):
        run.add(metric, step, _value(value))


def _value(stored: float | None) -> float:
    """Return a value as it was logged: a database of MLflow's has the largest float for infinity."""
    if stored is None:
        return float("nan")
    return math.copysign(math.inf, stored) if abs(stored) == sys.float_info.max else stored


class _Server:
    """A tracking server. Keys are those of MLflow's own client."""

    def __init__(self, url: str) -> None:
        settings = MlflowSettings()
        headers = {"Authorization": f"Bearer {settings.token}"} if settings.token else {}
        basic = (settings.username, settings.password) if settings.username else None
        self._url = url.rstrip("/")
        self._http = httpx.Client(headers=headers, auth=basic, timeout=60)

    def __enter__(self) -> "_Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def _call(self, method: str, path: str, **asked: Any) -> dict[str, Any]:
        params, body = (asked, None) if method == "GET" else (None, asked)
        try:
            answer = self._http.request(method, f"{self._url}/api/2.0/mlflow/{path}", params=params, json=body)
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ImportFailed(f"no tracking server of MLflow answers at {self._url}: {error}") from None
        if answer.status_code >= 400:
            said = told.get("message") or told.get("error_code") if isinstance(told, dict) else told
            raise ImportFailed(f"{self._url} refuses {path} ({answer.status_code}): {said}")
        return dict(told)

    def _pages(self, method: str, path: str, items: str, **asked: Any) -> Iterator[dict[str, Any]]:
        while True:
            answer = self._call(method, path, **asked)
            yield from answer.get(items, ())
            token = answer.get("next_page_token")
            if not token:
                return
            asked["page_token"] = token

    def experiments(self) -> Iterator[_Experiment]:
        for one in self._pages("POST", "experiments/search", "experiments", max_results=MANY):
            identity = one["experiment_id"]
            yield _Experiment(identity, one["name"], lambda identity=identity: self._runs(identity))  # type: ignore[misc]

    def _runs(self, experiment: str) -> list[FoundRun]:
        found = self._pages("POST", "runs/search", "runs", experiment_ids=[experiment], max_results=MANY)
        return [self._run(one["info"], one.get("data", {})) for one in found]

    def _run(self, info: dict[str, Any], data: dict[str, Any]) -> FoundRun:
        params, tags = ({p["key"]: p["value"] for p in data.get(name, ())} for name in ("params", "tags"))
        run = _run(info, params, tags)
        for metric in data.get("metrics", ()):
            asked = {"run_id": run.key, "metric_key": metric["key"], "max_results": 25_000}
            points = [
                (int(p.get("timestamp", 0)), int(p.get("step", 0)), float(p["value"]))
                for p in self._pages("GET", "metrics/get-history", "metrics", **asked)
            ]
            _take(run, metric["key"], points)
        return run


def _folder(root: Path) -> Iterator[_Experiment]:
    for meta in sorted(root.glob("*/meta.yaml")):
        told = _meta(meta)
        if meta.parent.name != ".trash" and told.get("lifecycle_stage", "active") == "active":
            place = meta.parent
            identity, name = str(told.get("experiment_id", place.name)), str(told.get("name", place.name))
            yield _Experiment(identity, name, lambda p=place: _folder_runs(p))  # type: ignore[misc]


def _folder_runs(experiment: Path) -> list[FoundRun]:
    found = []
    for meta in sorted(experiment.glob("*/meta.yaml")):
        info = _meta(meta)
        if "run_id" not in info or info.get("lifecycle_stage", "active") != "active":
            continue
        params, tags = ({name: _text(path) for name, path in _files(meta.parent / part)} for part in ("params", "tags"))
        run = _run(info, params, tags)
        for name, path in _files(meta.parent / "metrics"):
            *lines, rest = _text(path).split("\n")
            lines = [line for line in lines if line.strip()]
            points = [point for line in lines if (point := _point(line)) is not None]
            left = len(lines) - len(points) + bool(rest)
            if left:
                run.notes.append(f"{path}: {left:,} lines are no points (time, value, step), and are left out")
            _take(run, name, points)
        found.append(run)
    return sorted(found, key=lambda run: run.started)


def _meta(path: Path) -> dict[str, Any]:
    """Return what a meta.yaml says. Raises `ImportFailed` with its name where it says nothing."""
    try:
        told = yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        raise ImportFailed(f"{path} is no YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(told, dict):
        raise ImportFailed(f"{path} says nothing: restore it, or take its folder away")
    return told


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _point(line: str) -> tuple[int, int, float] | None:
    """Return time, step and value of a line, None for one that has none; MLflow 1.0 and before had no steps."""
    row = line.split()
    try:
        time, step = int(row[0]), int(row[2]) if len(row) > 2 else 0
        return (time, step, float(row[1])) if abs(step) < 2**63 else None
    except (ValueError, IndexError):
        return None


def _files(folder: Path) -> list[tuple[str, Path]]:
    """Return the files below a folder by name; a name with slashes lies in folders."""
    return sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file())


def _database(database: sqlite3.Connection) -> Iterator[_Experiment]:
    active = "SELECT experiment_id, name FROM experiments WHERE lifecycle_stage = 'active' ORDER BY experiment_id"
    for identity, name in database.execute(active).fetchall():
        yield _Experiment(str(identity), name, lambda i=identity: _database_runs(database, i))  # type: ignore[misc]


def _database_runs(database: sqlite3.Connection, experiment: int) -> list[FoundRun]:
    of = "run_uuid IN (SELECT run_uuid FROM runs WHERE experiment_id = ? AND lifecycle_stage = 'active')"
    told: dict[str, dict[str, dict[str, Any]]] = {}
    for table in ("params", "tags"):
        asked = f"SELECT run_uuid, key, value FROM {table} WHERE {of}"  # noqa: S608 two names of ours
        for run_id, key, value in database.execute(asked, (experiment,)):
            told.setdefault(run_id, {"params": {}, "tags": {}})[table][key] = value
    runs = {}
    rows = database.execute(
        "SELECT run_uuid, name, status, start_time FROM runs "
        "WHERE experiment_id = ? AND lifecycle_stage = 'active' ORDER BY start_time, run_uuid",
        (experiment,),
    )
    for run_id, name, status, started in rows:
        info = {"run_id": run_id, "run_name": name, "status": status, "start_time": started}
        mine = told.get(run_id, {"params": {}, "tags": {}})
        runs[run_id] = _run(info, mine["params"], mine["tags"])
    points = database.execute(
        f"SELECT run_uuid, key, step, CASE WHEN is_nan THEN NULL ELSE value END FROM metrics WHERE {of} "  # noqa: S608
        "ORDER BY timestamp, rowid",
        (experiment,),
    )
    for run_id, key, step, value in points:
        runs[run_id].add(key, step, _value(value))
    return list(runs.values())
