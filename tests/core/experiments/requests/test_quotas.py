"""How much one user may take: exactly so much, also when many programs post at once."""

import pytest
from sqlalchemy import event, func, select, update

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.experiments.cohorts.states import settle
from core.experiments.queries import read
from core.experiments.requests import Limits, cancel, retry
from core.experiments.requests.quotas import TooManyRuns, unfinished_runs
from core.spec import parse
from core.store import Cohort, Database, Experiment, Run
from tests.at_once import at_once
from tests.core.experiments.submitting import submit

FOUR_RUNS = {"arms": [{"label": "a"}, {"label": "b"}], "seeds": 2, "epochs": 1, "model": {"name": "mlp", "hidden": [4]}}


def _post(database: Database, most: int, owner: str | None = "lab", key: str | None = None) -> int:
    with database.transaction() as session:
        return submit(session, parse(FOUR_RUNS), DatasetPaths(), key, owner=owner, limits=Limits(most))[0].id


def _stored(database: Database) -> tuple[int, int]:
    with database.reading() as session:
        counted = [session.scalar(select(func.count()).select_from(table)) or 0 for table in (Experiment, Run)]
        return counted[0], counted[1]


def test_what_would_exceed_the_limit_is_refused_and_leaves_nothing(database: Database) -> None:
    first = _post(database, 11)
    _post(database, 11)
    with pytest.raises(TooManyRuns) as refusal:
        _post(database, 11)
    assert refusal.value.detail.startswith(
        "8 runs of this API key have not ended, and the experiment would add 4: 11 are"
    )
    assert _stored(database) == (2, 8)
    _post(database, 11, owner="other")
    _post(database, 11, owner=None)
    _post(database, 12)  # as many as are allowed
    with database.transaction() as session:
        cancel(session, read.experiment(session, first))
    _post(database, 12)


def test_what_waits_is_not_counted_while_there_cannot_be_too_much(database: Database) -> None:
    """Or a post would take longer the more wait."""
    _post(database, 100)
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *about: asked.append(about[2]))
    _post(database, 100)
    assert asked
    assert not [one for one in asked if "count(" in one]


def test_a_repetition_counts_once_and_is_answered_at_the_limit(database: Database) -> None:
    first = _post(database, 4, key="k")
    assert _post(database, 4, key="k") == first
    assert _stored(database) == (1, 4)


def test_a_run_that_ended_before_its_cohort_leaves_room(database: Database) -> None:
    """A cohort's runs may end one by one: its other runs alone count."""
    first = _post(database, 8)
    with database.transaction() as session:
        cohort = session.scalars(select(Run.cohort_id).where(Run.experiment_id == first)).first()
        one = session.scalars(select(Run.id).where(Run.cohort_id == cohort)).first()
        session.execute(update(Cohort).where(Cohort.id == cohort).values(status="running"))
        session.execute(update(Run).where(Run.id == one).values(status="succeeded"))
        settle(session, first)
        assert unfinished_runs(session, "lab") == 3
    _post(database, 7)


def test_a_retry_is_let_in_as_a_post_is(database: Database) -> None:
    first = _post(database, 4)
    with database.transaction() as session:
        session.execute(update(Experiment).values(status="running"))
        session.execute(update(Cohort).values(status="failed"))
        session.execute(update(Run).values(status="failed"))
        settle(session, first)
    _post(database, 4)
    with pytest.raises(TooManyRuns, match="would add 4: 7 are allowed"), database.transaction() as session:
        retry(session, read.experiment(session, first), Limits(7))
    with database.transaction() as session:
        assert unfinished_runs(session, "lab") == 4
        retry(session, read.experiment(session, first), Limits(8))
        assert unfinished_runs(session, "lab") == 8


def test_an_experiment_that_is_too_large_by_itself_never_will_be_let_in(database: Database) -> None:
    with pytest.raises(InvalidSpec, match="the experiment has 4 runs, and 3 may be unfinished at a time"):
        _post(database, 3)


def test_many_programs_with_one_key_get_exactly_what_it_may(database: Database) -> None:
    def is_accepted() -> bool:
        try:
            _post(database, 12)
        except TooManyRuns:
            return False
        return True

    assert sorted(at_once(8, is_accepted)) == [False] * 5 + [True] * 3
    assert _stored(database) == (3, 12)
