"""Counts how far the runs of experiments are, and keeps that where it changes no more: lists are of what has ended."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.store import Cohort, Run, Status

COUNTS = (
    "runs_done", "runs_total", "steps_done", "steps_total", "diverged", "failed", "cancelled", "stopped_early",
    "pruned", "left", "longest",
)  # fmt: skip
"""Of the runs of an arm; `runs_done` are all that have ended, those that were `cancelled` among them, `left` updates of
those that have not, `longest` the most that any has made."""

Arms = list[dict[str, Any]]
"""The counts of each arm, by name, with its `label`."""


def count(session: Session, ids: Sequence[int]) -> dict[int, Arms]:
    """Return the counts of the arms of each experiment, in their order: one query for all."""
    ended = Run.status.not_in((Status.QUEUED, Status.RUNNING))
    rows = session.execute(
        select(
            Run.experiment_id,
            Run.arm.label("label"),
            func.count().filter(ended).label("runs_done"),
            func.count().label("runs_total"),
            func.sum(Run.steps_done).label("steps_done"),
            func.sum(Run.steps_total).label("steps_total"),
            *(func.count().filter(Run.status == one).label(one) for one in (Status.FAILED, Status.CANCELLED)),
            *(func.count().filter(Run.outcome == one).label(one) for one in ("diverged", "stopped_early", "pruned")),
            # a run that ended early has no updates left: what counts as work is less than its total
            func.sum(Run.steps_total - Run.steps_done).filter(~ended).label("left"),
            func.max(Run.steps_done).label("longest"),
        )
        .where(Run.experiment_id.in_(ids))
        .group_by(Run.experiment_id, Run.arm, Run.arm_index)
        .order_by(Run.experiment_id, Run.arm_index)
    ).mappings()
    found: dict[int, Arms] = {one: [] for one in ids}
    for row in rows:
        numbers = {name: int(row[name] or 0) for name in COUNTS}
        found[row["experiment_id"]].append({"label": row["label"]} | numbers)
    return found


def unchanging(session: Session, experiment_id: int) -> dict[str, Any]:
    """Return the progress to keep with an experiment whose runs are as they will stay: its counts, and its cohorts'."""
    attempts = select(Cohort.attempt, Cohort.error).where(Cohort.experiment_id == experiment_id).order_by(Cohort.id)
    cohorts = session.execute(attempts).all()
    errors = list(dict.fromkeys(row.error for row in cohorts if row.error))
    attempt = max((row.attempt for row in cohorts), default=0)
    return {"arms": count(session, [experiment_id])[experiment_id], "attempt": attempt, "errors": errors}
