"""Runs that are trained elsewhere: two that post at once, silence, retries, cancels, looks, viewers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, update

from core.datasets import DatasetPaths
from core.errors import Conflict, InitlabError
from core.experiments import requests
from core.experiments.cohorts.events import events
from core.experiments.cohorts.external import LEAST_RESERVED
from core.experiments.cohorts.looks import look, looks_due
from core.experiments.maintenance import sweep
from core.experiments.maintenance.merging import BlockMerger
from core.experiments.projects import QuotaExceeded, Quotas
from core.experiments.queries import read
from core.experiments.queries.progress import progress_of
from core.experiments.queries.statistics import queue_stats
from core.experiments.requests.external import Column, Received, finish, heartbeat, receive
from core.experiments.requests.quotas import TooManyRuns
from core.external import parse
from core.store import Cohort, Database, Experiment, MetricBlock, Run
from tests.at_once import at_once
from tests.core.experiments.claims import take
from tests.core.experiments.viewer import Watching, stored

SPEC: dict[str, Any] = {
    "kind": "external",
    "arms": [{"label": "one"}, {"label": "other"}],
    "seeds": 2,
    "metrics": [{"name": "score", "direction": "max"}, {"name": "loss/a b", "direction": "min", "per": "step"}],
}
NO_QUOTAS = Quotas()


def posted(database: Database, most: int | None = None, **changes: Any) -> list[int]:
    """Post an experiment, of an owner who may have `most` unfinished runs, and return its runs."""
    spec = parse(SPEC | changes)
    draft = requests.draft_external(spec, requests.fingerprint_of(spec))
    with database.transaction() as session:
        made, wake_ups = requests.submit(session, draft, DatasetPaths(), limits=requests.Limits(most))
        assert not wake_ups
        return list(session.scalars(select(Run.id).where(Run.experiment_id == made.id).order_by(Run.id)))


def send(
    database: Database, run: int, values: Sequence[float], first: int = 0, metric: str = "score", **more: Any
) -> Received:
    with database.transaction() as session:
        column = Column(first, np.array(values, dtype=float), **more)
        return receive(session, run, {metric: column}, NO_QUOTAS)


def end(database: Database, run: int, value: float = 0.5, outcome: Any = "completed") -> None:
    with database.transaction() as session:
        finish(session, run, outcome, columns={"score": Column(0, np.array([value]))}, quotas=NO_QUOTAS)


def of(database: Database, run: int) -> Run:
    with database.reading() as session:
        return read.run(session, run)


def experiment_of(database: Database, run: int) -> Experiment:
    with database.reading() as session:
        return read.experiment(session, read.run(session, run).experiment_id)


def silence(database: Database, run: int) -> None:
    """Let nothing be heard of a run for longer than it may be silent, and sweep."""
    with database.transaction() as session:
        cohort = select(Run.cohort_id).where(Run.id == run).scalar_subquery()
        session.execute(update(Cohort).where(Cohort.id == cohort).values(lease_until=1.0))
    sweep(database, 0)


def test_no_worker_takes_it_and_nobody_waits_for_one(database: Database) -> None:
    posted(database)
    assert take(database) is None
    assert not sweep(database, 0).waiting
    with database.reading() as session:
        assert queue_stats(session).cohorts["queued"] == 0


def test_of_two_that_send_the_same_at_once_each_point_is_stored_once(database: Database) -> None:
    run = posted(database)[0]
    batches = [list(range(n, n + 10)) for n in range(0, 100, 10)]

    def client() -> int:
        return sum(send(database, run, batch, batch[0]).stored for batch in batches)

    assert sum(at_once(3, client)) == 100
    with database.reading() as session:
        (one,) = read.series(session, experiment_of(database, run).id)
    assert one.values.tolist() == list(range(100))


def test_of_two_that_send_different_points_at_once_one_is_refused(database: Database) -> None:
    run = posted(database)[0]

    values = iter((1.0, 2.0))

    def client() -> bool:
        try:
            return bool(send(database, run, [next(values)] * 5).stored)
        except Conflict:
            return False

    assert sorted(at_once(2, client)) == [False, True]


def test_steps_are_kept_as_they_were_said(database: Database) -> None:
    run = posted(database)[0]
    send(database, run, [1, 2], metric="loss/a b", steps=np.array([49, 99]))
    send(database, run, [3, 4, np.inf], 2, "loss/a b", steps=np.array([149, 150, 400]))
    send(database, run, [4, np.inf, 0.1], 3, "loss/a b", steps=np.array([150, 400, 401]))
    with database.reading() as session:
        (one,) = read.series(session, experiment_of(database, run).id)
        (part,) = read.series(session, experiment_of(database, run).id, first=100, last=400)
    assert (one.steps.tolist(), one.values.tolist()) == ([49, 99, 149, 150, 400, 401], [1, 2, 3, 4, np.inf, 0.1])
    assert (one.unit, part.steps.tolist()) == ("step", [149, 150, 400])
    assert of(database, run).steps_done == 402


def test_a_run_that_is_heard_of_again_counts_as_unfinished(database: Database) -> None:
    first = posted(database, most=4)[0]
    send(database, first, [0.1])
    silence(database, first)
    posted(database, most=7)
    send(database, first, [0.2], 1)
    with pytest.raises(TooManyRuns, match="8 runs of this service have not ended"):
        posted(database, most=11)
    posted(database, most=12)


def test_silence_loses_a_run_until_more_comes(database: Database) -> None:
    runs = posted(database, steps_per_epoch=10, steps=20)
    for run in runs[1:]:
        end(database, run)
    send(database, runs[0], [0.25])
    sweep(database, 0)
    assert of(database, runs[0]).status == "running", "it is not silent for long enough"
    silence(database, runs[0])
    lost = of(database, runs[0])
    assert (lost.status, lost.error) == ("failed", "lost: nothing was heard of it for 3600 s")
    assert (lost.steps_done, lost.steps_total) == (10, 10), "no more of it is counted on"
    assert experiment_of(database, lost.id).status == "failed"
    assert send(database, lost.id, [0.25, 0.5]) == Received(1, 1, stop=False)
    assert of(database, lost.id).steps_total == 20
    assert (of(database, lost.id).status, experiment_of(database, lost.id).status) == ("running", "running")
    silence(database, lost.id)
    with database.transaction() as session:
        assert heartbeat(session, lost.id)[:4] == ("running", None, False, {"score": 2})
    end(database, lost.id, 0.25)
    assert experiment_of(database, lost.id).status == "succeeded"
    with database.reading() as session:
        kinds = [event.kind for event in events(session, lost.experiment_id) if event.cohort_id == lost.cohort_id]
    assert kinds == ["started", "silent", "revived", "silent", "revived", "ended"]


def test_what_failed_waits_for_its_first_point_again(database: Database) -> None:
    runs = posted(database)
    send(database, runs[0], [0.25, 0.5])
    end(database, runs[0], 0.25, "failed")
    with pytest.raises(Conflict, match="has failed: retry"):
        send(database, runs[0], [0.75], 2)
    for run in runs[1:]:
        end(database, run)
    experiment = experiment_of(database, runs[0])
    assert experiment.points == 1_003, "a run counts for a thousand points at least until it has ended"
    with database.transaction() as session:
        requests.retry(session, read.experiment(session, experiment.id))
    assert experiment_of(database, runs[0]).points == 3
    with database.reading() as session:
        waits = progress_of(session, read.experiment(session, experiment.id)).next
        assert session.scalars(select(MetricBlock).where(MetricBlock.run_id == runs[0])).all() == []
    assert waits == [(runs[0], "one", 0)]
    end(database, runs[0], 0.75)
    assert of(database, runs[0]).final == {"score": 0.75}
    assert experiment_of(database, runs[0]).status == "succeeded"


def test_who_trains_what_was_cancelled_is_told_to_stop(database: Database) -> None:
    runs = posted(database)
    send(database, runs[0], [0.25])
    experiment = experiment_of(database, runs[0])
    with database.transaction() as session:
        requests.cancel(session, read.experiment(session, experiment.id))
    assert experiment_of(database, runs[0]).status == "cancelled"
    assert send(database, runs[0], [0.25, 0.5]) == Received(0, 0, stop=True)
    end(database, runs[1])
    assert of(database, runs[1]).status == "cancelled"
    with pytest.raises(Conflict, match="trained elsewhere"), database.transaction() as session:
        requests.pause(session, read.experiment(session, experiment.id))


def test_seeds_of_later_looks_wait_until_they_are_wanted(database: Database) -> None:
    seeds = {"from": 3, "to": 6, "looks": [3, 6]}
    runs = posted(database, seeds=seeds, arms=[{"label": label} for label in ("one", "other", "poor")])
    experiment = experiment_of(database, runs[0])

    def wanted() -> list[tuple[str, int]]:
        with database.reading() as session:
            return [(arm, seed) for _, arm, seed in progress_of(session, read.experiment(session, experiment.id)).next]

    def train() -> None:
        for arm, seed in wanted():
            with database.reading() as session:
                (run,) = read.runs(session, experiment.id, arm, seed)
            end(database, run.id, 0.9 + 0.01 * np.sin(run.id) - 0.5 * (arm == "poor"))

    assert wanted() == [(arm, seed) for seed in range(3) for arm in ("one", "other", "poor")]
    with database.reading() as session:
        held = next(run for run in read.runs(session, experiment.id) if run.seed == 3)
    with pytest.raises(Conflict, match="the look after 3 seeds"):
        send(database, held.id, [0.5])
    train()
    with database.transaction() as session:
        assert looks_due(session, experiment.id)
        assert look(session, experiment.id)
    assert wanted() == [(arm, seed) for seed in range(3, 6) for arm in ("one", "other")]
    train()
    sweep(database, 0)
    assert experiment_of(database, runs[0]).status == "succeeded"
    with database.reading() as session:
        results = read.results(session, read.experiment(session, experiment.id), DatasetPaths())
    assert len(results.looks) == 2


def test_a_viewer_has_what_is_stored_wherever_its_connection_breaks(database: Database) -> None:
    runs = posted(database)
    experiment = experiment_of(database, runs[0]).id
    watching = Watching(database, experiment)
    for n in range(6):
        send(database, runs[0], [n], n)
        send(database, runs[0], [n, n + 1], 2 * n, "loss/a b")
        send(database, runs[1], [n], n)
        watching.poll(most=1 + n % 2)
    end(database, runs[0], 0.0)
    BlockMerger(database).merge()
    with database.reading() as session:
        assert len(session.scalars(select(MetricBlock).where(MetricBlock.run_id == runs[0])).all()) == 2
    end(database, runs[1], 0.0, "failed")
    for _ in range(20):
        watching.poll(most=2)
    assert watching.viewer.whole() == stored(database, experiment)
    assert len(watching.viewer.whole()) == 3
    for run in runs[2:]:
        end(database, run)
    with database.transaction() as session:
        requests.retry(session, read.experiment(session, experiment))
    send(database, runs[1], [9.0])
    for _ in range(20):
        watching.poll(most=2)
    assert watching.viewer.whole() == stored(database, experiment)


def test_points_are_counted_against_quotas_as_they_come(database: Database) -> None:
    run = posted(database)[0]
    quotas = Quotas(points=5_000)
    with database.transaction() as session:
        receive(session, run, {"score": Column(0, np.zeros(4_000))}, quotas)
    with pytest.raises(QuotaExceeded), database.transaction() as session:
        receive(session, run, {"score": Column(4_000, np.zeros(2_000))}, quotas)
    assert of(database, run).posts == 1
    with database.transaction() as session:
        finish(session, run, "diverged", quotas=quotas)
    assert experiment_of(database, run).points == 4_000


def test_a_trained_run_takes_no_points(database: Database) -> None:
    with pytest.raises(InitlabError, match="there is no run 77"):
        send(database, 77, [1.0])


def test_programs_that_log_to_one_experiment_at_once_never_wait_for_each_other_in_a_ring(postgres: Database) -> None:
    """A run that begins locks experiment and usage in the order in which all points do: PostgreSQL ends a ring."""
    runs = posted(postgres, seeds=20)
    shares, values = [runs[i::8] for i in range(8)], [0.5] * LEAST_RESERVED

    def log() -> None:
        for run in shares.pop():
            for place in range(3):
                send(postgres, run, values, first=place * len(values))

    at_once(8, log)
    assert experiment_of(postgres, runs[0]).points == len(runs) * 3 * LEAST_RESERVED
