"""A worker in this process: what it stores is what was trained, whatever happens to its database or to itself."""

import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
import torch
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from core.datasets import DatasetPaths
from core.experiments.queries import read
from core.experiments.queries.progress import progress_of
from core.experiments.requests import cancel
from core.experiments.worker import worker
from core.experiments.worker.worker import Worker
from core.metrics import epoch_metrics, metric_names
from core.metrics.gradient_noise import NOISE_METRICS
from core.metrics.layers import DIAGNOSTICS
from core.settings import Settings
from core.spec import Spec, parse
from core.store import Cohort, Database, EpochValue, Experiment
from core.training import Profile, TrainOptions, train, train_lanes
from core.training.planning.profile import Costs, CostsByLayout
from tests.core.experiments.submitting import submit

OF_EPOCHS = epoch_metrics("multiclass", 10)
MEASURED = set(DIAGNOSTICS) - {"activation_saturated"}
"""Of two layers, the first with a rectifier."""

SMALL: dict[str, Any] = {
    "model": {"name": "mlp", "hidden": [8], "dropout": 0.1},
    "arms": [{"initializer": "he_normal"}, {"initializer": "normal_rule", "schedule": "cosine"}],
    "seeds": 2,
    "diagnostics": {"every": 7},
}


def _spec(epochs: int) -> Spec:
    return parse(SMALL | {"epochs": epochs})


def _posted(database: Database, spec: Spec) -> int:
    with database.transaction() as session:
        return submit(session, spec, DatasetPaths())[0].id


@contextmanager
def _working(database: Database, draining: threading.Event | None = None) -> Iterator[Worker]:
    url = database.engine.url.render_as_string(hide_password=False)
    worker = Worker(Settings(database_url=url), draining or threading.Event(), cores=2)
    with closing(worker):
        yield worker


def _work(database: Database, draining: threading.Event | None = None) -> int:
    with _working(database, draining) as worker:
        return worker()


def _status(database: Database, experiment: int) -> str:
    with database.reading() as session:
        return session.get_one(Experiment, experiment).status


def _assert_as_trained(database: Database, experiment: int, spec: Spec) -> None:
    """Every series is, bit for bit, what the library gives without a database."""
    expected = train(spec, DatasetPaths())
    runs = len(spec.expanded) * len(spec.seed_list)
    noise = NOISE_METRICS if spec.kind == "batch_size_scan" else ()
    with database.reading() as session:
        for metric in (*metric_names("step"), *OF_EPOCHS, *noise, *MEASURED):
            stored = {(s.arm, s.seed, s.metric): s for s in read.series(session, experiment, metrics=[metric])}
            wanted = {(s.arm, s.seed, s.metric): s for s in expected.series(metric)}
            assert stored.keys() == wanted.keys()
            assert len(wanted) == runs * (2 if metric in MEASURED - {"activation_dead"} else 1)
            for key, series in wanted.items():
                assert stored[key].steps.tolist() == series.steps.tolist(), (metric, key)
                assert stored[key].values.tolist() == series.values.tolist(), (metric, key)


RANGE = {"kind": "lr_range_test", "lr_range": {"steps": 20, "smoothing": 0.5}, "arms": SMALL["arms"][:1]}


SCAN = {
    "kind": "batch_size_scan",
    "batch_size_scan": {"sizes": [100, 400], "rule": "sqrt", "noise_every": 2},
    "target": {"metric": "valid_loss", "value": 1.0},
    "epochs": 2,
}
SGD = {"name": "sgd", "lr": 0.3, "momentum": 0.9}
KINDS = {"comparison": _spec(epochs=3), "range test": parse(SMALL | RANGE), "scan": parse(SMALL | SCAN)}


@pytest.mark.parametrize("spec", KINDS.values(), ids=KINDS)
def test_what_is_stored_is_what_was_trained(database: Database, spec: Spec) -> None:
    experiment = _posted(database, spec)
    assert _work(database) == len({arm.treatment.batch_size for arm in spec.expanded})
    assert _status(database, experiment) == "succeeded"
    _assert_as_trained(database, experiment, spec)


