"""Stores measured points: as blocks, and those of epochs as values that SQL can read too."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.experiments.cohorts.states import ACTIVE
from core.finite import finite_list
from core.metrics import is_epoch_metric, metric_names
from core.store import Cohort, EpochValue, MetricBlock, Run, metric_blocks


def store_points(
    session: Session,
    blocks: Sequence[dict[str, Any]],
    attempt: int,
    is_by_epoch: Callable[[str], bool] = is_epoch_metric,
) -> None:
    """Store blocks as `metric_blocks.encode` gives them; those that are there already change nothing."""
    if blocks:
        _insert(session, MetricBlock, [block | {"attempt": attempt} for block in blocks])
    of_epochs = [block for block in blocks if is_by_epoch(block["metric"])]
    if of_epochs:
        store_epochs(session, [MetricBlock(**block) for block in of_epochs])


def store_epochs(session: Session, blocks: Iterable[Any]) -> None:
    """Store the values of blocks of epochs' metrics, for SQL; those that are there already change nothing."""
    rows = [
        {"run_id": block.run_id, "metric": block.metric, "epoch": epoch, "value": value}
        for block in blocks
        for epoch, value in zip(
            metric_blocks.steps_of(block).tolist(), finite_list(metric_blocks.decode(block)), strict=True
        )
    ]
    _insert(session, EpochValue, rows)


def roll_back(session: Session, cohort: Cohort) -> None:
    """Remove the points after the cohort's checkpoint of its runs that have not ended. No block lies across it."""
    active = select(Run.id).where(Run.cohort_id == cohort.id, Run.status.in_(ACTIVE))
    by_epoch = MetricBlock.metric.in_(metric_names("epoch"))
    for kind, first in ((~by_epoch, cohort.checkpoint_step), (by_epoch, cohort.checkpoint_epochs)):
        session.execute(delete(MetricBlock).where(MetricBlock.run_id.in_(active), kind, MetricBlock.first >= first))
    beyond = (EpochValue.run_id.in_(active), EpochValue.epoch >= cohort.checkpoint_epochs)
    session.execute(delete(EpochValue).where(*beyond))


def _insert(session: Session, table: type[MetricBlock] | type[EpochValue], rows: Sequence[dict[str, Any]]) -> None:
    insert = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert
    session.execute(insert(table).on_conflict_do_nothing(), rows)
