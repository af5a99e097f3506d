"""Claims cohorts: from then on only this attempt may write; what older ones stored beyond the checkpoint is gone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import ColumnElement, func, select, true, tuple_
from sqlalchemy.orm import Session

from core.analysis import pruned_arms
from core.design import Varied
from core.energy import NOTHING, Cost, Source
from core.experiments.cohorts.checkpoints import CheckpointRef
from core.experiments.cohorts.eligibility import CpuCapacity, WorkerCapabilities, may_be_taken
from core.experiments.cohorts.environments import environment
from core.experiments.cohorts.events import increment, record_event
from core.experiments.cohorts.points import roll_back
from core.experiments.cohorts.process_ids import describe, host_of
from core.experiments.cohorts.software import software
from core.experiments.cohorts.states import ACTIVE, TERMINAL, move_runs, settle, transition
from core.experiments.cohorts.unreadable import to_train
from core.finite import finite_or_none
from core.spec import Spec
from core.store import Cohort, Experiment, MetricBlock, Run, Status, metric_blocks, now, serialise
from core.training import Lane, Layout, lane_of

LastValues = Mapping[int, dict[str, float | None]]
"""The last values of runs that have not ended, by run and metric; None where not finite."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A cohort that a worker holds, and what it needs to train it."""

    cohort_id: int
    experiment_id: int
    attempt: int
    holder: str
    spec: Spec
    lanes: Sequence[Lane]
    """All runs of the cohort."""
    threads: int
    """Threads of the training process, as planned."""
    layout: Layout
    """The way in which its lanes are computed, as planned: the same in every attempt, as their bits should be."""
    ended: frozenset[int] = frozenset()
    """Runs whose outcome is known: they train with the others as before, bit for bit, and are not recorded again."""
    resume_from: CheckpointRef | None = None
    """The checkpoint to go on from; points after it have been removed."""
    last_values: LastValues = field(default_factory=dict)
    """The last values before it."""
    arms: Mapping[int, str] = field(default_factory=dict)
    """The labels of the arms, by run."""
    rung: int | None = None
    """The epochs after which the cohort waits for the experiment's others; None: it does not."""
    cost: Cost = NOTHING
    """The cost so far of each of its runs that have not ended."""
    pruned_at: Mapping[int, int] = field(default_factory=dict)
    """The epochs that runs of pruned arms have, by run."""

    @property
    def training(self) -> int:
        """The number of its runs that have not ended."""
        return len(self.lanes) - len(self.ended)

    def about(self, run: int) -> dict[str, object]:
        """Return the fields of a line of the log about one of its runs."""
        seed = next(lane.seed for lane in self.lanes if lane.run == run)
        return {"run": run, "arm": self.arms.get(run), "seed": seed}


