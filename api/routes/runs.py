"""Runs and their series."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import etag, plain, unchanged
from api.deps import ArmFilter, ExperimentToRead, Id, Reading, SeedFilter
from api.schemas import MetricsOut, ProblemOut, RunList, RunOut
from core.errors import InvalidSpec
from core.experiments import read
from core.registry import unknown
from core.results import EPOCH_METRICS, STEP_METRICS

router = APIRouter(tags=["runs"], responses={"default": {"model": ProblemOut, "description": "Problem"}})

Metric = Annotated[list[str] | None, Query(description="metrics, repeated; none: all")]
First = Annotated[int | None, Query(ge=0, lt=2**53, description="the first step wanted")]
Last = Annotated[int | None, Query(ge=0, lt=2**53, description="the last step wanted")]
MaxPoints = Annotated[int | None, Query(ge=4, le=1_000_000, description="thin each series, keeping its spikes")]


@router.get("/experiments/{experiment_id}/runs")
def index(one: ExperimentToRead, session: Reading, arm: ArmFilter = None, seed: SeedFilter = None) -> RunList:
    """The runs, in the order of the arms and seeds of the spec."""
    return RunList(items=[RunOut.of(run) for run in read.runs(session, one.id, arm, seed)])


@router.get("/runs/{run_id}")
def show(run_id: Id, session: Reading) -> RunOut:
    """One run."""
    return RunOut.of(read.run(session, run_id))


@router.get("/experiments/{experiment_id}/metrics", response_model=MetricsOut)
def experiment_metrics(
    one: ExperimentToRead,
    session: Reading,
    request: Request,
    metric: Metric = None,
    arm: ArmFilter = None,
    seed: SeedFilter = None,
    first: First = None,
    last: Last = None,
    max_points: MaxPoints = None,
) -> Response:
    """The series of an experiment's runs, by column."""
    _known(metric)
    tag = etag(read.version(session, one.id), request.url.query)
    answer = unchanged(request, tag)
    if answer is None:
        found = read.series(session, one.id, metrics=metric, arm=arm, seed=seed, first=first, last=last)
        answer = plain({"series": [read.as_json(series, max_points) for series in found]}, tag)
    return answer


@router.get("/runs/{run_id}/metrics", response_model=MetricsOut)
def run_metrics(
    run_id: Id,
    session: Reading,
    request: Request,
    metric: Metric = None,
    first: First = None,
    last: Last = None,
    max_points: MaxPoints = None,
) -> Response:
    """The series of one run, by column."""
    _known(metric)
    run = read.run(session, run_id)
    tag = etag(read.version(session, run.experiment_id), request.url.query, run_id)
    answer = unchanged(request, tag)
    if answer is None:
        found = read.series(session, run.experiment_id, metrics=metric, run_id=run.id, first=first, last=last)
        answer = plain({"series": [read.as_json(series, max_points) for series in found]}, tag)
    return answer


def _known(metrics: list[str] | None) -> None:
    known = (*STEP_METRICS, *EPOCH_METRICS)
    problems = [unknown("metric", metric, known, "metric") for metric in metrics or () if metric not in known]
    if problems:
        raise InvalidSpec(problems)
