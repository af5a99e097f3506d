"""Runs and their series."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from api.deps import ArmFilter, Chosen, ExperimentToRead, Id, Reading, SeedFilter
from api.responses import REVALIDATED, etag, plain, unchanged
from api.schemas import MetricsOut, RunList, RunOut
from core.errors import InvalidSpec, Problem
from core.experiments.queries import read

router = APIRouter(tags=["runs"])

MOST_POINTS = 5_000_000
"""Of one answer: about 100 MB of JSON."""


class Wanted(Chosen):
    """The query parameters that choose series, and a part of each."""

    first: int | None = Field(None, ge=0, lt=2**53, description="the first step wanted")
    last: int | None = Field(None, ge=0, lt=2**53, description="the last step wanted")
    max_points: int | None = Field(None, ge=4, le=1_000_000, description="thin each series, keeping its spikes")


@router.get("/experiments/{experiment_id}/runs")
def index(one: ExperimentToRead, session: Reading, arm: ArmFilter = None, seed: SeedFilter = None) -> RunList:
    """Return the runs, in the order of the arms and seeds of the spec."""
    return RunList(items=[RunOut.of(run) for run in read.runs(session, one.id, arm, seed)])


@router.get("/runs/{run_id}")
def show(run_id: Id, session: Reading) -> RunOut:
    """Return one run."""
    return RunOut.of(read.run(session, run_id))


@router.get("/experiments/{experiment_id}/metrics", response_model=MetricsOut, responses=REVALIDATED)
def experiment_metrics(
    one: ExperimentToRead, session: Reading, request: Request, wanted: Annotated[Wanted, Query()]
) -> Response:
    """Return the series of an experiment's runs, by column."""
    return _series(session, request, one.id, wanted)


@router.get("/runs/{run_id}/metrics", response_model=MetricsOut, responses=REVALIDATED)
def run_metrics(run_id: Id, session: Reading, request: Request, wanted: Annotated[Wanted, Query()]) -> Response:
    """Return the series of one run, by column."""
    return _series(session, request, read.run(session, run_id).experiment_id, wanted, run_id=run_id)


def _series(session: Session, request: Request, experiment_id: int, wanted: Wanted, **more: Any) -> Response:
    wanted.check()
    tag = etag(read.version(session, experiment_id), wanted, more)
    answer = unchanged(request, tag)
    if answer is None:
        asked = wanted.model_dump(exclude={"metric", "max_points"}) | more
        series = []
        points = 0
        for one in read.series(session, experiment_id, metrics=wanted.metric or None, **asked):
            series.append(read.as_json(one, wanted.max_points))
            points += len(series[-1]["steps"])
            if points > MOST_POINTS:
                advice = "thin the series with max_points, or ask for fewer by metric, arm, seed, first and last"
                raise InvalidSpec([Problem("max_points", f"the answer has more than {MOST_POINTS:,} points: {advice}")])
        answer = plain({"series": series}, tag)
    return answer
