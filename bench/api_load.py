"""How soon an API answers under load and with years of a lab's experiments in its database, beside MLflow's server.

`python bench/api_load.py [--runs 1000000] [--queued 10000] [--seconds 10] [--only sqlite] [--without-mlflow]` fills a
database (a run has 100 points in five series, an experiment 100 runs), starts an API, and sends lists with every filter
one after another, a finished experiment's report 500 times a second, and posts 100 times a second. A time counts from
when a request was due. MLflow's server gets the calls that come nearest, at the same rates, on an empty database of the
same kind. It writes bench/records/api_load.json. Databases of PostgreSQL are made as bench/store.py makes them.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow_server
import record
from alone import api
from load import Loaded, Sent, load, one_by_one
from store import new_database
from stored import AT, RUNS_EACH, fill

from core.store import Database, upgrade

TO_REACH = {"posts": ("p99", 50.0), "cached report": ("p99", 10.0), "lists": ("p95", 50.0)}
"""Milliseconds."""
POSTS, READS = 100.0, 500.0
"""Requests a second."""
MLFLOW_SECONDS = 4.0
"""Of MLflow's loads at most: what it cannot keep up with piles up, and is waited for."""
TIMES = 15
"""Requests of each list."""
SPEC = {"model": {"name": "mlp", "hidden": [16]}, "epochs": 1, "seeds": 2, "arms": [{"initializer": "he_normal"}]}
LISTS = {
    "all": "",
    "oldest": "sort=oldest",
    "status queued": "status=queued",
    "status succeeded": "status=succeeded",
    "several statuses": "status=failed&status=running",
    "tag": "tag=tag%203",
    "tag and status": "tag=tag%203&status=failed",
    "a part of the name": "name=cifar%200001",
    "no such name": "name=nothing%20like%20it",
    "owner": "owner=lab%203",
    "owner and status": "owner=lab%203&status=succeeded",
    "a span of time": "created_after={after}&created_before={before}",
    "the middle": "cursor={middle}",
}


def asked() -> argparse.Namespace:
    """Return the command line's arguments."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=1_000_000, help="that have ended, 100 points each")
    arguments.add_argument("--queued", type=int, default=10_000, help="experiments that wait, of 4 runs each")
    arguments.add_argument("--seconds", type=float, default=10.0, help="of each load at a steady rate")
    arguments.add_argument("--only", choices=["sqlite", "postgresql"])
    arguments.add_argument("--without-mlflow", action="store_true")
    return arguments.parse_args()


def lists(port: int, experiments: int) -> dict[str, Loaded]:
    """Ask for each list, a page of 50, one request after another; and for pages of an experiment's runs."""
    moments = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(AT + 60 * experiments * part)) for part in (0.4, 0.5))
    words = dict(zip(("after", "before"), moments, strict=True)) | {"middle": str(experiments // 2)}
    paths = {name: f"/experiments?{query.format(**words)}" for name, query in LISTS.items()}
    paths["runs of one"] = f"/experiments/{experiments // 2}/runs?limit=100"
    found = {}
    for name, path in paths.items():
        request = [Sent("GET", path)]
        one_by_one(port, request)
        found[name] = one_by_one(port, request * TIMES)
    return found


def ours(kind: str, given: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the database holds, and the times of each load."""
    with tempfile.TemporaryDirectory() as name, new_database(kind, Path(name)) as url:
        database = Database(url)
        upgrade(database.engine)
        holds = fill(database, given.runs // RUNS_EACH, given.queued)
        database.dispose()
        experiments = holds["experiments"]
        with api(url, Path(name)) as (port, _):
            every = lists(port, experiments)
            report = Sent("GET", f"/experiments/{experiments // 2}/report", headers=[("Accept", "application/json")])
            one_by_one(port, [report] * 2)
            cached = load(port, lambda _: report, READS, given.seconds)
            post = Sent("POST", "/experiments", json.dumps(SPEC).encode())
            one_by_one(port, [post] * 20)
            posts = load(port, lambda _: post, POSTS, given.seconds)
        together = Loaded([one for found in every.values() for one in found.seconds], _refused(every))
    rows = {"posts": posts.row(), "cached report": cached.row(), "lists": together.row()}
    return holds, rows | {f"list: {name}": found.row() for name, found in every.items()}


def theirs(kind: str, seconds: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the times of MLflow's server: new runs, one run again and again, and searches among what there is then."""
    with (
        tempfile.TemporaryDirectory() as name,
        new_database(kind, Path(name), "mlflow") as url,
        mlflow_server.server(url.replace("+psycopg", "+psycopg2"), Path(name)) as port,
    ):
        seconds = min(seconds, MLFLOW_SECONDS)
        run = mlflow_server.new_run(port)
        new = Sent("POST", "/api/2.0/mlflow/runs/create", b'{"experiment_id": "0", "start_time": 1}')
        posts = load(port, lambda _: new, POSTS, seconds)
        one = Sent("GET", f"/api/2.0/mlflow/runs/get?run_id={run}")
        reads = load(port, lambda _: one, READS, seconds)
        body = {"experiment_ids": ["0"], "max_results": 50, "filter": "attributes.status = 'RUNNING'"}
        search = one_by_one(port, [Sent("POST", "/api/2.0/mlflow/runs/search", json.dumps(body).encode())] * TIMES)
    rows = {"posts": posts.row(), "cached report": reads.row(), "lists": search.row()}
    holds = {"runs": len(posts.seconds) + 1, "points": 0}
    return holds, rows | {"cannot": "a report, queued work: `cached report` is runs/get, `lists` runs/search by status"}


def _refused(found: Mapping[str, Loaded]) -> int:
    return sum(one.refused for one in found.values())


def main() -> None:
    given = asked()
    version = None if given.without_mlflow else mlflow_server.install()
    rows: dict[str, Any] = {}
    for kind in ("sqlite", "postgresql"):
        if given.only not in (None, kind):
            continue
        for name in (kind, f"mlflow on {kind}"):
            if name == kind or version is not None:
                holds, times = ours(kind, given) if name == kind else theirs(kind, given.seconds)
                rows[name] = {"holds": holds, "ms": times}
                show(name, holds, times)
    record.write("api_load", mlflow=version, unit="ms", to_reach=TO_REACH, rows=rows)


def show(name: str, holds: Mapping[str, Any], times: Mapping[str, Any]) -> None:
    """Print the times of a database, and whether ours are what they are to be."""
    print(f"\n{name}: {holds}")
    for what, row in times.items():
        bound = TO_REACH.get(what) if not name.startswith("mlflow") else None
        words = ""
        if bound is not None:
            reached = row[bound[0]] <= bound[1] and not row["refused"]
            words = f"   {bound[0]} <= {bound[1]:g}: {'reached' if reached else 'MISSED'}"
        print(f"  {what:28} {row}{words}")


if __name__ == "__main__":
    main()
