"""Makes what has ended quick to read: its points in few blocks, as they were stored a few at a time, and its counts."""

import itertools
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, case, delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from core.experiments.cohorts.counts import unchanging
from core.experiments.cohorts.leases import QUIETLY
from core.experiments.cohorts.points import store_epochs
from core.experiments.cohorts.states import FINAL, TERMINAL
from core.metrics import metric_names
from core.store import Database, EpochValue, Experiment, MetricBlock, Run, metric_blocks

RUNS = 50
"""Runs that one transaction merges, at most."""
BLOCKS = 200
"""Blocks that it reads: on SQLite it keeps other writers out for as long as it takes."""
UNCOUNTED = 20
"""Experiments of before that are counted in one go, each in a transaction of its own."""
KEY = (MetricBlock.run_id, MetricBlock.metric, MetricBlock.first)


class Place(NamedTuple):
    """The block at which a run's merging goes on in the next transaction."""

    run_id: int
    metric: str
    first: int


class BlockMerger:
    """Merges a little at a time, and goes on where it was: a run may have more blocks than one look can merge."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._place: Place | None = None

    def merge(self, seconds: float = 0.0) -> int:
        """Merge for about so many seconds, one transaction at least; returns how many runs are now merged.

        Each transaction leaves every point where it was, so that it may be the last. Of several processes each takes
        runs that no other has; who comes later finds them merged.
        """
        deadline, merged = time.monotonic() + seconds, 0
        while True:
            with self._database.reading() as session:
                runs = _due(session) if self._place is None else [self._place.run_id]
            if not runs:
                return merged
            with self._database.transaction() as session:
                done, place = _merge(session, runs, self._place)
            self._place = place
            merged += done
            if time.monotonic() > deadline or (not done and place is None):  # others have them
                return merged


def count_ended(database: Database) -> int:
    """Keep the counts of some experiments that ended before counts were kept; returns how many."""
    with database.reading() as session:
        uncounted = (Experiment.progress.is_(None), Experiment.status.in_(TERMINAL))
        found = session.scalars(select(Experiment.id).where(*uncounted).limit(UNCOUNTED)).all()
    for experiment_id in found:
        with database.transaction() as session:
            same = update(Experiment).where(Experiment.id == experiment_id, *uncounted)
            progress = unchanging(session, experiment_id)
            session.execute(same.values(progress=progress).execution_options(**QUIETLY))
    return len(found)


def _due(session: Session) -> Sequence[int]:
    return session.scalars(select(Run.id).where(~Run.merged, Run.status.in_(FINAL)).limit(RUNS)).all()


def _merge(session: Session, among: Sequence[int], place: Place | None) -> tuple[int, Place | None]:
    """Merge blocks of runs, from a place on; returns how many runs are done, and where to go on with a long one."""
    due = select(Run.id).where(Run.id.in_(among), ~Run.merged, Run.status.in_(FINAL)).order_by(Run.id)
    runs = session.scalars(due.with_for_update(skip_locked=True)).all()
    # What is as long as it may be is joined with nothing: its values need not be read.
    values = case((MetricBlock.n < metric_blocks.MOST_MERGED, MetricBlock.values)).label("values")
    width = (func.length(MetricBlock.values) / MetricBlock.n).label("width")
    columns = (*KEY, MetricBlock.n, MetricBlock.every, MetricBlock.attempt, MetricBlock.steps, width, values)
    query = select(*columns).where(MetricBlock.run_id.in_(runs)).order_by(*KEY).limit(BLOCKS)
    if place is not None:
        query = query.where(tuple_(*KEY) >= place)
    rows = session.execute(query).all()
    elsewhere = set(session.scalars(select(Run.id).where(Run.id.in_(runs), Run.posts > 0)))
    groups = list(metric_blocks.mergeable(rows, elsewhere))
    _replace(session, [group for group in groups if len(group) > 1])
    left: Place | None = None
    if len(rows) == BLOCKS:
        last = groups[-1][0]
        left = Place(run_id=last.run_id, metric=last.metric, first=last.first)
        runs = [run for run in runs if run < last.run_id]
    if runs:
        _complete_epochs(session, runs)
        session.execute(update(Run).where(Run.id.in_(runs)).values(merged=True).execution_options(**QUIETLY))
    return len(runs), left


def _replace(session: Session, groups: Sequence[Sequence[Any]]) -> None:
    """Put each group into its first block."""
    if not groups:
        return
    series = (MetricBlock.run_id == bindparam("run"), MetricBlock.metric == bindparam("of"))
    places = [{"run": group[0].run_id, "of": group[0].metric, "begin": group[0].first} for group in groups]
    ends = [place | {"end": group[-1].first} for place, group in zip(places, groups, strict=True)]
    whole = [place | _whole(group) for place, group in zip(places, groups, strict=True)]
    connection = session.connection()
    others = (MetricBlock.first > bindparam("begin"), MetricBlock.first <= bindparam("end"))
    connection.execute(delete(MetricBlock).where(*series, *others), ends)
    names = ("n", "every", "attempt", "values", "steps")
    new = {name: bindparam(f"new_{name}", type_=getattr(MetricBlock, name).type) for name in names}
    connection.execute(update(MetricBlock).where(*series, MetricBlock.first == bindparam("begin")).values(new), whole)


def _whole(group: Sequence[Any]) -> dict[str, Any]:
    """Return the columns of the block that a group becomes."""
    first, last = group[0], group[-1]
    if all(metric_blocks.follows(one, other) for one, other in itertools.pairwise(group)):
        joined, n = b"".join(row.values for row in group), sum(row.n for row in group)
        return {
            "new_n": n,
            "new_every": first.every,
            "new_attempt": first.attempt,
            "new_values": joined,
            "new_steps": None,
        }
    row = metric_blocks.encode_at(first.run_id, first.metric, *metric_blocks.join(group))
    own = {f"new_{name}": row[name] for name in ("n", "every", "values", "steps")}
    return own | {"new_attempt": last.attempt}


def _complete_epochs(session: Session, runs: Sequence[int]) -> None:
    """Store what runs that were trained here before there were `epoch_values` lack there."""
    here = select(Run.id).where(Run.id.in_(runs), Run.posts == 0)
    of_epochs = (MetricBlock.run_id.in_(here), MetricBlock.metric.in_(metric_names("epoch")))
    measured = select(MetricBlock.run_id, func.sum(MetricBlock.n)).where(*of_epochs).group_by(MetricBlock.run_id)
    stored = select(EpochValue.run_id, func.count()).where(EpochValue.run_id.in_(runs)).group_by(EpochValue.run_id)
    there = dict(session.execute(stored).all())
    lacking = [run for run, points in session.execute(measured).all() if there.get(run, 0) < points]
    if lacking:
        store_epochs(session, session.scalars(select(MetricBlock).where(*of_epochs, MetricBlock.run_id.in_(lacking))))