def test_the_test_split_and_what_is_right_in_it_are_stored(database: Database) -> None:
    """On splits that vary; the single point of each run stands at its last epoch, in SQL too."""
    dataset = {"name": "digits", "test_fraction": 0.1}
    spec = parse(SMALL | {"epochs": 2, "dataset": dataset, "split": "per_seed", "diagnostics": None})
    experiment = _posted(database, spec)
    _work(database)
    expected = train(spec, DatasetPaths())
    with database.reading() as session:
        found = read.results(session, session.get_one(Experiment, experiment), DatasetPaths())
        assert found.design.primary.name == "test_accuracy"
        series = {(one.arm, one.seed): one for one in found.series("test_accuracy")}
        for run, other in zip(found.runs, expected.runs, strict=True):
            bits, one = found.correct()[run.id], series[run.arm, run.seed]
            assert bits.tolist() == expected.correct()[other.id].tolist()
            assert found.classified()[run.id].pack() == expected.classified()[other.id].pack()
            assert (one.steps.tolist(), one.values.tolist()) == ([1], [bits.mean()])
            of_run = (EpochValue.run_id == run.id, EpochValue.metric == "test_accuracy")
            assert session.scalars(select(EpochValue.epoch).where(*of_run)).all() == [1]


ODD = {"name": "mlp", "hidden": [7], "activation": "tanh", "norm": "batch_norm"}
WHOLE = {"name": "mlp", "hidden": [64, 64]}


@pytest.mark.parametrize(("model", "cohorts"), [(WHOLE, 4), (ODD, 1)], ids=["independent", "in company"])
def test_a_measured_machine_with_other_costs_gives_the_librarys_bits(
    database: Database, model: dict[str, Any], cohorts: int
) -> None:
    """By its numbers a loop would be quicker, and all cores would be used."""
    costs = Costs(**dict.fromkeys(Costs.model_fields, 0.0))
    layouts = CostsByLayout(loop=costs, vmap=costs.model_copy(update={"lane": 100.0}))
    guess = Profile.guess(4)
    ways = [way.model_copy(update={"costs": {"fp32": layouts}, "start": 0.0, "draw": 0.0}) for way in guess.ways]
    spec = parse({"model": model, "optimizer": SGD, "batch_size": 64, "seeds": [3, 7, 0, 5], "epochs": 2})
    with database.transaction() as session:
        machine = guess.model_copy(update={"measured": True, "ways": ways})
        experiment = submit(session, spec, DatasetPaths(), fallback=machine)[0].id
    assert _work(database) == cohorts
    expected = train(spec, DatasetPaths())
    with database.reading() as session:
        for metric in ("train_loss", "valid_loss", "valid_accuracy"):
            stored = {one.seed: one.values.tobytes() for one in read.series(session, experiment, metrics=[metric])}
            assert stored == {one.seed: one.values.tobytes() for one in expected.series(metric)}


def test_runs_that_stop_early_are_stored_with_the_updates_that_they_made(database: Database) -> None:
    rule = {"metric": "train_accuracy", "min_delta": 0.9, "patience": 2}  # which only a first epoch can reach
    spec = parse(SMALL | {"epochs": 20, "arms": [*SMALL["arms"], {"label": "early", "early_stopping": rule}]})
    experiment = _posted(database, spec)
    assert _work(database) == 1
    _assert_as_trained(database, experiment, spec)
    with database.reading() as session:
        one = read.experiment(session, experiment)
        progress = progress_of(session, one)
        results = read.results(session, one, DatasetPaths())
    assert one.status == "succeeded"
    assert [(arm.steps_done, arm.stopped_early, arm.runs_done) for arm in progress.arms] == [
        (600, 0, 2), (600, 0, 2), (90, 2, 2),
    ]  # fmt: skip
    assert [(run.outcome, run.steps_done, run.steps_total) for run in results.runs[-2:]] == [
        ("stopped_early", 45, 300)
    ] * 2
    expected = train(spec, DatasetPaths()).runs
    assert [replace(run, id=0) for run in results.runs] == [replace(run, id=0) for run in expected]


def test_what_layers_did_is_read_where_it_is_asked_for(database: Database) -> None:
    experiment = _posted(database, KINDS["comparison"])
    _work(database)
    with database.reading() as session:
        unasked = {series.metric for series in read.series(session, experiment)}
        (one,) = read.series(session, experiment, metrics=["weight_norm/fc2"], run_id=1, first=8, last=22)
        assert one.steps.tolist() == [14, 21]
        last = [s.steps.tolist() for s in read.series(session, experiment, metrics=["weight_norm"], run_id=1, first=42)]
        assert last == [[42], [42]]
        assert {metric for run in read.runs(session, experiment) for metric in run.final or {}} == unasked
        assert unasked == {*metric_names("step"), *OF_EPOCHS}
        asked = {series.metric.partition("/")[0] for series in read.series(session, experiment, diagnostics=True)}
        assert asked == unasked | MEASURED


