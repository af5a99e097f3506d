"""Training that stops after so many epochs, goes on without some of its runs, and is the same as without a stop."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.datasets import DatasetPaths
from core.spec import parse
from core.training import Checkpoint, MemoryRecorder, Resume, TrainOptions, train, train_lanes
from tests.core.training.trials import CUT, PICTURES, assert_same, made, trained

DATA, FACTS = made(PICTURES, train=22, valid=10)
GIVEN: dict[str, Any] = {
    "model": {"name": "mlp", "hidden": [6, 5], "dropout": 0.3},
    "early_stopping": {"metric": "train_accuracy", "patience": 4},
    "batch_size": 8,
    "epochs": 8,
}
LOOKED = TrainOptions(diagnose_every=2, noise_every=2)
"""Epochs have three updates: every second ends between two looks."""
ARMS: list[dict[str, Any]] = [{"schedule": CUT}, {"initializer": "he_normal"}, {"optimizer.lr": 0.02}]


def test_a_stop_at_every_epoch_changes_nothing(make_lanes: Any, tmp_path: Path) -> None:
    lanes = make_lanes(*ARMS, seeds=(0, 3), **GIVEN)
    recorder, start = MemoryRecorder(), None
    for epoch in range(1, 9):
        if start is not None:
            start.write(tmp_path / "checkpoint")
            start = Checkpoint.read(tmp_path / "checkpoint")
        start = train_lanes(lanes, DATA, FACTS, recorder, LOOKED, Resume(start=start, until=epoch))
        assert (start is None) == (epoch == 8)
        if start is not None:
            assert (start.step, start.epochs) == (3 * epoch, epoch)
    assert_same(recorder, trained(lanes, DATA, FACTS, **vars(LOOKED)))


def test_a_training_that_is_further_is_given_back_where_it_is(make_lanes: Any) -> None:
    lanes, recorder = make_lanes(*ARMS, seeds=(0, 3), **GIVEN), MemoryRecorder()
    start = train_lanes(lanes, DATA, FACTS, recorder, resume=Resume(until=3))
    again = train_lanes(lanes, DATA, FACTS, recorder, resume=Resume(start=start, until=2))
    assert start is not None
    assert again is not None
    assert (again.step, again.epochs, again.runs) == (start.step, 3, start.runs)
    assert recorder.step == 9


def test_runs_leave_after_their_epochs_wherever_training_goes_on_from(make_lanes: Any) -> None:
    """From before that epoch, at it, and after it: the rest trains in the same stack, bit for bit."""
    lanes = make_lanes(*ARMS, seeds=(0, 3), **GIVEN | {"early_stopping": None})
    pruned_at = {100: 3, 103: 3, 200: 6}
    whole = trained(lanes, DATA, FACTS, pruned_at=pruned_at, **vars(LOOKED))
    for stop in (2, 3, 5):
        recorder = MemoryRecorder()
        early = {run: epochs for run, epochs in pruned_at.items() if epochs < stop}  # what was decided by then
        start = train_lanes(lanes, DATA, FACTS, recorder, LOOKED, Resume(until=stop, pruned_at=early))
        assert train_lanes(lanes, DATA, FACTS, recorder, LOOKED, Resume(start=start, pruned_at=pruned_at)) is None
        assert_same(recorder, whole)
    assert {run for run, outcome in whole.outcomes.items() if outcome == "pruned"} == set(pruned_at)
    for run, epochs in pruned_at.items():
        assert len(whole.series[run, "train_loss"]) == 3 * epochs
        assert len(whole.series[run, "valid_loss"]) == epochs
        assert len(whole.series[run, "weight_norm/fc1"]) == -(-3 * epochs // 2)
    alone = trained([lane for lane in lanes if lane.run not in pruned_at], DATA, FACTS)
    for key, values in alone.series.items():
        np.testing.assert_allclose(whole.series[key], values, rtol=1e-4)


def test_none_is_left(make_lanes: Any) -> None:
    lanes, recorder = make_lanes(*ARMS[:1], seeds=(0, 3), **GIVEN), MemoryRecorder()
    assert train_lanes(lanes, DATA, FACTS, recorder, resume=Resume(pruned_at={0: 2, 3: 2}, until=4)) is None
    assert (recorder.step, set(recorder.outcomes.values())) == (6, {"pruned"})


SPEC = {
    "model": {"name": "mlp", "hidden": [8]},
    "optimizer": {"name": "adam", "lr": 0.01},
    "epochs": 5,
    "seeds": 3,
    "pruning": {"first": 1},
    "arms": [
        {"label": "zeros", "initializer": "zeros"},
        {"label": "he", "initializer": "he_normal"},
        {"label": "ones", "initializer": "ones", "batch_size": 50},
        {"label": "glorot", "initializer": "glorot_normal", "batch_size": 50},
    ],
}


class Killed(BaseException):
    """Stands for whatever ends the process."""


def test_the_library_prunes_and_goes_on_after_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = parse(SPEC)
    found = train(spec, DatasetPaths())
    whole = train(parse({key: value for key, value in SPEC.items() if key != "pruning"}), DatasetPaths())
    assert {run.arm for run in found.runs if run.outcome == "pruned"} == {"zeros", "ones"}
    pruned = {one["arm"]: rung["epoch"] for rung in found.rungs for one in rung["pruned"]}
    assert [rung["epoch"] for rung in found.rungs] == [1, 2, 4]
    assert set(pruned) == {"zeros", "ones"}
    for metric in ("valid_accuracy", "train_loss"):
        for mine, other in zip(found.series(metric), whole.series(metric), strict=True):
            if mine.arm in pruned and found.unit(metric) == "epoch":
                assert len(mine.values) == pruned[mine.arm]
            np.testing.assert_allclose(mine.values, other.values[: len(mine.values)], rtol=1e-3)
    write, written = Checkpoint.write, []

    def dying(checkpoint: Checkpoint, path: Path) -> None:
        write(checkpoint, path)
        written.append(checkpoint)
        if len(written) % 3 == 1:
            raise Killed

    monkeypatch.setattr(Checkpoint, "write", dying)
    for _ in range(20):
        try:
            resumed = train(spec, DatasetPaths(), checkpoints=tmp_path)
            break
        except Killed:
            continue
    assert len(written) > 4
    assert (resumed.runs, resumed.rungs) == (found.runs, found.rungs)
    for mine, other in zip(resumed.series("train_loss"), found.series("train_loss"), strict=True):
        assert np.array_equal(mine.values, other.values)
    assert list(tmp_path.iterdir()) == []
