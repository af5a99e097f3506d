"""Lists of experiments: conditions together, and pages in every order that lose nothing and bring nothing twice."""

import base64
import json
from typing import Any, get_args

import pytest
from sqlalchemy import update

from core.errors import InvalidSpec
from core.experiments.queries.lists import Filters, Sort, experiments
from core.experiments.requests import cancel
from core.store import Database, Experiment, Run
from tests.core.experiments.claims import queued

NAMES = ["beta", "Alpha", "gamma", "alpha", "Beta, again"]
DONE = [0, 30, 10, 30, 0]
"""Updates of each run, which has 15."""
ENDED = [5.0, None, 7.25, None, 5.0]


@pytest.fixture
def made(database: Database) -> list[int]:
    """Experiments of two runs, some of which are over."""
    ids = [queued(database, name=name, tags=[name[0].lower(), "all"]) for name in NAMES]
    with database.transaction() as session:
        for one, done, ended in zip(ids, DONE, ENDED, strict=True):
            session.execute(update(Run).where(Run.experiment_id == one).values(steps_done=done // 2))
            if ended:
                cancel(session, session.get_one(Experiment, one))
                session.get_one(Experiment, one).finished_at = ended
    return ids


def _paged(database: Database, sort: Sort, limit: int, **more: Any) -> list[int]:
    found: list[int] = []
    cursor = None
    while True:
        with database.reading() as session:
            page = experiments(session, limit=limit, cursor=cursor, sort=sort, **more)
        found += [one.id for one in page.items]
        assert page.total == len(NAMES) >= len(found), "something came twice"
        cursor = page.following
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_every_order_in_pages_and_reversed(database: Database, made: list[int], limit: int) -> None:
    orders = {
        "newest": [4, 3, 2, 1, 0],
        "oldest": [0, 1, 2, 3, 4],
        "name": [3, 1, 0, 4, 2],
        "finished": [2, 4, 0, 3, 1],
        "progress": [4, 3, 2, 1, 0],
    }
    assert orders.keys() == {*get_args(Sort)}
    for sort in get_args(Sort):
        whole = [made[place] for place in orders[sort]]
        assert _paged(database, sort, limit) == whole, sort
        assert _paged(database, sort, limit, reverse=True) == whole[::-1], sort


def test_what_is_least_done_is_found_among_what_runs(database: Database, made: list[int]) -> None:
    with database.transaction() as session:
        session.execute(update(Run).where(Run.experiment_id == made[3]).values(steps_done=3))
    with database.reading() as session:
        page = experiments(session, Filters(status=["queued"]), limit=9, sort="progress", reverse=True)
        assert [one.id for one in page.items] == [made[3], made[1]]


def test_a_page_goes_on_where_it_was_though_names_change(database: Database, made: list[int]) -> None:
    with database.reading() as session:
        first = experiments(session, limit=2, sort="name")
    with database.transaction() as session:
        session.delete(session.get_one(Experiment, made[1]))  # the last of that page
        session.get_one(Experiment, made[2]).name = "Omega"
    with database.reading() as session:
        rest = experiments(session, limit=9, sort="name", cursor=first.following)
        assert [one.id for one in rest.items] == [made[0], made[4], made[2]]


def test_all_tags_are_asked_for_together(database: Database, made: list[int]) -> None:
    def ids(**asked: Any) -> list[int]:
        with database.reading() as session:
            return [one.id for one in experiments(session, Filters(**asked), limit=9, sort="oldest").items]

    assert ids(tags=["all"]) == made
    assert ids(tags=["all", "a", "a"]) == [made[1], made[3]]
    assert ids(tags=["a", "b"]) == []
    assert ids(tags=["b"], status=["cancelled"]) == [made[0], made[4]]


def _cursor(value: Any, id_of: int = 1) -> str:
    return f"{id_of}." + base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("sort", "cursor"),
    [
        ("newest", _cursor("a")),
        ("newest", str(2**63)),
        ("name", "1"),
        ("name", _cursor(1.5)),
        ("name", _cursor("a\0")),
        ("name", _cursor("\ud800")),
        ("finished", _cursor("a")),
        ("finished", _cursor(1)),
        ("finished", _cursor(float("nan"))),
        ("progress", _cursor(float("inf"))),
        ("progress", _cursor(True)),
        ("name", "1.A"),
        ("name", "1.____"),
        ("name", "1." + base64.urlsafe_b64encode(b"[" * 500).decode().rstrip("=")),
    ],
)
def test_a_cursor_of_another_order_or_of_none_is_refused(database: Database, sort: Sort, cursor: str) -> None:
    with database.reading() as session, pytest.raises(InvalidSpec, match="cursor"):
        experiments(session, limit=1, sort=sort, cursor=cursor)
