"""The models of answers about what a post would make, which clients rely on."""

from typing import Any, Literal, Self

from pydantic import BaseModel

from api.look_schemas import AdaptiveOut
from api.schemas import WarningOut
from core.design import Varied
from core.experiments.requests import ExternalPreview, Preview
from core.training import Layout


class NoteOut(BaseModel):
    """One thing that was taken for something when a data set was read."""

    path: str
    message: str


class StudyLevelOut(BaseModel):
    """The place in its study that an experiment would have if it were posted now, and the alpha of its verdict."""

    name: str
    project: str
    position: int
    alpha: float


class ArmPreviewOut(BaseModel):
    """The size of one arm; `steps` are the updates of one run. Null: what is trained elsewhere does not say."""

    label: str
    runs: int
    parameters: int | None
    steps: int | None


class CohortPreviewOut(BaseModel):
    """Runs that one process would train together, `lanes` in all: `arms` with `seeds`, perhaps not all of the outer.

    `repeat`: they are second trainings, which differ from the first by `varied` alone: `rounding`, or a source of
    randomness, such as `init`.
    `layout` is the way in which they are computed: `loop`, one after the other, or `vmap`, all in every operation.
    `independent`: a run would have the same bits in any other company; elsewhere its last bits depend on the runs that
    train with it, which the spec decides: `"layout": "loop"` makes them independent, and `lanes` keeps a width.
    """

    arms: list[str]
    seeds: list[int]
    repeat: bool
    varied: Varied | None
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
    it is for the most that may be trained, and `adaptive` says what is to be expected. `study` has what a study would
    give to it now. An external experiment has no plan.
    """

    name: str
    spec: dict[str, Any]
    arms: list[ArmPreviewOut]
    seeds: list[int]
    runs_total: int
    steps_total: int | None
    warnings: list[WarningOut]
    notes: list[NoteOut]
    adaptive: AdaptiveOut | None
    study: StudyLevelOut | None
    plan: PlanOut | None

    @classmethod
    def of(cls, found: Preview, study: StudyLevelOut | None = None) -> Self:
        seeds = found.spec.seed_list
        labels = [arm.label for arm in found.spec.expanded]
        runs = found.spec.trainings * len(seeds)
        arms = [
            ArmPreviewOut(label=label, runs=runs, parameters=fact.size.parameters, steps=fact.steps)
            for label, fact in zip(labels, found.info, strict=True)
        ]
        plan, steps = found.plan, sum(fact.steps for fact in found.info)
        cohorts = [
            CohortPreviewOut(
                arms=list(dict.fromkeys(labels[arm] for arm, _ in cohort.members)),
                seeds=list(dict.fromkeys(seed for _, seed in cohort.members)),
                repeat=cohort.again is not None,
                varied=cohort.again,
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
            steps_total=steps * runs,
            warnings=[WarningOut(path=p.path, message=p.message) for p in found.warnings],
            notes=[NoteOut(path=p.path, message=p.message) for p in found.notes],
            adaptive=None if found.spec.adaptive is None else AdaptiveOut.of(found.design, found.spec.trainings, steps),
            study=study,
            plan=PlanOut(
                device=plan.device,
                processes=plan.processes,
                estimated_seconds=plan.seconds,
                estimated_bytes=plan.memory,
                numbers="measured" if plan.measured else "guess",
                cohorts=cohorts,
            ),
        )

    @classmethod
    def of_external(cls, found: ExternalPreview, study: StudyLevelOut | None = None) -> Self:
        spec = found.spec
        runs, steps, arms = len(spec.seed_list), spec.steps, len(spec.arms)
        return cls(
            name=spec.name,
            spec=spec.canonical(),
            arms=[ArmPreviewOut(label=label, runs=runs, parameters=None, steps=steps) for label in spec.labels],
            seeds=spec.seed_list,
            runs_total=arms * runs,
            steps_total=None if steps is None else arms * runs * steps,
            warnings=[],
            notes=[],
            adaptive=AdaptiveOut.of(found.design, 1, arms * (steps or 0)) if spec.adaptive else None,
            study=study,
            plan=None,
        )
