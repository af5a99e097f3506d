"""Files and models that MLflow's clients send: taken, since autologging would give up without, and not kept."""

from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException

from api.auth import MAX_UPLOAD
from api.callers import Caller
from api.deps import CallerDep, Reading, Service, ServiceDep
from api.mlflow import answers
from api.mlflow.access import check
from api.mlflow.bodies import CreateModel
from api.mlflow_paths import ARTIFACTS, PREFIX
from core.experiments.requests import mlflow

NOT_KEPT = "initlab keeps numbers: models and artifacts are not stored here. Log them elsewhere"

models = APIRouter(prefix=PREFIX)
Answer = dict[str, Any]


@models.post("/runs/outputs")
@models.post("/logged-models/{model_id}/params")
@models.patch("/logged-models/{model_id}/tags")
def log_outputs() -> Answer:
    """Take what is said of models, and keep nothing."""
    return {}


@models.post("/logged-models")
def create_model(body: CreateModel, session: Reading, caller: CallerDep) -> Answer:
    """Return a model of a run, of which nothing is kept: autologging makes one before it logs anything else."""
    _, one = mlflow.run(session, body.source_run_id, caller.hidden)
    return {"model": answers.model(one, body.name)}


@models.get("/logged-models/{model_id}")
@models.patch("/logged-models/{model_id}")
def get_model(model_id: str, session: Reading, caller: CallerDep) -> Answer:
    """Return the model of a run, by its id."""
    _, one = mlflow.run(session, model_id.removeprefix(answers.MODEL), caller.hidden)
    return {"model": answers.model(one, "model", ready=True)}


artifacts = APIRouter(prefix=ARTIFACTS)


@artifacts.get("/artifacts")
@artifacts.get("/artifacts/")
def list_no_artifacts() -> Answer:
    """Return that there are none."""
    return {"files": []}


@artifacts.put("/artifacts/{of}/{logged}/artifacts/{path:path}", max_body_size=MAX_UPLOAD)
async def drop_artifact(logged: str, path: str, request: Request, service: ServiceDep, caller: CallerDep) -> Answer:
    """Take a file and keep its name alone, in the run's tag `initlab.artifacts`.

    Autologging draws a picture before it logs what it has measured, and gives up where that is refused.
    """
    async for _ in request.stream():
        pass
    await run_sync(_note_artifact, service, caller, logged, path)
    return {}


def _note_artifact(service: Service, caller: Caller, run_id: str, path: str) -> None:
    with service.database.transaction() as session:
        of, _ = mlflow.run(session, run_id, caller.hidden)
        check(caller, of)
        mlflow.note_artifact(session, run_id, path)


@artifacts.api_route("/artifacts/{path:path}", methods=["GET", "PUT", "DELETE"])
def no_artifact(path: str) -> Answer:
    """Refuse to give what was not kept."""
    raise HTTPException(404, f"{path[:100]}: {NOT_KEPT}")
