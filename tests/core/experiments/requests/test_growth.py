"""Growth of external experiments: what it counts against, and two that declare at once."""

from typing import Any

import pytest
from sqlalchemy import func, select

from core.datasets import DatasetPaths
from core.errors import Conflict
from core.experiments import requests
from core.experiments.projects import Amount, QuotaExceeded, Quotas
from core.experiments.projects.usage import used
from core.experiments.queries import read
from core.experiments.requests import Limits, grow
from core.experiments.requests.quotas import TooManyRuns
from core.external import Growth
from core.spec import parse
from core.store import Cohort, Database, MlflowExperiment, Run
from tests.at_once import at_once
from tests.core.experiments.requests.test_external import end, experiment_of, of, posted, send
from tests.core.experiments.submitting import submit


def declare(database: Database, experiment: int, limits: Limits = Limits(), **more: Any) -> None:  # noqa: B008 a value
    with database.transaction() as session:
        grow(session, read.experiment(session, experiment), Growth.model_validate(more), limits, "me")


def runs(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Run)) or 0


def test_of_two_that_declare_at_once_each_run_is_made_once(database: Database) -> None:
    experiment = experiment_of(database, posted(database)[0]).id
    more: list[dict[str, Any]] = [{"seeds": [7, 8]}, {"arms": [{"label": "new"}], "seeds": [8]}]
    turns = iter(more)
    at_once(2, lambda: declare(database, experiment, **next(turns)))
    assert runs(database) == 3 * 4
    with database.reading() as session:
        found = read.experiment(session, experiment)
        pairs = {tuple(row) for row in session.execute(select(Run.arm, Run.arm_index, Run.seed))}
        assert session.scalar(select(func.count()).select_from(Cohort)) == 12
        assert used(session)["project", "default"].runs == 12
    seeds = found.spec["seeds"]
    assert sorted(seeds) == [0, 1, 7, 8]
    assert pairs == {(arm, i, seed) for i, arm in enumerate(("one", "other", "new")) for seed in seeds}


def test_runs_that_are_declared_count_as_posted_ones_do(database: Database) -> None:
    experiment = experiment_of(database, posted(database)[0]).id
    with pytest.raises(TooManyRuns, match="would add 2"):
        declare(database, experiment, Limits(unfinished_runs=5), seeds=[7])
    with pytest.raises(QuotaExceeded):
        declare(database, experiment, Limits(quotas=Quotas(runs=5)), seeds=[7])
    assert runs(database) == 4
    declare(database, experiment, Limits(unfinished_runs=6, quotas=Quotas(runs=6)), seeds=[7])
    assert runs(database) == 6


def test_points_of_a_metric_after_the_end_are_counted(database: Database) -> None:
    run, failed, *others = posted(database)
    for one in (run, *others):
        end(database, one)
    end(database, failed, outcome="failed")
    experiment = experiment_of(database, run).id
    before = experiment_of(database, run).points
    declare(database, experiment, metrics=[{"name": "late", "direction": "min", "per": "step"}])
    assert send(database, run, [3, 2, 1], metric="late").stored == 3
    assert experiment_of(database, run).points == before + 3
    assert send(database, failed, [9], metric="late").stored == 1
    assert (of(database, run).status, of(database, failed).status) == ("succeeded", "failed")
    assert of(database, run).final == {"score": 0.5, "late": 1}
    with database.reading() as session:
        assert used(session)["project", "default"].points == experiment_of(database, run).points
    with database.transaction() as session:
        requests.delete(session, read.experiment(session, experiment))
    with database.reading() as session:
        assert used(session)["project", "default"] == Amount()


def test_a_failed_run_that_is_tried_again_begins_with_nothing(database: Database) -> None:
    run, *others = posted(database)
    for one in others:
        end(database, one)
    end(database, run, outcome="failed")
    experiment = experiment_of(database, run).id
    declare(database, experiment, metrics=[{"name": "late"}])
    with database.transaction() as session:
        requests.retry(session, read.experiment(session, experiment))
    end(database, run, 0.25)
    assert of(database, run).final == {"score": 0.25}
    with pytest.raises(Conflict, match="takes no more points"):
        send(database, run, [1], metric="late")
    assert send(database, others[0], [1], metric="late").stored == 1


def test_what_is_trained_here_or_fed_by_mlflow_has_its_own_way(database: Database) -> None:
    with database.transaction() as session:
        trained = submit(session, parse({"arms": [{}], "seeds": 1, "epochs": 1}), DatasetPaths())[0].id
    with pytest.raises(Conflict, match="is trained by this service"):
        declare(database, trained, seeds=[1])
    fed = experiment_of(database, posted(database, open=True)[0]).id
    declare(database, fed, seeds=[7])
    with database.transaction() as session:
        about = {"name": "x", "project": "default", "created": 0, "updated": 0}
        session.add(MlflowExperiment(experiment_id=fed, **about))
    with pytest.raises(Conflict, match="is fed by MLflow's clients"):
        declare(database, fed, seeds=[8])
