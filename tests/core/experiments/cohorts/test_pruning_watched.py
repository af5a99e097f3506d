"""A viewer of cohorts that wait for each other."""

from dataclasses import replace

from core.experiments.cohorts.leases import flush, renew
from core.experiments.maintenance import sweep
from core.store import Database
from tests.core.experiments.at_rungs import arrive, measured, posted
from tests.core.experiments.claims import expire, taken
from tests.core.experiments.viewer import Watching


def test_a_viewer_follows_cohorts_that_wait_are_lost_and_go_on(database: Database) -> None:
    experiment = posted(database)
    watching = Watching(database, experiment)
    first, second, third = [taken(database) for _ in range(3)]
    for held in (first, third):
        arrive(database, held)
        watching.check()
    with database.transaction() as session:  # without a checkpoint: its points are void
        renew(session, second, 30)
        flush(session, second, replace(measured(second, 1), checkpoint=None))
    watching.check()
    expire(database, second)
    sweep(database, 3600)
    arrive(database, taken(database))
    watching.check()
    assert (watching.viewer.progress["runs_done"], watching.viewer.state["status"]) == (3, "running")
    for held in (taken(database), taken(database)):
        arrive(database, held)
        watching.check()
    steps = {run: len(points) for (run, metric), points in watching.viewer.series.items() if metric == "train_loss"}
    assert sorted(steps.values()) == [2, 2, 2, 4, 4, 4, 4, 4, 4]
