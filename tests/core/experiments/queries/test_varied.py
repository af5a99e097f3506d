"""Sources of randomness apart in the service: as the library has them, at whatever place a worker left."""

import threading

from sqlalchemy import func, select

from core.analysis import build_report
from core.datasets import DatasetPaths
from core.design import SOURCES
from core.experiments.queries import read
from core.experiments.queries.progress import progress_of
from core.experiments.requests import draft
from core.spec import parse
from core.store import Cohort, Database, Run
from core.training import Profile, train
from tests.core.experiments.queries.test_repeated import assert_same, work
from tests.core.experiments.submitting import submit

SPEC = parse(
    {
        "dataset": {"name": "two_spirals", "examples": 150},
        "model": {"name": "mlp", "hidden": [16], "dropout": 0.1},
        "batch_size": 20,
        "epochs": 3,
        "seeds": 3,
        "vary": [*SOURCES],
        "repeat": {"rounding": True},
        "arms": [{"label": "he", "initializer": "he_normal"}, {"label": "lsuv", "initializer": "lsuv"}],
    }
)


def test_a_worker_trains_every_run_again_for_each_source_as_the_library_does(database: Database) -> None:
    """Its first worker leaves in the midst of them, and others go on."""
    assert draft(SPEC, "", DatasetPaths(), Profile.guess()).runs == 36
    with database.transaction() as session:
        experiment = submit(session, SPEC, DatasetPaths())[0].id
        varied = session.execute(select(Run.repeat, Run.varied).order_by(Run.id)).all()
        assert [row.varied for row in varied[::6]] == [None, "rounding", *SOURCES]
        assert all(row.repeat == (row.varied is not None) for row in varied)
    leaving = threading.Event()
    first = threading.Thread(target=work, args=(database, leaving))
    first.start()
    in_training = select(func.count()).where(Run.varied == "split", Run.status == "running")
    while first.is_alive() and not leaving.is_set():
        first.join(0.005)
        with database.reading() as session:
            if session.scalar(in_training):
                leaving.set()
    first.join()
    work(database)
    expected = train(SPEC, DatasetPaths())
    with database.reading() as session:
        one = read.experiment(session, experiment)
        assert one.status == "succeeded"
        kinds = session.execute(select(Cohort.id, Run.varied).join(Run, Run.cohort_id == Cohort.id).distinct()).all()
        assert len(kinds) == len({cohort for cohort, _ in kinds}) >= 6
        assert progress_of(session, one).runs_done == 36
        found = read.results(session, one, DatasetPaths())
        assert list(found.varied) == list(expected.varied) == list(SOURCES)
        assert_same(found, expected)
        for source in SOURCES:
            assert_same(found.varied[source], expected.varied[source])
        assert found.repeated is not None
        assert expected.repeated is not None
        assert_same(found.repeated, expected.repeated)
        ids = {run.id for run in found.runs}
        assert {series.run_id for series in read.series(session, experiment)} == ids
        mine, theirs = (build_report(results)["variance"] for results in (found, expected))
        assert mine == theirs is not None
