"""The calls of MLflow's door, by the names and with the answers of MLflow's tracking REST API, version 2.0.

https://mlflow.org/docs/latest/api_reference/rest-api.html. They are not in this service's own OpenAPI document:
MLflow's is their description.
"""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from api.deps import CallerDep, Reading, ServiceDep, Writing
from api.mlflow import answers
from api.mlflow.access import check
from api.mlflow.bodies import (
    CreateExperiment,
    CreateRun,
    DeleteTag,
    LogBatch,
    LogInputs,
    LogMetric,
    LogPair,
    OneExperiment,
    OneRun,
    SearchExperiments,
    SearchRuns,
    SetExperimentTag,
    UpdateExperiment,
    UpdateRun,
    pairs,
)
from api.mlflow.paging import page_of, sorted_by
from api.mlflow_paths import PREFIX
from core.errors import InvalidSpec, Problem
from core.experiments.projects import DEFAULT
from core.experiments.requests import mlflow
from core.experiments.requests.mlflow import Logged, NewRun
from core.store import MlflowExperiment, MlflowRun

PROJECT = "initlab.project"
"""The tag with which an experiment is made in a project."""
VIEWS = {"ACTIVE_ONLY": False, "DELETED_ONLY": True, "ALL": None}

router = APIRouter(prefix=PREFIX)
Answer = dict[str, Any]


class Door:
    """One request at the door: who asks, in which transaction."""

    def __init__(self, service: ServiceDep, session: Writing, caller: CallerDep) -> None:
        self.service, self.session, self.caller = service, session, caller

    def experiment(self, asked: str) -> MlflowExperiment:
        """Return an experiment that the caller may change. Raises `NotFound` and `Forbidden`."""
        found = mlflow.experiment(self.session, asked, self.caller.hidden, owner=self.caller.id)
        check(self.caller, found)
        return found

    def run(self, run_id: str) -> tuple[MlflowExperiment, MlflowRun]:
        """Return a run that the caller may change. Raises `NotFound` and `Forbidden`."""
        of, found = mlflow.run(self.session, run_id, self.caller.hidden)
        check(self.caller, of)
        return of, found

    def log(self, run_id: str, **what: Any) -> Answer:
        """Store what was logged of a run."""
        of, _ = self.run(run_id)
        mlflow.log(self.session, run_id, self.service.limits(of.owner), **what)
        return {}


DoorDep = Annotated[Door, Depends(Door, scope="function")]


@router.post("/experiments/create")
def create_experiment(body: CreateExperiment, door: DoorDep) -> Answer:
    """Make an experiment; the tag `initlab.project` says in which project."""
    tags = pairs(body.tags)
    project = tags.get(PROJECT, DEFAULT)
    door.caller.check_may_post(project)
    made = mlflow.create_experiment(door.session, body.name, tags, owner=door.caller.id, project=project)
    return {"experiment_id": str(made.id)}


@router.get("/experiments/get")
def get_experiment(experiment_id: str, door: DoorDep) -> Answer:
    """Return an experiment; that with the id 0 is made when it is first asked for."""
    found = mlflow.experiment(door.session, experiment_id, door.caller.hidden, owner=door.caller.id)
    return {"experiment": answers.experiment(found)}


@router.get("/experiments/get-by-name")
def get_experiment_by_name(experiment_name: str, session: Reading, caller: CallerDep) -> Answer:
    """Return an experiment."""
    return {"experiment": answers.experiment(mlflow.experiment_by_name(session, experiment_name, caller.hidden))}


@router.post("/experiments/search")
def search_experiments(body: SearchExperiments, session: Reading, caller: CallerDep) -> Answer:
    """Return a page of the experiments that meet a filter."""
    conditions = mlflow.parse_filter(body.filter)
    found = mlflow.experiments(session, caller.hidden, deleted=VIEWS[body.view_type])
    there = [(answers.facts_of_experiment(one), one) for one in found]
    kept = sorted_by([pair for pair in there if mlflow.matches(conditions, pair[0])], mlflow.order_of(body.order_by))
    part, following = page_of(kept, body.page_token, body.max_results)
    return {"experiments": [answers.experiment(one) for one in part]} | following


@router.get("/experiments/search")
@router.get("/experiments/list")
def list_experiments(
    session: Reading,
    caller: CallerDep,
    max_results: int = 1_000,
    page_token: str = "",
    filter: str = "",  # noqa: A002 MLflow's word
    view_type: str = "ACTIVE_ONLY",
    order_by: Annotated[list[str], Query()] = [],  # noqa: B006 FastAPI copies it
) -> Answer:
    """Return what the post of the same name does."""
    asked = {"max_results": max_results, "page_token": page_token, "filter": filter, "order_by": order_by}
    return search_experiments(SearchExperiments.model_validate(asked | {"view_type": view_type}), session, caller)


@router.post("/experiments/update")
def update_experiment(body: UpdateExperiment, door: DoorDep) -> Answer:
    """Give an experiment another name."""
    mlflow.rename(door.session, door.experiment(body.experiment_id), body.new_name)
    return {}


@router.post("/experiments/delete")
def delete_experiment(body: OneExperiment, door: DoorDep) -> Answer:
    """Delete an experiment."""
    mlflow.set_deleted(door.session, door.experiment(body.experiment_id), True)
    return {}


@router.post("/experiments/restore")
def restore_experiment(body: OneExperiment, door: DoorDep) -> Answer:
    """Restore an experiment that was deleted."""
    mlflow.set_deleted(door.session, door.experiment(body.experiment_id), False)
    return {}


