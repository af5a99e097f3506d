"""Requests of MLflow's clients: experiments and runs that grow as they come, judged as external experiments."""

from core.experiments.requests.mlflow.experiments import (
    create_experiment,
    experiment,
    experiment_by_name,
    experiments,
    rename,
    set_deleted,
    set_experiment_tag,
)
from core.experiments.requests.mlflow.judging import comparable
from core.experiments.requests.mlflow.points import Logged, history, log
from core.experiments.requests.mlflow.runs import (
    NewRun,
    create_run,
    delete_tag,
    end_or_rename,
    log_inputs,
    note_artifact,
    run,
    runs_of,
)
from core.experiments.requests.mlflow.runs import set_deleted as set_run_deleted
from core.experiments.requests.mlflow.search import Order, matches, order_of, parse_filter

__all__ = [
    "Logged",
    "NewRun",
    "Order",
    "comparable",
    "create_experiment",
    "create_run",
    "delete_tag",
    "end_or_rename",
    "experiment",
    "experiment_by_name",
    "experiments",
    "history",
    "log",
    "log_inputs",
    "matches",
    "note_artifact",
    "order_of",
    "parse_filter",
    "rename",
    "run",
    "runs_of",
    "set_deleted",
    "set_experiment_tag",
    "set_run_deleted",
]
