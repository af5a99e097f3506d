"""What is stored is counted exactly, also when many post at once, and held to the quotas that name themselves."""

import itertools

import pytest
from sqlalchemy import update

from core.datasets import DatasetPaths
from core.experiments import projects
from core.experiments.projects import Amount, ProjectChange, ProjectSpec, QuotaExceeded, Quotas
from core.experiments.queries import read
from core.experiments.requests import Limits, cancel, delete
from core.spec import parse
from core.store import Database, Usage
from tests.at_once import at_once
from tests.core.experiments.submitting import submit

FOUR_RUNS = {"arms": [{"label": "a"}, {"label": "b"}], "seeds": 2, "epochs": 1, "model": {"name": "mlp", "hidden": [4]}}
NONE = Quotas()


def post(
    database: Database, own: Quotas = NONE, project: str = "default", owner: str | None = "lab", **more: object
) -> int:
    with database.transaction() as session:
        spec = parse(FOUR_RUNS | more)
        return submit(session, spec, DatasetPaths(), owner=owner, project=project, limits=Limits(quotas=own))[0].id


def used(database: Database, kind: str = "project", name: str = "default") -> Amount:
    with database.reading() as session:
        return projects.used(session).get((kind, name), Amount())


def change(database: Database, **fields: object) -> None:
    with database.transaction() as session:
        projects.change(session, "default", ProjectChange.model_validate(fields))


def test_what_is_posted_counts_and_what_is_deleted_does_not(database: Database) -> None:
    with database.transaction() as session:
        projects.create(session, ProjectSpec(name="nlp"))
    first, second = post(database), post(database, project="nlp")
    here = used(database)
    assert here.runs == 4
    assert used(database, "project", "nlp") == here
    assert used(database, "owner", "lab") == Amount(8, 2 * here.points)
    for number in (first, second):
        with database.transaction() as session:
            cancel(session, read.experiment(session, number))
            delete(session, read.experiment(session, number))
    assert {used(database), used(database, "owner", "lab"), used(database, "project", "nlp")} == {Amount()}


@pytest.mark.parametrize("whose", ["owner", "project"])
@pytest.mark.parametrize("quota", ["runs", "points"])
def test_a_quota_is_exact_and_its_refusal_names_it(database: Database, whose: str, quota: str) -> None:
    post(database)
    most = {quota: 2 * getattr(used(database), quota)}
    own = Quotas(**most) if whose == "owner" else NONE
    less = {quota: most[quota] - 1}
    if whose == "project":
        change(database, quotas=less)
    with pytest.raises(QuotaExceeded):
        post(database, Quotas(**less) if whose == "owner" else NONE)
    if whose == "project":
        change(database, quotas=most)
    post(database, own)  # as much as is allowed
    with pytest.raises(QuotaExceeded) as refusal:
        post(database, own)
    named = "lab" if whose == "owner" else "the project 'default'"
    assert f"the quota of {quota} of {named} is {most[quota]:,}: {most[quota]:,} are there" in refusal.value.detail
    assert (refusal.value.status, refusal.value.problems[0].path) == (403, f"quotas.{quota}")
    assert used(database).runs == 8, "what was refused counts nowhere"
    if whose == "owner":
        post(database, owner="other")


def test_posts_at_once_stay_within_a_quota(database: Database) -> None:
    change(database, quotas={"runs": 12})

    owners = itertools.cycle(["anna", "ben"])

    def one() -> bool:
        try:
            post(database, owner=next(owners))
        except QuotaExceeded:
            return False
        return True

    assert sum(at_once(6, one)) == 3
    assert used(database).runs == 12


def test_points_are_those_that_a_run_may_have(database: Database) -> None:
    """As many as are measured of the standard metrics, and of layers and averaged weights where they are asked for."""
    post(database)
    plain = used(database).points
    post(database, diagnostics={"every": 5}, ema_decay=0.9)
    assert used(database).points - plain > plain


def test_a_wrong_count_is_put_right(database: Database) -> None:
    post(database)
    there = used(database)
    datasets = [("default", "lab", 100), ("default", None, 10)]
    assert projects.recount(database, lambda: datasets)
    assert used(database) == there._replace(bytes=110)
    assert used(database, "owner", "lab") == there._replace(bytes=100)
    assert not projects.recount(database, lambda: datasets)
    with database.transaction() as session:
        session.execute(update(Usage).values(runs=99))
        session.add(Usage(kind="owner", name="gone", runs=1, points=1, bytes=1))
    assert projects.recount(database, lambda: datasets)
    assert (used(database).runs, used(database, "owner", "gone")) == (4, Amount())
