"""A cohort that is too wide for the memory becomes two of half its width, and nothing is done twice."""

import threading
import weakref
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from sqlalchemy import select, update

from core.datasets import DatasetPaths
from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.leases import Ended, Fenced, Flush, end, flush, poll_requests, renew
from core.experiments.cohorts.splitting import middle, split_cohort
from core.experiments.maintenance import sweep
from core.experiments.queries import read
from core.experiments.queries.progress import progress_of
from core.experiments.requests import cancel
from core.experiments.worker import worker as work
from core.experiments.worker.worker import Worker
from core.settings import Settings
from core.spec import parse
from core.store import Cohort, Database, Experiment, Run, Status, now
from core.training import Lane, train_lanes
from tests.core.experiments.claims import block, blocks, expire, plan_threads, queued, statuses, taken
from tests.core.experiments.submitting import submit


def _halve(database: Database, held: Claim, error: str = "no memory") -> str:
    with database.transaction() as session:
        renew(session, held, 30)
        return split_cohort(session, held, error)


def _seeds(database: Database) -> dict[int, list[int]]:
    """The seeds of each cohort's runs."""
    with database.reading() as session:
        rows = session.execute(select(Run.cohort_id, Run.seed).order_by(Run.cohort_id, Run.seed)).all()
    return {cohort: [row.seed for row in rows if row.cohort_id == cohort] for cohort in {r.cohort_id for r in rows}}


def _cohorts(database: Database) -> list[Cohort]:
    with database.reading() as session:
        return list(session.scalars(select(Cohort).order_by(Cohort.id)))


def test_both_halves_are_queued_as_the_whole_was(database: Database) -> None:
    experiment = queued(database, seeds=[3, 1, 2, 0], priority=4, device="cpu")
    plan_threads(database, 2)
    held = taken(database)
    with database.transaction() as session:
        session.execute(update(Cohort).values(checkpoint="file", checkpoint_sha256="0", checkpoint_step=7, lost=1))
        session.execute(update(Cohort).values(layout="loop"))
    assert _halve(database, held) == "queued"
    assert _seeds(database) == {1: [0, 1], 2: [2, 3]}
    assert statuses(database, experiment) == {"queued"}
    for half in _cohorts(database):
        assert (half.status, half.experiment_id, half.priority, half.device) == ("queued", experiment, 4, "cpu")
        assert (half.threads, half.layout, half.attempt, half.lost) == (2, "loop", 1, 1)
        assert (half.holder, half.lease_until, half.error) == (None, None, None)
        assert (half.checkpoint, half.checkpoint_sha256, half.checkpoint_step) == (None, None, 0)
    with database.reading() as session:
        assert session.get_one(Experiment, experiment).status == "queued"
    first, second = taken(database), taken(database)
    assert [lane.seed for lane in (*first.lanes, *second.lanes)] == [1, 0, 3, 2]
    assert {(half.attempt, half.threads, half.layout) for half in (first, second)} == {(2, 2, "loop")}


def test_runs_that_ended_stay_ended(database: Database) -> None:
    queued(database, seeds=3)
    held = taken(database)
    done = held.lanes[0].run
    with database.transaction() as session:
        renew(session, held, 30)
        flush(
            session,
            held,
            Flush(
                step=3,
                blocks=[block(lane.run) for lane in held.lanes],
                ended={done: Ended(outcome="diverged", steps=3, final={})},
            ),
        )
    assert _halve(database, held) == "queued"
    first, second = taken(database), taken(database)
    assert [[lane.seed for lane in half.lanes] for half in (first, second)] == [[1], [2]]  # no company that takes room
    assert blocks(database) == [(0, 3, 1)]


def test_one_run_left_of_many_is_tried_alone_before_it_fails(database: Database) -> None:
    experiment = queued(database, seeds=3)
    held = taken(database)
    ended = {lane.run: Ended(outcome="diverged", steps=3, final={}) for lane in held.lanes[:2]}
    with database.transaction() as session:
        renew(session, held, 30)
        flush(session, held, Flush(step=3, blocks=[block(lane.run) for lane in held.lanes], ended=ended))
    assert _halve(database, held) == "queued"
    alone = taken(database)
    assert [lane.seed for lane in alone.lanes] == [2]
    assert alone.attempt == 2
    with database.transaction() as session:
        end(session, alone, Status.SUCCEEDED)
        assert session.get_one(Experiment, experiment).status == "succeeded"


def test_a_zombie_cannot_halve_what_another_has(database: Database) -> None:
    queued(database, seeds=4)
    zombie = taken(database)
    expire(database, zombie)
    sweep(database, 0)
    live = taken(database, "host/2/0")
    for refused in (lambda: _halve(database, zombie), lambda: _halve_unguarded(database, zombie)):
        with pytest.raises(Fenced):
            refused()
    assert _seeds(database) == {1: [0, 1, 2, 3]}
    with database.transaction() as session:
        poll_requests(session, live)


def _halve_unguarded(database: Database, held: Claim) -> None:
    with database.transaction() as session:
        split_cohort(session, held, "no memory")


