"""The models of requests and answers, which clients rely on."""

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from fastapi import UploadFile
from pydantic import BaseModel, BeforeValidator, Field

from api.look_schemas import LookOut
from core.datasets import About, Options
from core.experiments.queries.progress import ArmProgress, Progress
from core.store import Experiment


def _instant(seconds: object) -> object:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else seconds


LINKS = ("runs", "metrics", "plots", "report", "history", "events")
Instant = Annotated[datetime, BeforeValidator(_instant)]
"""RFC 3339, UTC."""


class ProgressOut(BaseModel):
    """The progress of an experiment. `runs_done` have ended in any way; `runs_cancelled` of them were cancelled."""

    steps_done: int
    steps_total: int
    runs_done: int
    runs_total: int
    runs_cancelled: int
    eta_seconds: float | None


class WarningOut(BaseModel):
    """One thing in a spec, or with an empty path in its results, that is probably a mistake; it refuses nothing."""

    path: str
    message: str


class WantedRunOut(BaseModel):
    """A run that somebody is to train elsewhere."""

    run: int
    arm: str
    seed: int


class ExperimentOut(BaseModel):
    """One experiment. `cancelling` until its workers have heard; `errors` are the reasons of failed runs.

    `name` and `tags` may have been edited since: `spec` has them as they were posted. `warnings` say what of its spec
    is probably not meant, and which arms have no result because all their runs diverged; they refuse nothing. `looks`
    are those at adaptive seeds: until there is no further one, runs and steps in all are the most that there may be.
    `next` are the first hundred runs of an external one that are wanted now, seed by seed; how many updates its runs
    have is foreseen from the longest so far, where the spec does not say it.
    """

    id: int
    name: str
    owner: str | None
    project: str
    tags: list[str]
    notes: str
    status: str
    attempt: int
    cancelling: bool
    paused: bool
    errors: list[str]
    created_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    spec: dict[str, Any]
    arms: list[ArmProgress]
    steps_per_epoch: list[int] = Field(description="of each arm, in the order of `arms`")
    progress: ProgressOut
    warnings: list[WarningOut]
    looks: list[LookOut]
    next: list[WantedRunOut]
    links: dict[str, str]

    @classmethod
    def of(cls, one: Experiment, progress: Progress) -> Self:
        here = f"/experiments/{one.id}"
        own = ("id", "name", "notes", "owner", "project", "status", "spec", "steps_per_epoch")
        times = ("created_at", "started_at", "finished_at")
        return cls.model_validate(
            {name: getattr(one, name) for name in (*own, *times)}
            | {
                "tags": [tag.tag for tag in one.tags],
                "attempt": progress.attempt,
                "cancelling": progress.cancelling,
                "paused": progress.paused,
                "errors": progress.errors,
                "arms": progress.arms,
                "progress": {name: getattr(progress, name) for name in ProgressOut.model_fields},
                "warnings": [*(one.warnings or ()), *progress.warnings],
                "looks": LookOut.all_of(one),
                "next": [run._asdict() for run in progress.next],
                "links": {"self": here} | {name: f"{here}/{name}" for name in LINKS},
            }
        )


class ExperimentList(BaseModel):
    items: list[ExperimentOut]
    next: str | None
    total: int


class PartMeansOut(BaseModel):
    """The means of the parts of a series: the steps k * `width` to (k + 1) * `width` - 1, where it has points.

    Widths are powers of two, and parts begin at multiples of them: by `counts` the means of series, and of narrower
    parts, add up.
    """

    width: int
    steps: list[float] = Field(description="the mean step of each part's points")
    values: list[float | None] = Field(description="their mean; null where it is not finite")
    counts: list[int] = Field(description="how many points are finite; the others count nowhere")


class SeriesOut(BaseModel):
    run_id: int
    arm: str
    seed: int
    metric: str
    unit: str
    steps: list[int]
    values: list[float | None]
    total: int
    means: PartMeansOut | None = Field(description="of a series that was thinned, where `means` asks for them")


class MetricsOut(BaseModel):
    series: list[SeriesOut]


class DatasetForm(Options):
    """A data set's file, its name, and how to read it.

    Columns and `missing_values` may be repeated fields, or one field with commas.
    """

    file: UploadFile
    name: Annotated[str | None, Field(description="a-z, 0-9, '_', '.' and '-'; default: the file's name")] = None


class DatasetOut(About):
    """A user's data set. `sha256` is the content's; specs that use it record it."""

    features: list[str]
    """A table's, in the order of the inputs."""

    @classmethod
    def of(cls, one: About) -> Self:
        features = [feature for column in one.columns for feature in column.features]
        return cls.model_validate(dict(one) | {"features": features})


class DatasetList(BaseModel):
    items: list[DatasetOut]
    next: None = None
