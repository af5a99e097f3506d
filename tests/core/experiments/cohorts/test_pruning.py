"""Cohorts that wait for each other, whatever happens to them meanwhile; and what is decided there."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from core.datasets import DatasetPaths
from core.errors import Conflict
from core.experiments.cohorts.events import events
from core.experiments.cohorts.leases import Ended, Fenced, Flush, end, flush, renew
from core.experiments.cohorts.pruning import decide, wait
from core.experiments.cohorts.recovery import recover_attempt
from core.experiments.cohorts.splitting import split_cohort
from core.experiments.maintenance import sweep
from core.experiments.queries import read
from core.experiments.queries.progress import progress_of
from core.experiments.queries.statistics import queue_stats
from core.experiments.requests import cancel, delete, pause, resume, retry
from core.store import Database, Status
from tests.at_once import at_once
from tests.core.experiments.at_rungs import ACCURACY, arrive, cohorts, posted, rungs, runs
from tests.core.experiments.claims import expire, take, taken

PRUNED = {"good": {("queued", None)}, "fair": {("queued", None)}, "zeros": {("succeeded", "pruned")}}


def test_the_last_to_come_decides_and_the_rest_goes_on(database: Database) -> None:
    experiment = posted(database)
    held = [taken(database) for _ in range(3)]
    assert {one.rung for one in held} == {1}
    for one in held[:2]:
        arrive(database, one)
        assert rungs(database, experiment) == []
    assert take(database) is None, "who waits is not taken"
    with database.reading() as session:
        stats = queue_stats(session)
    assert (stats.cohorts["waiting"], stats.cohorts["queued"], stats.cohorts["running"]) == (2, 0, 1)
    assert sum(sweep(database, 0).waiting.values()) == 0, "nor rung for"
    arrive(database, held[2])
    assert runs(database, experiment) == PRUNED
    [decision] = rungs(database, experiment)
    [one] = decision["pruned"]
    assert (decision["epoch"], one["arm"], one["best"], one["n"]) == (1, "zeros", "good", 3)
    assert one["difference"] == pytest.approx(0.801)
    with database.reading() as session:
        [record] = [event for event in events(session, experiment) if event.kind == "rung"]
        zeros = [run for run in read.runs(session, experiment) if run.arm == "zeros"]
        found = read.results(session, read.experiment(session, experiment), DatasetPaths())
        [arm] = [arm for arm in progress_of(session, read.experiment(session, experiment)).arms if arm.pruned]
    assert (arm.label, arm.pruned, arm.runs_done) == ("zeros", 3, 3)
    assert [(run.steps_done, run.final) for run in zeros] == [(2, {"train_loss": 1.0, "valid_accuracy": 0.1})] * 3
    assert list(found.rungs) == [decision] == [record.detail]
    again = [taken(database), taken(database)]
    assert take(database) is None
    assert [(one.rung, one.resume_from and one.resume_from.epochs, one.pruned_at) for one in again] == [(2, 1, {})] * 2


def test_a_cohort_goes_on_without_the_runs_of_pruned_arms(database: Database) -> None:
    arms = [{"label": label, "initializer": "he_normal"} for label in ACCURACY]
    experiment = posted(database, arms=arms)
    held = taken(database)
    assert len(held.lanes) == 9, "one cohort"
    arrive(database, held)
    assert runs(database, experiment) == PRUNED
    again = taken(database)
    zeros = {lane.run for lane in again.lanes if again.arms[lane.run] == "zeros"}
    assert (set(again.ended), set(again.pruned_at), set(again.pruned_at.values())) == (zeros, zeros, {1})


def test_second_trainings_wait_and_end_with_the_first_and_decide_nothing(database: Database) -> None:
    """By their own numbers the best arm would be the worst."""
    experiment = posted(database, repeat={"rounding": True})
    held = [taken(database) for _ in range(6)]
    assert sorted(one.lanes[0].repeat for one in held) == [False] * 3 + [True] * 3
    for one in held:
        assert rungs(database, experiment) == []
        arrive(database, one)
    assert runs(database, experiment) == PRUNED
    [decision] = rungs(database, experiment)
    [one] = decision["pruned"]
    assert (one["arm"], one["best"], one["n"], one["difference"]) == ("zeros", "good", 3, pytest.approx(0.801))
    assert len(again := [taken(database) for _ in range(4)]) == 4
    assert sorted(one.lanes[0].repeat for one in again) == [False] * 2 + [True] * 2


def test_after_the_last_rung_they_train_to_their_end(database: Database) -> None:
    experiment = posted(database)
    for rung, left in ((1, 3), (2, 2), (4, 2)):
        for _ in range(left):
            held = taken(database)
            assert held.rung == rung
            arrive(database, held)
    assert [decision["epoch"] for decision in rungs(database, experiment)] == [1, 2, 4]
    held = taken(database)
    assert held.rung is None


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_who_comes_first_decides_nothing(database: Database, order: Sequence[int]) -> None:
    experiment = posted(database)
    held = [taken(database) for _ in range(3)]
    for i in order:
        arrive(database, held[i])
    assert runs(database, experiment) == PRUNED
    assert [one["arm"] for decision in rungs(database, experiment) for one in decision["pruned"]] == ["zeros"]


def test_a_sweep_decides_for_one_that_was_killed_before_it_could(database: Database) -> None:
    experiment = posted(database)
    for held in [taken(database) for _ in range(3)]:
        arrive(database, held, deciding=False)
    assert rungs(database, experiment) == []
    assert cohorts(database, experiment) == [("queued", 1)] * 3
    swept = sweep(database, 3600)
    assert runs(database, experiment) == PRUNED
    assert cohorts(database, experiment) == [("queued", None), ("queued", None), ("succeeded", None)]
    assert swept.waiting["cpu"] == 2, "and wakes workers up for those that go on"
    sweep(database, 0)
    assert len(rungs(database, experiment)) == 1


def test_one_that_nobody_has_taken_yet_is_waited_for(database: Database) -> None:
    experiment = posted(database)
    for held in [taken(database) for _ in range(2)]:
        arrive(database, held)
    assert (rungs(database, experiment), cohorts(database, experiment)[2]) == ([], ("queued", None))


def test_one_that_was_lost_on_the_way_is_waited_for(database: Database) -> None:
    experiment = posted(database)
    first, second, third = [taken(database) for _ in range(3)]
    arrive(database, first)
    arrive(database, third)
    expire(database, second)
    assert sweep(database, 3600).rescued == 1
    assert rungs(database, experiment) == []
    again = taken(database)
    assert (again.cohort_id, again.attempt) == (second.cohort_id, 2)
    with pytest.raises(Fenced), database.transaction() as session:
        wait(session, second)
    arrive(database, again)
    assert runs(database, experiment) == PRUNED


def test_one_that_has_failed_is_not_waited_for_and_joins_when_it_is_tried_again(database: Database) -> None:
    """Its arm cannot be judged; tried again, it trains up to the next rung, or leaves where its arm was pruned."""
    experiment = posted(database)
    first, second, third = [taken(database) for _ in range(3)]
    for held in (first, third):
        arrive(database, held)
    with database.transaction() as session:
        end(session, second, Status.FAILED, error="why")
    assert sweep(database, 3600).waiting["cpu"] == 1  # finds that nobody is on his way any more
    [decision] = rungs(database, experiment)
    assert (decision["arms"], [one["arm"] for one in decision["pruned"]]) == (2, ["zeros"])
    assert runs(database, experiment)["fair"] == {("failed", None)}
    with database.transaction() as session:
        retry(session, read.experiment(session, experiment))
    claims = {held.arms[held.lanes[0].run]: held for held in (taken(database), taken(database))}
    assert {arm: held.rung for arm, held in claims.items()} == {"good": 2, "fair": 2}
    for held in claims.values():
        arrive(database, held)
    assert [decision["arms"] for decision in rungs(database, experiment)] == [2, 2]


def test_a_failed_run_of_an_arm_that_was_pruned_leaves_where_its_arm_did(database: Database) -> None:
    """Half of its seeds failed, and the others told enough."""
    arms = [{"label": label, "initializer": "he_normal"} for label in ACCURACY]
    experiment = posted(database, seeds=6, arms=arms)
    held = taken(database)
    with database.transaction() as session:
        renew(session, held, 30)
        split_cohort(session, held, "no memory")
    first, second = taken(database), taken(database)
    with database.transaction() as session:
        end(session, first, Status.FAILED, error="why")
    arrive(database, second)
    assert runs(database, experiment)["zeros"] == {("failed", None), ("succeeded", "pruned")}
    with database.transaction() as session:
        retry(session, read.experiment(session, experiment))
    claims = [taken(database), taken(database)]
    [again] = [one for one in claims if one.cohort_id == first.cohort_id]
    zeros = {lane.run for lane in again.lanes if again.arms[lane.run] == "zeros"}
    assert len(zeros) == 3
    assert again.pruned_at == dict.fromkeys(zeros, 1)
    assert not again.ended


def test_both_halves_of_one_are_waited_for(database: Database) -> None:
    experiment = posted(database, seeds=6)
    first, second, third = [taken(database) for _ in range(3)]
    arrive(database, first)
    arrive(database, third)
    with database.transaction() as session:
        renew(session, second, 30)
        split_cohort(session, second, "no memory")
    halves = [taken(database), taken(database)]
    assert {one.rung for one in halves} == {1}
    arrive(database, halves[0])
    assert rungs(database, experiment) == []
    arrive(database, halves[1])
    assert runs(database, experiment) == PRUNED


def test_a_cancel_ends_those_that_wait(database: Database) -> None:
    experiment = posted(database)
    first, second, _ = [taken(database) for _ in range(3)]
    arrive(database, first)
    with database.transaction() as session:
        cancel(session, read.experiment(session, experiment))
    assert cohorts(database, experiment)[0] == ("cancelled", 1)
    arrive(database, second)
    assert cohorts(database, experiment)[1] == ("cancelled", None), "who comes now does not wait"
    assert sweep(database, 0).waiting == {}
    assert rungs(database, experiment) == []


def test_a_pause_stops_those_that_go_on_and_no_decision(database: Database) -> None:
    experiment = posted(database)
    held = [taken(database) for _ in range(3)]
    arrive(database, held[0])
    with database.transaction() as session:
        pause(session, read.experiment(session, experiment))
        wake_ups = resume(session, read.experiment(session, experiment))
        assert sum(wake_ups.values()) == 0, "the one that waits needs no worker"
        pause(session, read.experiment(session, experiment))
    for one in held[1:]:
        arrive(database, one)
    assert runs(database, experiment) == PRUNED
    assert take(database) is None
    with database.transaction() as session:
        assert resume(session, read.experiment(session, experiment))["cpu"] == 2
    assert taken(database).rung == 2


def test_what_has_not_ended_cannot_be_deleted_while_it_waits(database: Database) -> None:
    experiment = posted(database)
    for held in [taken(database) for _ in range(2)]:
        arrive(database, held)
    with pytest.raises(Conflict), database.transaction() as session:
        delete(session, read.experiment(session, experiment))


@pytest.mark.parametrize(("diverging", "best"), [("fair", "good"), ("good", "fair"), ("zeros", None)])
def test_a_run_that_stopped_early_or_diverged_is_judged_by_what_it_has(
    database: Database, diverging: str, best: str | None
) -> None:
    """One of "zeros" had stopped early. Who lost a run of four is not the best, and ranks of so few decide nothing."""
    experiment = posted(database, seeds=4)
    held = {one.arms[one.lanes[0].run]: one for one in (taken(database) for _ in range(3))}
    zeros = held["zeros"]
    stopped = Ended(outcome="stopped_early", steps=1, final={"valid_accuracy": 0.2})
    diverged = Ended(outcome="diverged", steps=1, final={"valid_accuracy": None})
    with database.transaction() as session:
        for one in held.values():
            renew(session, one, 30)
        flush(session, zeros, Flush(step=1, ended={zeros.lanes[2].run: stopped}))
        flush(session, held[diverging], Flush(step=1, ended={held[diverging].lanes[1].run: diverged}))
    for one in held.values():
        with database.transaction() as session:
            recover_attempt(session, one.cohort_id, one.attempt, "killed")
    for one in [taken(database) for _ in range(3)]:
        arrive(database, one)
    [decision] = rungs(database, experiment)
    if best is None:
        assert (decision["arms"], decision["pruned"]) == (3, [])
        return
    [found] = decision["pruned"]
    differences = ACCURACY[best] + np.array([0, 0.001, 0.002, 0]) - [0.1, 0.1, 0.2, 0.1]
    assert (found["arm"], found["best"], found["n"]) == ("zeros", best, 4)
    assert found["difference"] == pytest.approx(np.mean(differences))
    assert runs(database, experiment)["zeros"] == {("succeeded", "pruned"), ("succeeded", "stopped_early")}


def test_two_that_would_decide_at_once_decide_once(database: Database) -> None:
    experiment = posted(database)
    for held in [taken(database) for _ in range(3)]:
        arrive(database, held, deciding=False)

    def try_to() -> bool:
        with database.transaction() as session:
            return decide(session, experiment)

    assert sorted(at_once(4, try_to)) == [False, False, False, True]
    assert len(rungs(database, experiment)) == 1
