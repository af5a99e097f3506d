"""The whole database as values, and what holds of it whatever happened before."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, delete, select

from core.experiments.cohorts.states import ACTIVE, TERMINAL
from core.store import Base, Database, Experiment
from core.store import Counter as CounterRow

Row = Mapping[str, Any]
STEPS_OF_EPOCH = 4
LOOKED_AT, LOOKS = "weight_norm/fc1", 3
"""A diagnostic, and the updates between two points of it."""


class Extent(NamedTuple):
    """How much of a run is stored, or should be: updates and epochs."""

    steps: int = 0
    epochs: int = 0


class Whole(NamedTuple):
    """Every row of every table, in the order of the keys."""

    tables: Mapping[str, Sequence[Row]]

    @classmethod
    def of(cls, database: Database) -> "Whole":
        with database.reading() as session:
            connection = session.connection()
            return cls({name: [dict(row) for row in connection.execute(all_).mappings()] for name, all_ in _selects()})

    def by_id(self, table: str) -> dict[int, Row]:
        return {row["id"]: row for row in self.tables[table]}

    def runs_of(self, cohort: int) -> list[Row]:
        return [run for run in self.tables["runs"] if run["cohort_id"] == cohort]

    def cohorts_of(self, experiment: int) -> list[Row]:
        return [cohort for cohort in self.tables["cohorts"] if cohort["experiment_id"] == experiment]


@cache
def _selects() -> Sequence[tuple[str, Select[Any]]]:
    """By table, what reads all of it: put together once, for each example looks at everything hundreds of times."""
    return [(table.name, select(table).order_by(*table.primary_key)) for table in Base.metadata.sorted_tables]


def empty(database: Database) -> None:
    """Without its rows, for the next example: a new database for each would take most of the time."""
    with database.transaction() as session:
        session.execute(delete(Experiment))
        session.execute(delete(CounterRow))


def points(run: int, metric: str, first: int, last: int) -> NDArray[np.float32]:
    """What a run measures from one index to before another: it depends on nothing else."""
    return np.arange(first, last, dtype="<f4") + np.float32(1000 * run + (0.5 if metric == "valid_loss" else 0))


def rows(run: int, since: Extent, until: Extent) -> list[dict[str, Any]]:
    """The blocks with what a run measured between two lengths."""
    return [
        {"run_id": run, "metric": metric, "first": a * every, "n": b - a, "every": every}
        | {"values": points(run, metric, a, b).tobytes()}
        for metric, a, b, every in (
            ("train_loss", since.steps, until.steps, 1),
            ("valid_loss", since.epochs, until.epochs, 1),
            (LOOKED_AT, looks(since), looks(until), LOOKS),
        )
        if b > a
    ]


def looks(length: Extent) -> int:
    """How often a run of that length has been looked at: at updates 0, 3, 6, ..."""
    return -(-length.steps // LOOKS)


def assert_consistent(whole: Whole) -> None:
    """What holds of every state."""
    for experiment in whole.tables["experiments"]:
        cohorts = whole.cohorts_of(experiment["id"])
        assert experiment["status"] == summary([cohort["status"] for cohort in cohorts])
        assert (experiment["finished_at"] is not None) == (experiment["status"] in TERMINAL)
        assert len({cohort["paused"] for cohort in cohorts}) == 1
    for cohort in whole.tables["cohorts"]:
        runs = whole.runs_of(cohort["id"])
        active = [run for run in runs if run["status"] in ACTIVE]
        assert runs
        assert {run["experiment_id"] for run in runs} == {cohort["experiment_id"]}
        assert {run["status"] for run in active} <= {cohort["status"]}, "they move together"
        running = cohort["status"] == "running"
        assert (cohort["lease_until"] is not None) == running
        assert cohort["holder"] is not None or not running
        if cohort["status"] == "queued":
            assert cohort["holder"] is None
            assert not cohort["cancel_requested"], "nobody may ever take it"
            assert cohort["lost"] < (2 if len(runs) > 1 else 3)
        assert (cohort["checkpoint"] is not None) == (cohort["checkpoint_step"] > 0)


def summary(statuses: Sequence[str]) -> str:
    if all(status in TERMINAL for status in statuses):
        return max(statuses, key=["succeeded", "cancelled", "failed"].index)
    return "queued" if set(statuses) == {"queued"} else "running"


def assert_follows(before: Whole, after: Whole, *, retried: bool = False) -> None:
    """What holds of two states, one after the other: attempts only grow, and what has ended has ended."""
    for table in ("cohorts", "runs", "experiments"):
        then, later = before.by_id(table), after.by_id(table)
        for key in then.keys() & later.keys():
            old, new = then[key], later[key]
            if old["status"] in TERMINAL and old["status"] != new["status"]:
                assert retried
                assert old["status"] == "failed"
                assert table == "experiments" or new["status"] == "queued"
            assert new.get("attempt", 0) >= old.get("attempt", 0)


def lengths(whole: Whole) -> dict[int, Extent]:
    """How much of each run is stored: every series is there from its first point on, with its values."""
    found: Counter[tuple[int, str]] = Counter()
    for block in whole.tables["metric_blocks"]:  # in the order run, metric, first
        run, metric, first = block["run_id"], block["metric"], found[block["run_id"], block["metric"]]
        assert block["first"] == first * block["every"]
        found[run, metric] += block["n"]
        assert block["values"] == points(run, metric, first, found[run, metric]).tobytes()
    runs = [run["id"] for run in whole.tables["runs"]]
    lengths = {run: Extent(found[run, "train_loss"], found[run, "valid_loss"]) for run in runs}
    for run, length in lengths.items():
        assert found[run, LOOKED_AT] == looks(length)
    of_epochs = [(row["run_id"], row["epoch"], row["value"]) for row in whole.tables["epoch_values"]]
    assert of_epochs == [
        (run, epoch, float(value))
        for run, length in sorted(lengths.items())
        for epoch, value in enumerate(points(run, "valid_loss", 0, length.epochs))
    ]
    return lengths


def assert_overtaken(whole: Whole, began: Mapping[int, Mapping[int, Extent]]) -> None:
    """Nothing of an older attempt lies after the point where a later one began."""
    for block in whole.tables["metric_blocks"]:
        for attempt, length in began[block["run_id"]].items():
            if block["attempt"] < attempt:
                last = block["first"] + (block["n"] - 1) * block["every"]
                assert last < length[block["metric"] == "valid_loss"]


def replayed(posted: Sequence[int], events: Sequence[Row]) -> dict[int, tuple[str, int, bool]]:
    """Status, attempt and pause of each cohort, from nothing but the history; `posted` are those that it began with."""
    status: dict[int, str] = {}
    attempt: dict[int, int] = {}
    paused = False
    for event in events:
        kind, cohort, detail = event["kind"], event["cohort_id"], event["detail"]
        counted = Counter(status.values())
        if kind == "accepted":
            assert detail["cohorts"] == len(posted)
            status, attempt = dict.fromkeys(posted, "queued"), dict.fromkeys(posted, 0)
        elif kind == "claimed":
            assert (status[cohort], attempt[cohort] + 1, paused) == ("queued", event["attempt"], False)
            status[cohort], attempt[cohort] = "running", event["attempt"]
        elif kind in ("released", "lost", "ended"):
            expected = ("running", "queued") if kind == "ended" else ("running",)  # a loss is told before the end
            assert status[cohort] in expected
            assert attempt[cohort] == event["attempt"]
            status[cohort] = detail["status"] if kind == "ended" else "queued"
        elif kind == "halved":
            for state, new in detail["into"].items():
                assert new not in status
                status[new], attempt[new] = state, attempt[cohort]
        elif kind == "cancelling":
            assert detail["queued"] == counted["queued"]
            assert detail["running"] <= counted["running"]  # those not told before
            status |= {key: "cancelled" for key, state in status.items() if state == "queued"}
        elif kind == "retried":
            assert detail["cohorts"] == counted["failed"]
            status |= {key: "queued" for key, state in status.items() if state == "failed"}
        elif kind in ("paused", "resumed"):
            paused = kind == "paused"
        else:
            assert kind == "fell_back"
    return {key: (status[key], attempt[key], paused) for key in status}