def claim(
    session: Session,
    holder: str,
    capabilities: WorkerCapabilities,
    lease_seconds: float,
    capacity: CpuCapacity | None = None,
    threads: int | None = None,
) -> Claim | None:
    """Take the most urgent queued cohort that this worker can train, and return the claim; None when there is none.

    Of one priority, experiments take turns: the next is the one that has waited longest since a cohort of it was taken,
    or since it was posted. Paused ones wait.

    None too when its threads do not fit into the holder's machine now, as far as `capacity` says: a narrower cohort
    behind it is left, or the wide one would never have its turn. The process that ends last on this machine takes it.

    Its runs that have not ended go on from the cohort's checkpoint, or from their first update: later points are
    removed here, in the transaction that makes an older attempt's writes impossible. `threads` are those that the
    worker gives every cohort; None: as planned. Raises `Unreadable` for a cohort of code that this is not; take it
    then without that experiment, in another transaction.
    """
    if capacity is not None:  # one at a time on each host: two that claim at once would not count each other's threads
        serialise(session, f"claim on {host_of(holder)}")
    best = (
        select(Cohort.id)
        .join(Experiment, Experiment.id == Cohort.experiment_id)
        .where(_waits(capabilities))
        .order_by(Cohort.priority.desc(), func.coalesce(Experiment.turn, Experiment.created_at), Cohort.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Cohort)
        .scalar_subquery()
    )
    cohort = session.scalar(
        transition(Cohort, start=Status.QUEUED, to=Status.RUNNING)
        .where(Cohort.id == best, capacity.for_cohort(holder) if capacity else true())
        .values(attempt=Cohort.attempt + 1, holder=holder, lease_until=now() + lease_seconds)
        .returning(Cohort)
    )
    if cohort is None:
        return None
    # Read before its row is locked, which is for others of the experiment to wait for: a large spec takes milliseconds.
    experiment = session.get_one(Experiment, cohort.experiment_id)
    spec = to_train(experiment)
    roll_back(session, cohort)
    started = func.coalesce(Run.started_at, now())
    move_runs(
        session,
        cohort.id,
        start=Status.QUEUED,
        to=Status.RUNNING,
        attempt=cohort.attempt,
        steps_done=cohort.checkpoint_step,
        started_at=started,
    )
    settle(session, cohort.experiment_id, turn=now())
    runs = session.scalars(select(Run).where(Run.cohort_id == cohort.id).order_by(Run.id)).all()
    lanes = [
        lane_of(spec, run.id, spec.expanded[run.arm_index].treatment, run.seed, cast(Varied | None, run.varied))
        for run in runs
    ]
    ended = frozenset(run.id for run in runs if run.status in TERMINAL)
    resume_from = CheckpointRef.of(cohort)
    place = {"step": cohort.checkpoint_step, "epochs": cohort.checkpoint_epochs}
    record_event(
        session,
        cohort.experiment_id,
        "claimed",
        cohort=cohort.id,
        attempt=cohort.attempt,
        worker=describe(holder),
        software=software(spec.plugins),
        environment=environment(
            device="cuda" if "cuda" in capabilities.devices and cohort.device != "cpu" else "cpu",
            threads=threads or cohort.threads,
            layout=cohort.layout,
        ),
        runs=len(runs),
        **place,
    )
    if resume_from is not None:
        increment(session, "resumed_attempts")
    decided = experiment.rungs or []
    pruned = pruned_arms(decided)
    return Claim(
        cohort_id=cohort.id,
        experiment_id=cohort.experiment_id,
        attempt=cohort.attempt,
        holder=holder,
        spec=spec,
        lanes=lanes,
        threads=cohort.threads,
        layout=cast(Layout, cohort.layout),
        ended=ended,
        resume_from=resume_from,
        last_values={} if resume_from is None else last_values(session, cohort),
        arms={run.id: run.arm for run in runs},
        rung=_next_rung(spec, {decision["epoch"] for decision in decided}),
        cost=_cost([run for run in runs if run.id not in ended]),
        pruned_at={run.id: pruned[run.arm] for run in runs if run.arm in pruned},
    )


def _cost(runs: Sequence[Run]) -> Cost:
    """Return the cost of each of these runs: the same, as they have always trained together."""
    if not runs or runs[0].energy_kwh is None:
        return NOTHING
    return Cost(kwh=runs[0].energy_kwh, co2e_g=runs[0].co2e_g or 0.0, source=cast(Source, runs[0].energy_source))


def _next_rung(spec: Spec, decided: Collection[int]) -> int | None:
    """Return the first rung of the experiment at which nothing has been decided yet: no cohort goes beyond it."""
    rungs = spec.pruning.rungs(spec.expanded[0].treatment.epochs) if spec.pruning else []
    return next((rung for rung in rungs if rung not in decided), None)


def anything_queued(session: Session, capabilities: WorkerCapabilities) -> bool:
    """Return whether a claim may find something: a read, as wake-up tasks reach more workers than there is work."""
    return session.scalar(select(Cohort.id).where(_waits(capabilities)).limit(1)) is not None


def _waits(capabilities: WorkerCapabilities) -> ColumnElement[bool]:
    return may_be_taken() & capabilities.matches()


def last_values(session: Session, cohort: Cohort) -> LastValues:
    """Return the last stored values of the cohort's runs that have not ended, but for diagnostics."""
    active = select(Run.id).where(Run.cohort_id == cohort.id, Run.status.in_(ACTIVE))
    series = (MetricBlock.run_id, MetricBlock.metric)
    mine = (MetricBlock.run_id.in_(active), ~metric_blocks.IS_DIAGNOSTIC)
    newest = select(*series, func.max(MetricBlock.first)).where(*mine).group_by(*series)
    found: dict[int, dict[str, float | None]] = {}
    for block in session.scalars(select(MetricBlock).where(tuple_(*series, MetricBlock.first).in_(newest))):
        found.setdefault(block.run_id, {})[block.metric] = finite_or_none(metric_blocks.decode(block)[-1])
    return found