def test_a_worker_that_is_to_leave_gives_its_cohort_back_and_another_finishes_it(database: Database) -> None:
    spec = _spec(epochs=60)
    experiment = _posted(database, spec)
    leaving = threading.Event()
    first = threading.Thread(target=_work, args=(database, leaving))
    first.start()
    while _status(database, experiment) == "queued":
        pass
    leaving.set()
    first.join()
    assert _status(database, experiment) == "queued"
    assert _work(database) == 1
    assert _status(database, experiment) == "succeeded"
    _assert_as_trained(database, experiment, spec)


def test_a_worker_hears_a_cancellation_and_keeps_what_it_measured(database: Database) -> None:
    experiment = _posted(database, _spec(epochs=20_000))
    thread = threading.Thread(target=_work, args=(database,), daemon=True)
    thread.start()
    measured: list[object] = []
    while not measured:
        with database.reading() as session:
            measured = list(read.series(session, experiment, metrics=["train_loss"]))
    with database.transaction() as session:
        cancel(session, read.experiment(session, experiment))
    thread.join(timeout=30)
    assert _status(database, experiment) == "cancelled"
    with database.reading() as session:
        for series in read.series(session, experiment, metrics=["train_loss"]):
            assert series.steps.tolist() == list(range(len(series.steps)))
        assert {run.status for run in read.runs(session, experiment)} == {"cancelled"}


def test_cut_connections_lose_and_repeat_nothing(postgres: Database) -> None:
    """Every connection to the database is cut, again and again, while the worker trains and stores."""
    database = postgres
    spec = _spec(epochs=60)
    experiment = _posted(database, spec)
    done = threading.Event()

    def cut() -> None:
        killer = Database(database.engine.url.render_as_string(hide_password=False), pool_size=1)
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        pauses = (0.05 * 1.02**i for i in count())  # ever longer, or a busy machine would never come to an end
        while not done.wait(next(pauses)):
            with killer.engine.begin() as connection:
                connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
        killer.dispose()

    with _working(database) as worker:
        (cutter := threading.Thread(target=cut)).start()
        status = "queued"
        while status != "succeeded":
            with suppress(DBAPIError):  # the claim itself may be cut: the next bell tries again
                worker()
                status = _status(database, experiment)
        done.set()
        cutter.join()
    _assert_as_trained(database, experiment, spec)


def test_a_worker_goes_on_to_whatever_is_queued(database: Database) -> None:
    ids = [_posted(database, _spec(epochs=1)) for _ in range(3)]
    assert _work(database) == 3
    assert {_status(database, experiment) for experiment in ids} == {"succeeded"}


@pytest.mark.parametrize("layout", ["loop", "vmap"])
def test_a_cohort_is_trained_in_its_layout(database: Database, monkeypatch: pytest.MonkeyPatch, layout: str) -> None:
    _posted(database, _spec(epochs=1))
    with database.transaction() as session:
        session.execute(update(Cohort).values(layout=layout))
    layouts: list[str] = []

    def train_and_note(
        lanes: Any, data: Any, info: Any, recorder: Any, options: TrainOptions, *more: Any, **as_: Any
    ) -> Any:
        layouts.append(options.layout)
        return train_lanes(lanes, data, info, recorder, options, *more, **as_)

    monkeypatch.setattr(worker, "train_lanes", train_and_note)
    assert _work(database) == 1
    assert layouts == [layout]


def test_memory_is_given_back_after_every_cohort_where_there_are_gpus(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        _posted(database, parse(SMALL | {"epochs": 1, "device": "cpu"}))
    held: list[weakref.ref[torch.Tensor]] = []
    kept: list[bool] = []

    def train_and_hold(*inputs: Any, **options: Any) -> Any:
        kept.append(any(one() is not None for one in held))
        parameters = torch.zeros(100)
        held.append(weakref.ref(parameters))
        itself: list[Any] = [parameters]
        itself.append(itself)  # like a stack and its graph
        return train_lanes(*inputs, **options)

    monkeypatch.setattr(worker, "train_lanes", train_and_hold)
    gc.disable()
    try:
        with _working(database) as one:
            one._cuda = True  # the experiments are for its CPU
            one()
    finally:
        gc.enable()
    assert kept == [False, False]