@router.post("/experiments/set-experiment-tag")
def set_experiment_tag(body: SetExperimentTag, door: DoorDep) -> Answer:
    """Set a tag; `initlab.outcome`, `.direction`, `.margin` and `.baseline` say how runs are judged."""
    mlflow.set_experiment_tag(door.session, door.experiment(body.experiment_id), body.key, body.value)
    return {}


@router.post("/runs/create")
def create_run(body: CreateRun, door: DoorDep) -> Answer:
    """Make a run."""
    of = door.experiment(body.experiment_id)
    started = body.start_time or int(1000 * time.time())
    new = NewRun(body.run_name, body.user_id, started, pairs(body.tags))
    return {"run": answers.run(mlflow.create_run(door.session, of, new))}


@router.get("/runs/get")
def get_run(session: Reading, caller: CallerDep, run_id: str = "", run_uuid: str = "") -> Answer:
    """Return a run."""
    return {"run": answers.run(mlflow.run(session, run_id or run_uuid, caller.hidden)[1])}


@router.post("/runs/update")
def update_run(body: UpdateRun, door: DoorDep) -> Answer:
    """End a run, have it go on, or give it another name."""
    of, _ = door.run(body.id)
    limits = door.service.limits(of.owner)
    run = mlflow.end_or_rename(
        door.session, body.id, limits, status=body.status, ended=body.end_time, name=body.run_name
    )
    return {"run_info": answers.run(run)["info"]}


@router.post("/runs/delete")
def delete_run(body: OneRun, door: DoorDep) -> Answer:
    """Delete a run: it is judged no more."""
    return _set_deleted(body, door, deleted=True)


@router.post("/runs/restore")
def restore_run(body: OneRun, door: DoorDep) -> Answer:
    """Restore a run that was deleted."""
    return _set_deleted(body, door, deleted=False)


def _set_deleted(body: OneRun, door: Door, *, deleted: bool) -> Answer:
    of, _ = door.run(body.id)
    mlflow.set_run_deleted(door.session, body.id, door.service.limits(of.owner), deleted=deleted)
    return {}


@router.post("/runs/search")
def search_runs(body: SearchRuns, session: Reading, caller: CallerDep) -> Answer:
    """Return a page of the runs that meet a filter."""
    conditions, order = mlflow.parse_filter(body.filter), mlflow.order_of(body.order_by)
    ids = [mlflow.experiment(session, one, caller.hidden).id for one in body.experiment_ids if one != "0"]
    if "0" in body.experiment_ids:
        first = [one.id for one in mlflow.experiments(session, caller.hidden, deleted=None) if one.name == "Default"]
        ids += first
    found = [(answers.facts(one), one) for one in mlflow.runs_of(session, ids, deleted=VIEWS[body.run_view_type])]
    kept = sorted_by([pair for pair in found if mlflow.matches(conditions, pair[0])], order)
    part, following = page_of(kept, body.page_token, body.max_results)
    return {"runs": [answers.run(one) for one in part]} | following


@router.post("/runs/log-metric")
def log_metric(body: LogMetric, door: DoorDep) -> Answer:
    """Store one point."""
    return door.log(body.id, metrics=[Logged(body.key, body.value, body.timestamp, body.step)])


@router.post("/runs/log-parameter")
def log_parameter(body: LogPair, door: DoorDep) -> Answer:
    """Store one param."""
    return door.log(body.id, params={body.key: body.value})


@router.post("/runs/set-tag")
def set_tag(body: LogPair, door: DoorDep) -> Answer:
    """Set one tag."""
    return door.log(body.id, tags={body.key: body.value})


@router.post("/runs/delete-tag")
def delete_tag(body: DeleteTag, door: DoorDep) -> Answer:
    """Remove one tag."""
    door.run(body.id)
    mlflow.delete_tag(door.session, body.id, body.key)
    return {}


@router.post("/runs/log-batch")
def log_batch(body: LogBatch, door: DoorDep) -> Answer:
    """Store points, params and tags, all of them or none."""
    metrics = [Logged(one.key, one.value, one.timestamp, one.step) for one in body.metrics]
    return door.log(body.id, metrics=metrics, params=pairs(body.params), tags=pairs(body.tags))


@router.post("/runs/log-inputs")
def log_inputs(body: LogInputs, door: DoorDep) -> Answer:
    """Keep the data sets that a run was given."""
    door.run(body.id)
    mlflow.log_inputs(door.session, body.id, body.datasets)
    return {}


@router.get("/metrics/get-history")
def get_history(
    session: Reading,
    caller: CallerDep,
    metric_key: str,
    run_id: str = "",
    run_uuid: str = "",
    max_results: Annotated[int, Query(ge=1, le=25_000)] = 25_000,
    page_token: str = "",
) -> Answer:
    """Return a page of a metric's points, in the order in which they came."""
    _, of = mlflow.run(session, run_id or run_uuid, caller.hidden)
    if page_token and not (page_token.isascii() and page_token.isdigit()):
        raise InvalidSpec([Problem("page_token", "is none of ours")])
    found = mlflow.history(session, of, metric_key, after=int(page_token or 0), limit=max_results + 1)
    more = {"next_page_token": str(found[max_results - 1].id)} if len(found) > max_results else {}
    return {"metrics": [answers.point(one) for one in found[:max_results]]} | more


@router.get("/artifacts/list")
def list_artifacts(session: Reading, caller: CallerDep, run_id: str = "", run_uuid: str = "") -> Answer:
    """Return that there are none."""
    _, one = mlflow.run(session, run_id or run_uuid, caller.hidden)
    return {"root_uri": answers.run(one)["info"]["artifact_uri"], "files": []}
