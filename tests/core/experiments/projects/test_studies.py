"""A study gives each experiment its level with the post, and nothing changes it afterwards."""

import itertools
from typing import Any

import pytest
from scipy.special import zeta
from sqlalchemy import delete, update

from core.errors import InvalidSpec, NotFound
from core.experiments.projects import ProjectSpec, create, studies
from core.experiments.projects import delete as delete_project
from core.experiments.projects.studies import Ruling, budget, enter, entries, record, study
from core.store import Database, Experiment, Study
from tests.at_once import at_once
from tests.core.experiments.projects.test_usage import post

SPEC: dict[str, Any] = {"study": "chain", "baseline": "a"}


def g(t: int) -> float:
    return float(t**-1.6 / zeta(1.6))


def place(database: Database, experiment_id: int, alpha: float = 0.05, project: str = "default") -> float:
    with database.transaction() as session:
        return enter(session, experiment_id, project, "chain", alpha)


def keep(database: Database, *ids: int) -> None:
    with database.transaction() as session:
        record(session, "default", "chain", [Ruling(one, "keep", "b", 0.001) for one in ids])


def levels(database: Database) -> list[float]:
    with database.reading() as session:
        return [entry.level for entry in entries(session, study(session, "default", "chain"))]


def test_levels_follow_from_what_was_known_at_the_post_and_stay(database: Database) -> None:
    assert place(database, 1) == pytest.approx(2 * 0.025 * g(1))
    assert place(database, 2) == pytest.approx(2 * 0.025 * g(2))
    before = levels(database)
    keep(database, 1)  # after the post of experiment 2
    assert levels(database) == before
    expected = 0.025 * g(3) + 0.025 * g(1)
    assert place(database, 3) == pytest.approx(2 * expected)
    keep(database, 2, 3)
    place(database, 4)
    fourth = 0.025 * g(4) + 0.025 * g(2) + 2 * 0.05 * g(1)
    assert levels(database) == [*before, pytest.approx(expected), pytest.approx(fourth)]


def test_a_report_is_never_judged_above_the_alpha_of_the_study(database: Database) -> None:
    for one in range(1, 12):
        assert place(database, one) <= 0.05
        keep(database, one)
    assert max(levels(database)) > 0.025


def test_what_is_decided_stays_decided(database: Database) -> None:
    place(database, 1)
    keep(database, 1)
    with database.transaction() as session:
        record(session, "default", "chain", [Ruling(1, "discard", None, 0.5), Ruling(99, "keep", "b", 0.0)])
        (entry,) = entries(session, study(session, "default", "chain"))
        assert (entry.decision, entry.arm, entry.p, entry.known_after) == ("keep", "b", 0.001, 1)


def test_the_budget_is_spent_and_earned(database: Database) -> None:
    place(database, 1)
    with database.reading() as session:
        one = study(session, "default", "chain")
        found = budget(one, entries(session, one))
        assert found.spent == pytest.approx(0.025 * g(1))
        assert found.left == pytest.approx(0.025 - found.spent)
        assert found.following == pytest.approx(2 * 0.025 * g(2))
    keep(database, 1)
    with database.reading() as session:
        one = study(session, "default", "chain")
        assert budget(one, entries(session, one)).left == pytest.approx(0.05 - found.spent)


def test_the_stored_spec_has_the_alpha_of_its_place(database: Database) -> None:
    first, second = post(database, **SPEC), post(database, **SPEC, seeds=3)
    with database.reading() as session:
        alphas = [session.get_one(Experiment, one).spec["alpha"] for one in (first, second)]
    assert alphas == [pytest.approx(0.05 * g(1)), pytest.approx(0.05 * g(2))]


def test_the_alpha_of_a_study_is_that_of_its_first_experiment(database: Database) -> None:
    post(database, **SPEC, alpha=0.1)
    post(database, **SPEC)
    assert levels(database) == [pytest.approx(0.05 * g(1)), pytest.approx(0.05 * g(2))]
    with pytest.raises(InvalidSpec, match=r"alpha: is given by the study 'chain', which has 0\.1"):
        post(database, **SPEC, alpha=0.2)
    assert len(levels(database)) == 2


def test_a_deleted_experiment_leaves_its_place(database: Database) -> None:
    first = post(database, **SPEC)
    with database.transaction() as session:
        session.execute(update(Experiment).where(Experiment.id == first).values(deleted_at=1.0))
        session.execute(delete(Experiment).where(Experiment.id == first))
    post(database, **SPEC)
    assert levels(database) == [pytest.approx(0.025 * g(1)), pytest.approx(0.025 * g(2))]


def test_studies_belong_to_projects_and_go_with_them(database: Database) -> None:
    with database.transaction() as session:
        create(session, ProjectSpec(name="nlp"))
    place(database, 1)
    place(database, 2, project="nlp")
    with database.transaction() as session:
        assert {one.project for one in studies.studies(session)} == {"default", "nlp"}
        assert [one.project for one in studies.studies(session, frozenset({"default"}))] == ["nlp"]
        delete_project(session, "nlp")
        assert [one.project for one in studies.studies(session)] == ["default"]
        with pytest.raises(NotFound, match="no study 'chain' in the project 'nlp'"):
            study(session, "nlp", "chain")


def test_places_are_given_once_when_many_post_at_once(database: Database) -> None:
    numbers = itertools.count(1)
    at_once(8, lambda: place(database, next(numbers)))
    with database.reading() as session:
        placed = entries(session, session.get_one(Study, ("default", "chain")))
        assert [entry.position for entry in placed] == [*range(1, 9)]
        assert sorted(entry.experiment_id for entry in placed) == [*range(1, 9)]
