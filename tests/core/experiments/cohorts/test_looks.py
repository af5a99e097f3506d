"""Cohorts of seeds that a look holds, whatever happens to them meanwhile; and what looks do."""

from collections import Counter
from collections.abc import Sequence

import pytest
from sqlalchemy import func, select

from core.datasets import DatasetPaths
from core.errors import InvalidSpec, NotFound
from core.experiments import projects
from core.experiments.cohorts.events import events
from core.experiments.cohorts.looks import look, looks_due
from core.experiments.cohorts.splitting import split_cohort
from core.experiments.maintenance import sweep
from core.experiments.queries import read
from core.experiments.queries.progress import progress_of
from core.experiments.queries.statistics import queue_stats
from core.experiments.requests import Limits, cancel, delete, pause, resume, retry
from core.experiments.requests.quotas import unfinished_runs
from core.store import Database, Experiment, Run, Status
from tests.at_once import at_once
from tests.core.experiments.at_looks import SEEDS, finish, looks, posted, state, taken_look
from tests.core.experiments.claims import expire, take, taken

DONE, HELD4, HELD8, READY = ("succeeded", None), ("queued", 4), ("queued", 8), ("queued", None)


def trained(database: Database, experiment: int) -> dict[str, int]:
    """The runs of each arm that are there."""
    with database.reading() as session:
        return dict(Counter(run.arm for run in read.runs(session, experiment)))


def all_of(database: Database, times: int = 3) -> None:
    for _ in range(times):
        finish(database, taken(database))


def test_the_last_to_end_looks_and_only_arms_in_open_comparisons_go_on(database: Database) -> None:
    experiment = posted(database)
    assert state(database, experiment) == ("queued", 4, [READY] * 3 + [HELD4] * 3 + [HELD8] * 3)
    for ended in range(3):
        assert not taken_look(database, experiment), f"{ended} of 3 have ended"
        finish(database, taken(database))
    assert take(database) is None, "who is held is not taken"
    assert state(database, experiment) == ("running", 4, [DONE] * 3 + [HELD4] * 3 + [HELD8] * 3)
    with database.reading() as session:
        stats = queue_stats(session)
    assert (stats.cohorts["waiting"], stats.cohorts["queued"]) == (6, 0)
    assert taken_look(database, experiment)
    assert not taken_look(database, experiment), "nothing twice"
    assert state(database, experiment) == ("running", 8, [DONE] * 3 + [READY] * 2 + [HELD8] * 2)
    assert trained(database, experiment) == {"one": 12, "other": 12, "poor": 4}
    all_of(database, 2)
    assert taken_look(database, experiment)
    all_of(database, 2)
    assert state(database, experiment)[:2] == ("running", 12), "the last look is due"
    assert taken_look(database, experiment)
    assert state(database, experiment) == ("succeeded", None, [DONE] * 7)
    found = looks(database, experiment)
    assert [(one["seeds"], one["arms"]) for one in found] == [(4, ["one", "other"]), (8, ["one", "other"]), (12, [])]
    with database.reading() as session:
        results = read.results(session, read.experiment(session, experiment), DatasetPaths())
        told = [event.detail for event in events(session, experiment) if event.kind == "look"]
    assert list(results.looks) == found
    assert results.design.seeds == [*range(12)]
    assert [(one["seeds"], len(one["decided"]), one["open"]) for one in told] == [(4, 2, 1), (8, 0, 1), (12, 0, 1)]


def test_where_all_is_decided_it_ends_and_what_was_held_is_gone(database: Database) -> None:
    """Its runs are counted for the most until then, and no more after."""
    arms = [{"label": label, "batch_size": 100 + i} for i, label in enumerate(["one", "poor"])]
    experiment = posted(database, arms=arms, owner="me")
    with database.reading() as session:
        before, points = projects.used(session)["owner", "me"], session.get_one(Experiment, experiment).points
        assert (before.runs, unfinished_runs(session, "me")) == (24, 24)
    all_of(database, 2)
    assert taken_look(database, experiment)
    assert state(database, experiment) == ("succeeded", None, [DONE] * 2)
    assert trained(database, experiment) == {"one": 4, "poor": 4}
    with database.reading() as session:
        one = read.experiment(session, experiment)
        progress = progress_of(session, one)
        after = projects.used(session)["owner", "me"]
        results = read.results(session, one, DatasetPaths())
    assert (progress.runs_done, progress.runs_total, progress.eta_seconds) == (8, 8, None)
    assert (after.runs, after.points) == (8, one.points) == (8, points / 3)
    assert results.design.seeds == [0, 1, 2, 3]
    with database.transaction() as session:
        delete(session, read.experiment(session, experiment))
    with database.reading() as session:
        assert projects.used(session)["owner", "me"][:2] == (0, 0)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_who_comes_first_decides_nothing(database: Database, order: Sequence[int]) -> None:
    experiment = posted(database)
    held = [taken(database) for _ in range(3)]
    for i in order:
        finish(database, held[i])
    assert taken_look(database, experiment)
    assert trained(database, experiment) == {"one": 12, "other": 12, "poor": 4}


def test_a_sweep_looks_for_one_that_was_killed_before_it_could(database: Database) -> None:
    experiment = posted(database)
    all_of(database)
    assert looks(database, experiment) == []
    swept = sweep(database, 3600)
    assert swept.waiting["cpu"] == 2, "and wakes workers up for those that go on"
    sweep(database, 0)
    assert [one["seeds"] for one in looks(database, experiment)] == [4]


