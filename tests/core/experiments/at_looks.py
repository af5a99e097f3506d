"""An experiment of adaptive seeds, and workers that end its cohorts without any training."""

from typing import Any

import numpy as np
from sqlalchemy import select

from core.datasets import DatasetPaths
from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.leases import Ended, Flush, end, flush, renew
from core.experiments.cohorts.looks import look
from core.spec import parse
from core.store import Cohort, Database, Experiment, Status
from tests.core.experiments.submitting import submit

ACCURACY = {"one": 0.9, "other": 0.9, "poor": 0.1}
"""By arm; seeds add a hundredth at most. `poor` is decided at the first look, the others at none."""
NOISE = np.random.default_rng(20).uniform(-0.01, 0.01, (3, 12))
SEEDS = {"from": 4, "to": 12, "looks": [4, 8, 12]}


def posted(database: Database, *, owner: str | None = None, **more: Any) -> int:
    """Three arms, each of which has a cohort of its own for the seeds up to each of three looks."""
    arms = [{"label": label, "batch_size": 100 + i} for i, label in enumerate(ACCURACY)]
    spec = parse({"arms": arms, "seeds": SEEDS, "epochs": 1, "model": {"name": "mlp", "hidden": [4]}} | more)
    with database.transaction() as session:
        return submit(session, spec, DatasetPaths(), owner=owner)[0].id


def accuracy(arm: str, seed: int) -> float:
    return ACCURACY[arm] + float(NOISE[[*ACCURACY].index(arm), seed])


def finish(database: Database, held: Claim, status: Status = Status.SUCCEEDED) -> None:
    """What a worker does when all runs of a cohort have ended, or one has failed."""
    runs = [lane for lane in held.lanes if lane.run not in held.ended]
    finals: dict[int, dict[str, float | None]]
    finals = {lane.run: {"valid_accuracy": accuracy(held.arms[lane.run], lane.seed)} for lane in runs}
    ended = {run: Ended(outcome="completed", steps=3, final=final) for run, final in finals.items()}
    with database.transaction() as session:
        renew(session, held, 30)
        flush(session, held, Flush(step=3, ended=ended if status == Status.SUCCEEDED else {}))
        end(session, held, status, error="why" if status == Status.FAILED else None)


def taken_look(database: Database, experiment: int) -> bool:
    with database.transaction() as session:
        return look(session, experiment)


def looks(database: Database, experiment: int) -> list[dict[str, Any]]:
    with database.reading() as session:
        return session.get_one(Experiment, experiment).looks or []


def state(database: Database, experiment: int) -> tuple[str, int | None, list[tuple[str, int | None]]]:
    """The experiment's status and next look, and every cohort's status and the look that it waits for."""
    with database.reading() as session:
        one = session.get_one(Experiment, experiment)
        mine = select(Cohort.status, Cohort.look).where(Cohort.experiment_id == experiment).order_by(Cohort.id)
        return one.status, one.next_look, [(status, waits) for status, waits in session.execute(mine)]
