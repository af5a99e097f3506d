"""Second trainings in the service: as the library has them, and apart from the first wherever anything is read."""

import threading
from contextlib import closing
from dataclasses import replace

from sqlalchemy import func, select

from core.analysis import build_report
from core.datasets import DatasetPaths
from core.experiments.queries import read
from core.experiments.queries.progress import progress_of
from core.experiments.requests import draft
from core.experiments.worker.worker import Worker
from core.results import Results
from core.settings import Settings
from core.spec import parse
from core.store import Cohort, Database, Run
from core.training import Profile, train
from tests.core.experiments.submitting import submit
from tests.core.experiments.viewer import Watching

SPEC = parse(
    {
        "model": {"name": "mlp", "hidden": [8], "dropout": 0.1},
        "optimizer": {"name": "adam", "lr": 0.01},
        "batch_size": 20,
        "epochs": 4,
        "seeds": 3,
        "pruning": {"first": 2},
        "arms": [
            {"label": "wild", "optimizer": {"name": "sgd", "lr": 1.0, "momentum": 0.9}},
            {"label": "he", "initializer": "he_normal"},
            {"label": "glorot", "initializer": "glorot_normal"},
        ],
        "repeat": {"rounding": True},
    }
)


def work(database: Database, leaving: threading.Event | None = None) -> int:
    url = database.engine.url.render_as_string(hide_password=False)
    with closing(Worker(Settings(database_url=url), leaving or threading.Event(), cores=2)) as worker:
        return worker()


def assert_same(found: Results, expected: Results) -> None:
    assert [replace(run, id=0) for run in found.runs] == [replace(run, id=0) for run in expected.runs]
    for metric in ("train_loss", "valid_accuracy"):
        for mine, other in zip(found.series(metric), expected.series(metric), strict=True):
            assert (mine.arm, mine.seed) == (other.arm, other.seed)
            assert mine.values.tobytes() == other.values.tobytes(), (mine.arm, mine.seed, metric)


def test_a_worker_trains_every_run_twice_as_the_library_does(database: Database) -> None:
    """In pieces: its first worker leaves in the midst of second trainings, and others go on. Arms are pruned by the
    first trainings, and the second end with them."""
    assert draft(SPEC, "", DatasetPaths(), Profile.guess()).runs == 18
    with database.transaction() as session:
        experiment = submit(session, SPEC, DatasetPaths())[0].id
    viewed = Watching(database, experiment)
    leaving = threading.Event()
    first = threading.Thread(target=work, args=(database, leaving))
    first.start()
    in_training = select(func.count()).where(Run.repeat, Run.status == "running")
    while first.is_alive() and not leaving.is_set():
        first.join(0.005)
        with database.reading() as session:
            if session.scalar(in_training):
                leaving.set()
    first.join()
    assert leaving.is_set()
    assert work(database) > 0
    expected = train(SPEC, DatasetPaths())
    with database.reading() as session:
        one = read.experiment(session, experiment)
        assert one.status == "succeeded"
        kinds = session.execute(select(Cohort.id, Run.repeat).join(Run, Run.cohort_id == Cohort.id).distinct()).all()
        assert len(kinds) == len({cohort for cohort, _ in kinds}) == 4
        assert progress_of(session, one).runs_done == 18
        found = read.results(session, one, DatasetPaths())
        assert found.repeated is not None
        assert expected.repeated is not None
        assert len(found.runs) == len(found.repeated.runs) == 9
        assert list(found.rungs) == list(expected.rungs)
        assert_same(found, expected)
        assert_same(found.repeated, expected.repeated)
        ids = {run.id for run in found.runs}
        assert {one.run_id for one in read.series(session, experiment)} == ids
        assert not ids & {one.run_id for one in read.series(session, experiment, repeat=True)}
        mine, theirs = (build_report(results)["rounding"] for results in (found, expected))
        assert mine == theirs
    ended = [run.outcome for run in found.runs]
    assert ended == [run.outcome for run in found.repeated.runs]
    assert ended[:3] == ["pruned"] * 3
    viewed.drain()
    viewed.check()
    assert {run for run, _ in viewed.viewer.whole()} == ids
