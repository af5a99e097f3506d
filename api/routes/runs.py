"""Runs and their series."""

from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import jobs
from api.deps import ArmFilter, Chosen, ExperimentToRead, Id, Reading, SeedFilter, Service, ServiceDep, StatusName
from api.file_answers import from_file
from api.policies import NEVER_CHANGES
from api.responses import REVALIDATED, etag, preferred, revalidated, unchanged
from api.run_schemas import RunList, RunOut
from api.schemas import MetricsOut
from api.series import FORMS, MEDIA, Form, refuse_idle_means, refuse_too_many, write_series
from core.experiments.cohorts.designs import is_external
from core.experiments.cohorts.states import FINAL
from core.experiments.queries import read
from core.experiments.queries.series import extent, refuse_unknown_metrics, refuse_unknown_run

router = APIRouter(tags=["runs"])

MOST_RUNS = 20_000
"""Of one page: all that an experiment may have, second trainings too."""
SECONDS = 60.0
"""For many points."""
FEW_POINTS, FEW_READ = 200_000, 3_000_000
"""Points of an answer, and those that it is thinned from, which are made here, in a fraction of a second; an answer of
more is made by another process."""
SERIES: dict[int | str, dict[str, Any]] = REVALIDATED | {
    200: {
        "description": "The series, by column; as CSV, Parquet or an Arrow stream a table of one point a row",
        "content": {MEDIA["csv"]: {"schema": {"type": "string"}}, MEDIA["parquet"]: {}, MEDIA["arrow"]: {}},
    }
}


class Wanted(Chosen):
    """The query parameters that choose series, and a part of each."""

    first: int | None = Field(None, ge=0, lt=2**53, description="the first step wanted")
    last: int | None = Field(None, ge=0, lt=2**53, description="the last step wanted")
    max_points: int | None = Field(None, ge=4, le=1_000_000, description="thin each series, keeping its spikes")
    means: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="of each series that `max_points` thins also the means of at most so many parts: what is kept of it"
        " are its extremes, whose mean is not that of the series. JSON only",
    )
    repeat: bool = Field(False, description="the series of second trainings, instead of those of the first")
    format: Form | None = Field(None, description="json, csv, parquet or arrow; none: as `Accept` says")


@router.get("/experiments/{experiment_id}/runs", response_model=RunList, responses=REVALIDATED)
def list_runs(
    one: ExperimentToRead,
    session: Reading,
    request: Request,
    arm: ArmFilter = None,
    seed: SeedFilter = None,
    repeat: Annotated[bool | None, Query(description="second trainings alone, or first ones")] = None,
    status: Annotated[list[StatusName], Query(description="any of these, repeated; none: all")] = [],  # noqa: B006 FastAPI copies it
    limit: Annotated[int, Query(ge=1, le=MOST_RUNS)] = MOST_RUNS,
    cursor: Annotated[int, Query(ge=0, lt=2**63, description="`next` of the page before")] = 0,
) -> Response:
    """Return a page of the runs, by the spec's arms and seeds, second trainings last; `total` is that of all pages."""
    refuse_unknown_run(session, one, arm, seed)
    mine = one.id, arm, seed, repeat
    found, following, total = read.page_of_runs(session, *mine, status=status, limit=limit, cursor=cursor)
    return revalidated(request, RunList(items=[RunOut.of(run) for run in found], next=following, total=total))


@router.get("/runs/{run_id}", response_model=RunOut, responses=REVALIDATED)
def get_run(run_id: Id, session: Reading, request: Request) -> Response:
    """Return one run."""
    return revalidated(request, RunOut.of(read.run(session, run_id)))


@router.get("/experiments/{experiment_id}/metrics", response_model=MetricsOut, responses=SERIES)
async def get_experiment_metrics(
    experiment_id: Id, service: ServiceDep, request: Request, wanted: Annotated[Wanted, Query()]
) -> Response:
    """Return the series of an experiment's runs, by column."""
    return await _series(service, request, wanted, experiment_id)


@router.get("/runs/{run_id}/metrics", response_model=MetricsOut, responses=SERIES)
async def get_run_metrics(
    run_id: Id, service: ServiceDep, request: Request, wanted: Annotated[Wanted, Query()]
) -> Response:
    """Return the series of one run, by column."""
    return await _series(service, request, wanted, None, run_id)


async def _series(
    service: Service, request: Request, wanted: Wanted, experiment_id: int | None, run_id: int | None = None
) -> Response:
    """Answer at once with a few points; have a process of the pool write many into a file, and send that."""
    asked: dict[str, Any] = wanted.model_dump(exclude={"metric", "format"})
    asked |= {"metrics": wanted.metric or None, "run_id": run_id}
    accepted = preferred(request, [*MEDIA.values()])
    form = wanted.format or FORMS[accepted]
    if wanted.means is not None:
        refuse_idle_means(form, wanted.max_points)
    answer = await run_sync(_few, service, request, wanted, asked, form, experiment_id)
    if isinstance(answer, Response):
        return answer
    found, headers = answer

    async def write(path: Path) -> None:
        await service.pool.run(SECONDS, jobs.series, path, found, form, asked)

    return await from_file(write, MEDIA[form], headers)


def _few(
    service: Service,
    request: Request,
    wanted: Wanted,
    asked: dict[str, Any],
    form: Form,
    experiment_id: int | None,
) -> Response | tuple[int, dict[str, str]]:
    """Return the answer, or the experiment and the headers of one of too many points for here. Raises `NotFound`."""
    with service.database.reading() as session:
        if experiment_id is None:
            run = read.run(session, asked["run_id"])
            experiment_id, asked["repeat"] = run.experiment_id, run.repeat
        one = read.experiment(session, experiment_id)
        refuse_unknown_metrics(one, wanted.metric)
        refuse_unknown_run(session, one, wanted.arm, wanted.seed)
        tag = etag(read.version(session, one.id), form, asked)
        stays = one.status in FINAL and not is_external(one)  # of which more may be declared
        headers = {"ETag": tag, "Vary": "Accept"} | (NEVER_CHANGES if stays else {})
        known = unchanged(request, tag)
        if known is not None:
            known.headers.update(headers)
            return known
        stored, answered = extent(session, experiment_id, **asked)
        refuse_too_many(answered, form)
        if answered > FEW_POINTS or stored > FEW_READ:
            return experiment_id, headers
        out = BytesIO()
        write_series(out, session, experiment_id, form, **asked)
    return Response(out.getvalue(), media_type=MEDIA[form], headers=headers)
