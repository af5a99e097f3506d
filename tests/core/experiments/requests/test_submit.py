"""Accepting an experiment: once, whole, and only what can run."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.spec import Spec, parse
from core.store import Cohort, Database, Experiment, Run
from tests.core.experiments.submitting import submit

SPEC = {
    "arms": [{"label": "a", "batch_size": 50}, {"label": "b"}, {"label": "c", "initializer": "zeros"}],
    "seeds": [7, 3],
    "epochs": 2,
}


def _counts(database: Database) -> tuple[int, ...]:
    with database.reading() as session:
        return tuple(
            session.scalar(select(func.count()).select_from(table)) or 0 for table in (Experiment, Cohort, Run)
        )


def test_runs_are_stored_in_the_order_of_arms_and_seeds_with_their_updates(database: Database) -> None:
    with database.transaction() as session:
        experiment, wake_ups = submit(session, parse(SPEC), DatasetPaths())
    assert wake_ups == {"cpu": 2, "gpu": 2}  # batches of 50 and of 100 cannot share a program
    with database.reading() as session:
        runs = session.scalars(select(Run).order_by(Run.id)).all()
        assert [(run.arm, run.seed, run.steps_total) for run in runs] == [
            (arm, seed, steps) for arm, steps in (("a", 2 * 29), ("b", 2 * 15), ("c", 2 * 15)) for seed in (7, 3)
        ]
        assert session.get_one(Experiment, experiment.id).steps_per_epoch == [29, 15, 15]
        cohorts = {run.arm: run.cohort_id for run in runs}
    assert cohorts["b"] == cohorts["c"] != cohorts["a"]


def test_what_cannot_run_is_refused_and_leaves_nothing(database: Database, tmp_path: Path) -> None:
    spec = parse(SPEC | {"arms": [{"label": "a"}, {"label": "b", "dataset": "fashion_mnist"}]})
    with pytest.raises(InvalidSpec) as refusal, database.transaction() as session:
        submit(session, spec, DatasetPaths(tmp_path, tmp_path))
    assert [problem.path for problem in refusal.value.problems] == ["arms[1].dataset"]
    assert _counts(database) == (0, 0, 0)


def test_one_key_at_once_from_many_clients_makes_one_experiment(database: Database) -> None:
    ids: list[int] = []
    errors: list[BaseException] = []

    def post(spec: Spec) -> None:
        try:
            with database.transaction() as session:
                ids.append(submit(session, spec, DatasetPaths(), "key")[0].id)
        except BaseException as error:  # noqa: BLE001 whatever it is, the test wants to know
            errors.append(error)

    threads = [threading.Thread(target=post, args=(parse(SPEC),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(ids) == 8
    assert len(set(ids)) == 1
    assert _counts(database) == (1, 2, 6)


def test_a_key_of_a_day_ago_makes_another(database: Database) -> None:
    def post(spec: Spec) -> int:
        with database.transaction() as session:
            return submit(session, spec, DatasetPaths(), "key")[0].id

    first = post(parse(SPEC))
    _age(database, 86_400 - 60)
    assert post(parse(SPEC)) == first
    _age(database, 60)
    second = post(parse(SPEC | {"epochs": 3}))
    assert second != first
    assert post(parse(SPEC | {"epochs": 3})) == second
    with database.reading() as session:
        assert session.get_one(Experiment, first).idempotency_key is None


def _age(database: Database, seconds: float) -> None:
    with database.transaction() as session:
        session.execute(update(Experiment).values(created_at=Experiment.created_at - seconds))
