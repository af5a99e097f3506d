"""Sends an experiment to an MLflow tracking server by its REST API, without MLflow's client.

Source: MLflow's REST API 2.0 (experiments, runs, log-batch).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx2 as httpx

from initlab.errors import ClientError, Unreachable
from initlab.experiment import Experiment
from initlab.exports.tables import Run, number, runs_of

API = "/api/2.0/mlflow"
MOST_METRICS, MOST_PARAMS = 1000, 100
"""Of one `log-batch`."""
LONGEST = 6000
"""Characters of a parameter's value."""
OURS = "initlab.run"
"""The tag that names a run's place on its initlab server, by which it is known again."""
ENDED = {"failed": "FAILED", "cancelled": "KILLED"}
SECONDS = 60.0
Points = list[dict[str, Any]]


def send_to_mlflow(experiment: Experiment, output: str | None) -> str:
    """Send an experiment to the MLflow server at `output`, and return the address that shows it.

    Its runs are those of an MLflow experiment `NAME (initlab ID)`: arm and seed are tags and parameters, as are the
    arm's settings. Runs that were sent before are left as they are, and one that was broken off is sent anew. Raises
    `ClientError` for an address that is none, and for what the server refuses.
    """
    if output is None or not output.startswith(("http://", "https://")):
        raise ClientError("say where the MLflow server is: -o http://127.0.0.1:5000")
    with httpx.Client(base_url=output.rstrip("/"), timeout=SECONDS) as http:
        server = _Server(http)
        place = server.experiment(f"{experiment.name} (initlab {experiment.id})")
        known = server.known(place)
        for run in runs_of(experiment):
            ours = f"{experiment.transport.url}/runs/{run.id}"
            there = known.get(ours)
            if there is not None and there["status"] != "RUNNING":
                continue
            if there is not None:
                server.ask("POST", "runs/delete", {"run_id": there["run_id"]})
            _send(server, place, run, ours)
    return f"{output.rstrip('/')}/#/experiments/{place}"


class _Server:
    """The calls of a tracking server that an export needs."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def ask(self, method: str, what: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Make a call, and return its answer."""
        sent: dict[str, Any] = {"params": given} if method == "GET" else {"json": given}
        try:
            answer = self._http.request(method, f"{API}/{what}", **sent)
        except httpx.TransportError as error:
            raise Unreachable(f"No answer from the MLflow server at {self._http.base_url} ({error})") from None
        if answer.status_code >= 400:
            raise ClientError(f"The MLflow server refuses {what} ({answer.status_code}): {answer.text[:500]}")
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def experiment(self, name: str) -> str:
        """Return the id of the experiment of a name, which is made where there is none."""
        quoted = name.replace("'", "''")
        found = self.ask("POST", "experiments/search", {"filter": f"name = '{quoted}'", "max_results": 1})
        if found.get("experiments"):
            return str(found["experiments"][0]["experiment_id"])
        return str(self.ask("POST", "experiments/create", {"name": name})["experiment_id"])

    def known(self, place: str) -> dict[str, dict[str, Any]]:
        """Return the runs of an experiment that an export has made, by the tag that says which they are."""
        found: dict[str, dict[str, Any]] = {}
        token = ""
        while True:
            asked = {"experiment_ids": [place], "max_results": 1000} | ({"page_token": token} if token else {})
            page = self.ask("POST", "runs/search", asked)
            for run in page.get("runs", ()):
                tags = {tag["key"]: tag["value"] for tag in run["data"].get("tags", ())}
                if OURS in tags:
                    found[tags[OURS]] = run["info"]
            token = page.get("next_page_token", "")
            if not token:
                return found


def _send(server: _Server, place: str, run: Run, ours: str) -> None:
    tags = {OURS: ours, "arm": run.arm, "seed": str(run.seed), "outcome": run.outcome, "mlflow.runName": run.name}
    made = server.ask(
        "POST",
        "runs/create",
        {"experiment_id": place, "start_time": _milliseconds(run.started), "run_name": run.name, "tags": _pairs(tags)},
    )
    run_id = made["run"]["info"]["run_id"]
    params = {name: str(value)[:LONGEST] for name, value in {"arm": run.arm, "seed": run.seed, **run.settings}.items()}
    for some in _parts(_pairs(params), MOST_PARAMS):
        server.ask("POST", "runs/log-batch", {"run_id": run_id, "params": some})
    for some in _parts(list(_points(run)), MOST_METRICS):
        server.ask("POST", "runs/log-batch", {"run_id": run_id, "metrics": some})
    ended = {"run_id": run_id, "status": ENDED.get(run.outcome, "FINISHED"), "end_time": _milliseconds(run.ended)}
    server.ask("POST", "runs/update", ended)


def _points(run: Run) -> Iterator[dict[str, Any]]:
    """Yield all points, each at its update: MLflow shows all metrics of a run over one axis."""
    at = run.steps()
    last = max((steps[-1] + 1 for steps in at.values() if steps), default=1)
    for one in run.series:
        for step, value in zip(at[one["metric"]], one["values"], strict=True):
            found = number(value)
            said: float | str = "NaN" if math.isnan(found) else found
            yield {
                "key": one["metric"],
                "value": said,
                "timestamp": _milliseconds(run.time(step, last)),
                "step": step,
            }


def _pairs(values: Mapping[str, str]) -> Points:
    return [{"key": key, "value": value} for key, value in values.items()]


def _parts(items: Sequence[dict[str, Any]], most: int) -> Iterator[Sequence[dict[str, Any]]]:
    return (items[start : start + most] for start in range(0, len(items), most))


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)
