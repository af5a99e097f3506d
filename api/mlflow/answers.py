"""Answers as MLflow's clients expect them: experiments, runs, points and errors."""

import json
import math
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.store import MlflowExperiment, MlflowPoint, MlflowRun

MODEL = "m-"
"""The beginning of a model's id."""
PROBLEM = b"application/problem+json"
CODES: Mapping[int, tuple[int, str]] = {
    400: (400, "BAD_REQUEST"),
    401: (401, "UNAUTHENTICATED"),
    403: (403, "PERMISSION_DENIED"),
    404: (404, "RESOURCE_DOES_NOT_EXIST"),
    405: (405, "ENDPOINT_NOT_FOUND"),
    409: (400, "RESOURCE_ALREADY_EXISTS"),
    413: (413, "INVALID_PARAMETER_VALUE"),
    415: (415, "INVALID_PARAMETER_VALUE"),
    422: (400, "INVALID_PARAMETER_VALUE"),
    429: (429, "REQUEST_LIMIT_EXCEEDED"),
    501: (501, "NOT_IMPLEMENTED"),
    503: (503, "TEMPORARILY_UNAVAILABLE"),
    507: (503, "RESOURCE_LIMIT_EXCEEDED"),
}
"""The status and the `error_code` with which MLflow's server says what a problem of ours says by its status."""


def experiment(one: MlflowExperiment) -> dict[str, Any]:
    """Return an experiment. The tag `initlab.experiment` has the id of that in which its runs are judged."""
    judged = {} if one.experiment_id is None else {"initlab.experiment": str(one.experiment_id)}
    return {
        "experiment_id": str(one.id),
        "name": one.name,
        "artifact_location": f"mlflow-artifacts:/{one.id}",
        "lifecycle_stage": "deleted" if one.deleted else "active",
        "creation_time": one.created,
        "last_update_time": one.updated,
        "tags": _pairs(one.tags | judged),
    }


def run(one: MlflowRun) -> dict[str, Any]:
    """Return a run with what was logged of it, of each metric the last point."""
    info = {
        "run_id": one.id,
        "run_uuid": one.id,
        "run_name": one.name,
        "experiment_id": str(one.of),
        "user_id": one.user,
        "status": one.said,
        "start_time": one.started,
        "artifact_uri": f"mlflow-artifacts:/{one.of}/{one.id}/artifacts",
        "lifecycle_stage": "deleted" if one.deleted else "active",
    } | ({} if one.ended is None else {"end_time": one.ended})
    judged = {} if one.run_id is None else {"initlab.run": str(one.run_id)}
    metrics = [
        {"key": key, "value": number(last["value"]), "timestamp": last["timestamp"], "step": last["step"]}
        for key, last in sorted(one.latest.items())
    ]
    data = {"metrics": metrics, "params": _pairs(one.params), "tags": _pairs(one.tags | judged)}
    return {"info": info, "data": data, "inputs": {"dataset_inputs": one.inputs}}


def model(one: MlflowRun, name: str, *, ready: bool = False) -> dict[str, Any]:
    """Return a model of a run as MLflow's clients read it; its id is that of the run, for nothing is kept of it."""
    info = {
        "model_id": f"{MODEL}{one.id}",
        "experiment_id": str(one.of),
        "name": name,
        "creation_timestamp_ms": one.started,
        "last_updated_timestamp_ms": one.started,
        "artifact_uri": f"mlflow-artifacts:/{one.of}/{one.id}/artifacts/models",
        "status": "LOGGED_MODEL_READY" if ready else "LOGGED_MODEL_PENDING",
        "source_run_id": one.id,
    }
    return {"info": info, "data": {}}


def point(one: MlflowPoint) -> dict[str, Any]:
    """Return one point of a history."""
    value = None if one.nan else one.value
    return {"key": one.key, "value": number(value), "timestamp": one.timestamp, "step": one.step}


def number(value: float | None) -> float | str:
    """Return a number as protobuf's JSON has it; None is NaN."""
    if value is None or math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


def facts(one: MlflowRun) -> dict[str, dict[str, Any]]:
    """Return what filters and orders ask about a run."""
    return {
        "metrics": {key: math.nan if last["value"] is None else last["value"] for key, last in one.latest.items()},
        "params": one.params,
        "tags": one.tags,
        "attributes": {
            "run_id": one.id,
            "run_name": one.name,
            "status": one.said,
            "start_time": one.started,
            "end_time": one.ended,
            "user_id": one.user,
            "artifact_uri": f"mlflow-artifacts:/{one.of}/{one.id}/artifacts",
        },
    }


def facts_of_experiment(one: MlflowExperiment) -> dict[str, dict[str, Any]]:
    """Return what filters and orders ask about an experiment."""
    attributes = {"name": one.name, "creation_time": one.created, "last_update_time": one.updated}
    return {"metrics": {}, "params": {}, "tags": one.tags, "attributes": attributes | {"experiment_id": one.id}}


class MlflowErrorsMiddleware:
    """ASGI middleware that says the problems of this service as MLflow's clients read them, below the door's path."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        self._app = app
        self._base = f"{base}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._base):
            await self._app(scope, receive, send)
            return
        held: list[Message] = []

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_problem(message):
                held.append(message)
            elif not held:
                await send(message)
            else:
                held.append(message)
                if not message.get("more_body"):
                    await _translated(held)(scope, receive, send)

        await self._app(scope, receive, answer)


def _is_problem(message: Message) -> bool:
    return any(name == b"content-type" and value.startswith(PROBLEM) for name, value in message["headers"])


def _translated(held: list[Message]) -> Response:
    start, *parts = held
    told = json.loads(b"".join(part.get("body", b"") for part in parts))
    status, code = CODES.get(start["status"], (500, "INTERNAL_ERROR"))
    if start["status"] == 404 and told["detail"] == "Not Found":
        code, told["detail"] = (
            "ENDPOINT_NOT_FOUND",
            "this door has no such call: it takes experiments, runs and metrics",
        )
    body = {"error_code": code, "message": told["detail"] or told["title"]}
    kept = {
        name.decode(): value.decode()
        for name, value in start["headers"]
        if name in (b"retry-after", b"www-authenticate", b"allow", b"ratelimit", b"ratelimit-policy", b"x-request-id")
    }
    return Response(json.dumps(body), status, headers=kept, media_type="application/json")


def _pairs(named: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"key": key, "value": str(value)} for key, value in named.items()]