def test_two_that_look_at_once_look_once(database: Database) -> None:
    experiment = posted(database)
    all_of(database)
    assert sorted(at_once(2, lambda: taken_look(database, experiment))) == [False, True]
    assert len(looks(database, experiment)) == 1
    with database.reading() as session:
        assert [event.kind for event in events(session, experiment)].count("look") == 1


def test_one_that_was_lost_is_waited_for_and_its_halves_are(database: Database) -> None:
    experiment = posted(database)
    first, second, third = [taken(database) for _ in range(3)]
    finish(database, first)
    finish(database, third)
    expire(database, second)
    assert sweep(database, 3600).rescued == 1
    again = taken(database)
    with database.transaction() as session:
        assert split_cohort(session, again, "no memory") == Status.QUEUED
    assert not taken_look(database, experiment)
    all_of(database, 2)
    assert taken_look(database, experiment)
    assert trained(database, experiment) == {"one": 12, "other": 12, "poor": 4}


def test_one_that_has_failed_is_not_waited_for_and_is_judged_at_the_next_look_when_it_is_tried_again(
    database: Database,
) -> None:
    experiment = posted(database)
    finish(database, taken(database), Status.FAILED)
    all_of(database, 2)
    assert taken_look(database, experiment)
    [first] = looks(database, experiment)
    assert {(one["a"], one["b"]): (one["n"], one["decision"]) for one in first["pairs"]} == {
        ("one", "other"): (0, "open"),
        ("one", "poor"): (0, "open"),
        ("other", "poor"): (4, "better"),
    }
    with database.transaction() as session:
        retry(session, read.experiment(session, experiment))
    all_of(database)
    assert not taken_look(database, experiment), "the one that was tried again is waited for"
    finish(database, taken(database))
    assert taken_look(database, experiment)
    assert [(one["b"], one["n"], one["decision"]) for one in looks(database, experiment)[1]["pairs"]] == [
        ("other", 8, "open"),
        ("poor", 8, "better"),
    ]


def test_where_everything_failed_there_is_nothing_to_look_at_until_it_is_tried_again(database: Database) -> None:
    experiment = posted(database, owner="me")
    for _ in range(3):
        finish(database, taken(database), Status.FAILED)
    assert not taken_look(database, experiment)
    assert state(database, experiment) == ("failed", 4, [("failed", None)] * 3 + [HELD4] * 3 + [HELD8] * 3)
    with database.transaction() as session:
        cancel(session, read.experiment(session, experiment))
    assert state(database, experiment)[:2] == ("failed", 4), "it has ended"
    with pytest.raises(InvalidSpec, match="36 runs"), database.transaction() as session:
        retry(session, read.experiment(session, experiment), Limits(unfinished_runs=35))
    with database.transaction() as session:
        assert retry(session, read.experiment(session, experiment), Limits(unfinished_runs=36))["cpu"] == 3
    all_of(database)
    assert taken_look(database, experiment)
    assert trained(database, experiment) == {"one": 12, "other": 12, "poor": 4}


def test_a_cancel_ends_what_is_held_too_and_no_look_is_taken(database: Database) -> None:
    experiment = posted(database)
    held = taken(database)
    with database.transaction() as session:
        cancel(session, read.experiment(session, experiment))
    finish(database, held, Status.CANCELLED)
    assert state(database, experiment) == (
        "cancelled",
        None,
        [("cancelled", None)] * 3 + [("cancelled", 4)] * 3 + [("cancelled", 8)] * 3,
    )
    assert not taken_look(database, experiment)
    assert looks(database, experiment) == []


def test_a_cancel_while_a_look_is_due_is_heard(database: Database) -> None:
    experiment = posted(database)
    all_of(database)
    with database.transaction() as session:
        cancel(session, read.experiment(session, experiment))
    assert state(database, experiment)[:2] == ("cancelled", None)
    assert not taken_look(database, experiment)


def test_paused_ones_are_looked_at_and_wait_for_the_user(database: Database) -> None:
    experiment = posted(database)
    all_of(database)
    with database.transaction() as session:
        pause(session, read.experiment(session, experiment))
    assert taken_look(database, experiment)
    assert take(database) is None
    with database.transaction() as session:
        assert resume(session, read.experiment(session, experiment))["cpu"] == 2
    assert len(taken(database).lanes) == 4


def test_second_trainings_are_held_with_the_first_and_decide_nothing(database: Database) -> None:
    experiment = posted(database, repeat={"rounding": True})
    all_of(database, 5)
    assert not taken_look(database, experiment)
    finish(database, taken(database))
    assert taken_look(database, experiment)
    assert trained(database, experiment) == {"one": 24, "other": 24, "poor": 8}


def test_runs_of_one_cohort_go_on_without_those_that_nobody_needs(database: Database) -> None:
    arms = [{"label": label, "initializer": "he_normal"} for label in ("one", "other", "poor")]
    experiment = posted(database, arms=arms, seeds=SEEDS)
    held = taken(database)
    assert len(held.lanes) == 12, "one cohort"
    finish(database, held)
    assert taken_look(database, experiment)
    again = taken(database)
    assert {(again.arms[lane.run], lane.seed) for lane in again.lanes} == {
        (arm, seed) for arm in ("one", "other") for seed in range(4, 8)
    }


def test_of_one_that_was_deleted_nothing_is_looked_at(database: Database) -> None:
    with database.transaction() as session, pytest.raises(NotFound):
        look(session, 7)
    with database.reading() as session:
        assert looks_due(session) == []
        assert session.scalar(select(func.count()).select_from(Run)) == 0
