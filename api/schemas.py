"""The models of requests and answers, which clients rely on."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from fastapi import UploadFile
from pydantic import BaseModel, BeforeValidator, Field

from api.look_schemas import AdaptiveOut, LookOut
from core.datasets import About, Options
from core.experiments.queries.progress import ArmProgress, Progress
from core.experiments.requests import Preview
from core.store import Experiment, Run
from core.training import Layout


def _instant(seconds: object) -> object:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else seconds


LINKS = ("runs", "metrics", "plots", "report", "history", "events")
Instant = Annotated[datetime, BeforeValidator(_instant)]
"""RFC 3339, UTC."""


class ProgressOut(BaseModel):
    steps_done: int
    steps_total: int
    runs_done: int
    runs_total: int
    eta_seconds: float | None


class WarningOut(BaseModel):
    """One thing in a spec, or with an empty path in its results, that is probably a mistake; it refuses nothing."""

    path: str
    message: str


class NoteOut(BaseModel):
    """One thing that was taken for something when a data set was read."""

    path: str
    message: str


class ExperimentOut(BaseModel):
    """One experiment. `cancelling` until its workers have heard; `errors` are the reasons of failed runs.

    `name` and `tags` may have been edited since: `spec` has them as they were posted. `warnings` say what of its spec
    is probably not meant, and which arms have no result because all their runs diverged; they refuse nothing. `looks`
    are those at adaptive seeds: until there is no further one, runs and steps in all are the most that there may be.
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
    progress: ProgressOut
    warnings: list[WarningOut]
    looks: list[LookOut]
    links: dict[str, str]

    @classmethod
    def of(cls, one: Experiment, progress: Progress) -> Self:
        here = f"/experiments/{one.id}"
        own = ("id", "name", "notes", "owner", "project", "status", "created_at", "started_at", "finished_at", "spec")
        return cls.model_validate(
            {name: getattr(one, name) for name in own}
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
                "links": {"self": here} | {name: f"{here}/{name}" for name in LINKS},
            }
        )


class ExperimentList(BaseModel):
    items: list[ExperimentOut]
    next: str | None
    total: int


class ArmPreviewOut(BaseModel):
    """The size of one arm; `steps` are the updates of one run."""

    label: str
    runs: int
    parameters: int
    steps: int


class CohortPreviewOut(BaseModel):
    """Runs that one process would train together, `lanes` in all: `arms` with `seeds`, perhaps not all of the outer.

    `repeat`: they are second trainings, to tell what rounding does.
    `layout` is the way in which they are computed: `loop`, one after the other, or `vmap`, all in every operation.
    `independent`: a run would have the same bits in any other company; elsewhere its last bits depend on the runs that
    train with it, which the spec decides: `"layout": "loop"` makes them independent, and `lanes` keeps a width.
    """

    arms: list[str]
    seeds: list[int]
    repeat: bool
    lanes: int
    threads: int
    layout: Layout
    independent: bool
    steps: int
    estimated_seconds: float
    estimated_bytes: int


class PlanOut(BaseModel):
    """The plan of its training. `processes` train at the same time; `numbers` is the estimates' source."""

    device: str
    processes: int
    estimated_seconds: float
    estimated_bytes: int
    numbers: Literal["measured", "guess"]
    cohorts: list[CohortPreviewOut]


class PreviewOut(BaseModel):
    """The experiment that a post would make. `steps_total` are the updates of all runs; `warnings` refuse nothing.

    `notes` tell what of users' data was taken for what, as in the experiment's report. Where seeds are adaptive all of
    it is for the most that may be trained, and `adaptive` says what is to be expected.
    """

    name: str
    spec: dict[str, Any]
    arms: list[ArmPreviewOut]
    seeds: list[int]
    runs_total: int
    steps_total: int
    warnings: list[WarningOut]
    notes: list[NoteOut]
    adaptive: AdaptiveOut | None
    plan: PlanOut

    @classmethod
    def of(cls, found: Preview) -> Self:
        seeds = found.spec.seed_list
        labels = [arm.label for arm in found.spec.expanded]
        runs = found.spec.trainings * len(seeds)
        arms = [
            ArmPreviewOut(label=label, runs=runs, parameters=fact.size.parameters, steps=fact.steps)
            for label, fact in zip(labels, found.info, strict=True)
        ]
        plan = found.plan
        cohorts = [
            CohortPreviewOut(
                arms=list(dict.fromkeys(labels[arm] for arm, _ in cohort.members)),
                seeds=list(dict.fromkeys(seed for _, seed in cohort.members)),
                repeat=cohort.repeat,
                lanes=len(cohort.members),
                threads=cohort.threads,
                layout=cohort.layout,
                independent=cohort.independent,
                steps=found.info[cohort.members[0][0]].steps,
                estimated_seconds=cohort.seconds,
                estimated_bytes=cohort.memory,
            )
            for cohort in plan.cohorts
        ]
        return cls(
            name=found.spec.name,
            spec=found.spec.canonical(),
            arms=arms,
            seeds=seeds,
            runs_total=len(arms) * runs,
            steps_total=sum(arm.steps for arm in arms) * runs,
            warnings=[WarningOut(path=p.path, message=p.message) for p in found.warnings],
            notes=[NoteOut(path=p.path, message=p.message) for p in found.notes],
            adaptive=None
            if found.spec.adaptive is None
            else AdaptiveOut.of(found.design, found.spec.trainings, sum(arm.steps for arm in arms)),
            plan=PlanOut(
                device=plan.device,
                processes=plan.processes,
                estimated_seconds=plan.seconds,
                estimated_bytes=plan.memory,
                numbers="measured" if plan.measured else "guess",
                cohorts=cohorts,
            ),
        )


class RunOut(BaseModel):
    """One run. `final` holds the last value of each metric, null where it is not finite.

    `repeat`: it is a second training, to tell what rounding does, and counts nowhere else.
    """

    id: int
    experiment_id: int
    arm: str
    seed: int
    repeat: bool
    status: str
    outcome: str | None
    attempt: int
    steps_done: int
    steps_total: int
    final: dict[str, float | None]
    energy_kwh: float | None
    co2e_g: float | None
    energy_source: str | None
    started_at: Instant | None
    finished_at: Instant | None
    error: str | None

    @classmethod
    def of(cls, one: Run) -> Self:
        values = {name: getattr(one, name) for name in cls.model_fields}
        return cls.model_validate(values | {"final": one.final or {}})


class RunList(BaseModel):
    items: list[RunOut]
    next: int | None
    total: int


class SeriesOut(BaseModel):
    run_id: int
    arm: str
    seed: int
    metric: str
    unit: str
    steps: list[int]
    values: list[float | None]
    total: int


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