def test_a_cohort_is_halved_once(database: Database) -> None:
    """A commit that took effect, though its worker was told otherwise, is not done again."""
    queued(database, seeds=4)
    held = taken(database)
    _halve(database, held)
    with pytest.raises(Fenced):
        _halve(database, held)
    assert _seeds(database) == {1: [0, 1], 2: [2, 3]}


def test_one_run_alone_fails_and_says_what_to_do(database: Database) -> None:
    experiment = queued(database, seeds=1)
    assert _halve(database, taken(database), "RuntimeError: no memory") == "failed"
    assert statuses(database, experiment) == {"failed"}
    with database.reading() as session:
        [error] = progress_of(session, read.experiment(session, experiment)).errors
    assert "smaller batch_size" in error
    assert "RuntimeError: no memory" in error


def test_what_the_user_cancelled_is_not_queued_again(database: Database) -> None:
    experiment = queued(database, seeds=4)
    held = taken(database)
    with database.transaction() as session:
        cancel(session, read.experiment(session, experiment))
    assert _halve(database, held) == "cancelled"
    assert statuses(database, experiment) == {"cancelled"}
    assert len(_cohorts(database)) == 1


def test_cohorts_of_one_experiment_are_halved_at_once(database: Database) -> None:
    queued(database, cohorts=4, seeds=4)
    claims = [taken(database) for _ in range(4)]
    threads = [threading.Thread(target=_halve, args=(database, held)) for held in claims]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(seeds) for seeds in _seeds(database).values()] == [2] * 8


@pytest.mark.parametrize(
    ("seeds", "cut"),
    [
        ([0, 1], 1),
        ([0, 0], 1),
        ([0, 0, 1, 1], 2),
        ([0, 0, 1, 1, 2, 2], 2),  # not 3, within a seed
        ([0, 0, 0, 0, 0, 1], 3),  # not 5: that would hardly help
        ([0, 1, 2], 1),
        ([0, 0, 1, 1, 1], 2),
    ],
)
def test_the_runs_of_a_seed_stay_together(seeds: Sequence[int], cut: int) -> None:
    assert middle(seeds) == cut


class Crowded:
    """`train_lanes` on a machine whose memory ends, in the middle of training, above so many lanes."""

    def __init__(self, widest: int) -> None:
        self.widest = widest
        self.trained: list[list[int]] = []
        self._taken: list[weakref.ref[torch.Tensor]] = []

    def __call__(self, lanes: Sequence[Lane], *given: Any, **more: Any) -> None:
        assert [memory() for memory in self._taken if memory() is not None] == []  # given back before the next begins
        taken = torch.empty(len(lanes))
        self._taken.append(weakref.ref(taken))
        asked = 0

        def stopped() -> bool:
            nonlocal asked
            asked += 1
            if asked > 20 and len(lanes) > self.widest:
                torch.empty(2**50, dtype=torch.uint8)
            return bool(more["stopped"]())

        train_lanes(lanes, *given, **{**more, "stopped": stopped})
        self.trained.append([lane.run for lane in lanes])


@pytest.mark.parametrize(
    ("widest", "seeds", "status", "widths"), [(2, 3, "succeeded", [2, 2, 2]), (0, 1, "failed", [])]
)
def test_training_goes_on_at_the_width_that_fits(
    database: Database, monkeypatch: pytest.MonkeyPatch, widest: int, seeds: int, status: str, widths: list[int]
) -> None:
    arms: list[Any] = [{"initializer": "he_normal"}, {"initializer": "normal_rule"}]
    spec = parse({"arms": arms, "seeds": seeds, "epochs": 2, "model": {"name": "mlp", "hidden": [8], "dropout": 0.1}})
    with database.transaction() as session:
        experiment = submit(session, spec, DatasetPaths())[0].id
    crowded = Crowded(widest)
    monkeypatch.setattr(work, "train_lanes", crowded)
    url = database.engine.url.render_as_string(hide_password=False)
    worker = Worker(Settings(database_url=url), threading.Event(), cores=2)
    worker()
    worker.close()
    assert sorted(len(runs) for runs in crowded.trained) == widths
    assert len({run for runs in crowded.trained for run in runs}) == sum(widths)
    with database.reading() as session:
        assert session.get_one(Experiment, experiment).status == status
        assert {run.status for run in read.runs(session, experiment)} == {status}
        assert {cohort.lost for cohort in session.scalars(select(Cohort))} == {0}
        series = list(read.series(session, experiment, metrics=["train_loss"]))
        errors = progress_of(session, read.experiment(session, experiment)).errors
    if status == "succeeded":
        assert [one.steps.tolist() for one in series] == [list(range(2 * 15))] * 6
        assert errors == []
    else:
        assert all("one run alone" in error and "can't allocate memory" in error for error in errors)


def test_a_cohort_that_was_halved_waits_for_a_worker(database: Database) -> None:
    queued(database, seeds=4)
    _halve(database, taken(database))
    with database.transaction() as session:
        session.execute(update(Cohort).values(queued_at=now() - 5))
    assert sweep(database, 1).waiting["cpu"] == 2
