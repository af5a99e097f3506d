"""An experiment whose cohorts wait for each other, and what a worker does to them there."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sqlalchemy import select

from core.datasets import DatasetPaths
from core.experiments.cohorts.checkpoints import CheckpointRef
from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.leases import Ended, Flush, flush, renew
from core.experiments.cohorts.pruning import decide, wait
from core.experiments.queries import read
from core.spec import parse
from core.store import Cohort, Database, Experiment, metric_blocks
from tests.core.experiments.submitting import submit

ACCURACY = {"good": 0.9, "fair": 0.85, "zeros": 0.1}
"""After each epoch, by arm; where it learns, a seed adds some thousandths."""
PER_EPOCH = 2


def posted(database: Database, seeds: int = 3, **more: Any) -> int:
    """Three arms, each a cohort, compared after 1, 2 and 4 of 5 epochs."""
    arms = [{"label": label, "batch_size": 100 + i} for i, label in enumerate(ACCURACY)]
    spec = parse(
        {"arms": arms, "seeds": seeds, "epochs": 5, "pruning": {"first": 1}, "model": {"name": "mlp", "hidden": [4]}}
        | more
    )
    with database.transaction() as session:
        return submit(session, spec, DatasetPaths())[0].id


def measured(held: Claim, epochs: int, since: int = 0) -> Flush:
    """All that a training measures until then, and a checkpoint of it."""
    what = Flush(
        step=PER_EPOCH * epochs,
        checkpoint=CheckpointRef(
            name=f"{held.cohort_id}-{held.attempt}", sha256="0", step=PER_EPOCH * epochs, epochs=epochs
        ),
    )
    for lane in held.lanes:
        if lane.run in held.ended:
            continue
        arm = held.arms[lane.run]
        level = 1 - ACCURACY[arm] if lane.repeat else ACCURACY[arm] + (0 if arm == "zeros" else (lane.seed % 3) / 1000)
        for metric, first, values in (
            ("train_loss", PER_EPOCH * since, np.ones(PER_EPOCH * (epochs - since))),
            ("valid_accuracy", since, level + 0.01 * np.arange(since, epochs)),
        ):
            what.blocks.append(metric_blocks.encode(lane.run, metric, first, values))
    return what


def arrive(database: Database, held: Claim, *, deciding: bool = True, ended: Mapping[int, Ended] | None = None) -> None:
    """What a worker does at a rung; `deciding=False`: it is killed between its two transactions."""
    assert held.rung is not None
    what = measured(held, held.rung, held.resume_from.epochs if held.resume_from else 0)
    what.ended |= ended or {}
    with database.transaction() as session:
        renew(session, held, 30)
        flush(session, held, what, held.resume_from)
        wait(session, held)
    if deciding:
        with database.transaction() as session:
            decide(session, held.experiment_id)


def runs(database: Database, experiment: int) -> dict[str, set[tuple[str, str | None]]]:
    """Status and outcome of each arm's runs."""
    found: dict[str, set[tuple[str, str | None]]] = {}
    with database.reading() as session:
        for run in read.runs(session, experiment):
            found.setdefault(run.arm, set()).add((run.status, run.outcome))
    return found


def rungs(database: Database, experiment: int) -> list[dict[str, Any]]:
    with database.reading() as session:
        return session.get_one(Experiment, experiment).rungs or []


def cohorts(database: Database, experiment: int) -> list[tuple[str, int | None]]:
    with database.reading() as session:
        mine = select(Cohort.status, Cohort.rung).where(Cohort.experiment_id == experiment).order_by(Cohort.id)
        return [(status, rung) for status, rung in session.execute(mine)]
