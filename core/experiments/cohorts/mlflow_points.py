"""Points that MLflow's clients have logged of runs that are judged nowhere: they count against quotas too."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.experiments.cohorts.external import reserved
from core.experiments.cohorts.states import OF_STATUS
from core.experiments.projects import Amount, Quotas, give_back, take
from core.store import Experiment, MlflowExperiment, MlflowRun


def unjudged(run: MlflowRun) -> int:
    """Return the points that count of a run itself: none where it is judged, as they count there, or was deleted."""
    if run.run_id is not None or run.deleted:
        return 0
    return reserved(sum(last["n"] for last in run.latest.values()))


@contextmanager
def counted(
    session: Session, of: MlflowExperiment, run: MlflowRun, quotas: Quotas, *, may_move: bool
) -> Iterator[None]:
    """Count what the block changes of a run's own points; raises `QuotaExceeded`.

    With `may_move` the run may become one that is judged: its points are counted off before they are counted there.
    """
    before = unjudged(run)
    if may_move and before:
        if of.experiment_id is not None:  # before the rows of usage, as `external.count` does
            session.get(Experiment, of.experiment_id, with_for_update=OF_STATUS, populate_existing=True)
        give_back(session, of.owner, of.project, Amount(points=before))
        before = 0
    yield
    more = unjudged(run) - before
    if more > 0:
        take(session, of.owner, of.project, Amount(points=more), quotas)
    elif more < 0:
        give_back(session, of.owner, of.project, Amount(points=-more))


def all_unjudged(session: Session) -> Iterator[tuple[str, str | None, int]]:
    """Yield project, owner and points of every run that is judged nowhere."""
    mine = select(MlflowExperiment.project, MlflowExperiment.owner, MlflowRun).join(
        MlflowRun, MlflowRun.of == MlflowExperiment.id
    )
    wanted = mine.where(MlflowRun.run_id.is_(None), MlflowRun.deleted.is_(False)).execution_options(yield_per=200)
    for project, owner, run in session.execute(wanted):
        yield project, owner, unjudged(run)
