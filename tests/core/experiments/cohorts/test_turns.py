"""Experiments of one priority take turns: none waits until all of another is done."""

from core.experiments.cohorts.leases import end
from core.store import Database, Status
from tests.core.experiments.claims import queued, taken


def served(database: Database, times: int) -> list[int]:
    """The experiments whose cohorts one worker trains next, each to its end."""
    order = []
    for _ in range(times):
        held = taken(database)
        order.append(held.experiment_id)
        with database.transaction() as session:
            end(session, held, Status.SUCCEEDED)
    return order


def test_small_experiments_do_not_wait_for_the_end_of_a_large_one(database: Database) -> None:
    large = queued(database, cohorts=30, seeds=1)
    assert served(database, 2) == [large, large]
    small = [queued(database, cohorts=n, seeds=1) for n in (1, 2, 1)]
    a, b, c = small
    assert served(database, 8) == [large, a, b, c, large, b, large, large]
    assert served(database, 24) == [large] * 24


def test_a_stream_of_newcomers_does_not_starve_a_large_one(database: Database) -> None:
    """There is always one that has never been served."""
    large = queued(database, cohorts=4, seeds=1)
    assert served(database, 1) == [large]
    order = []
    for _ in range(6):
        queued(database, seeds=1)
        order += served(database, 1)
    assert order.count(large) == 3


def test_turns_are_taken_within_a_priority(database: Database) -> None:
    common = queued(database, cohorts=2, seeds=1)
    urgent = queued(database, cohorts=3, seeds=1, priority=1)
    assert served(database, 2) == [urgent, urgent]
    other = queued(database, seeds=1, priority=1)
    assert served(database, 4) == [urgent, other, common, common]


def test_a_cohort_that_is_given_back_has_had_its_turn(database: Database) -> None:
    first, second = queued(database, seeds=1), queued(database, seeds=1)
    held = taken(database)
    assert held.experiment_id == first
    with database.transaction() as session:
        end(session, held, Status.QUEUED)
    assert served(database, 2) == [second, first]
