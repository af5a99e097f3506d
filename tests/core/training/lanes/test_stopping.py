"""Runs that end early: with the numbers of those that go on, whoever trains beside them, and after a resume."""

from typing import Any

import numpy as np
import pytest
import torch

from core.spec import EarlyStopping
from core.training import Lane, MemoryRecorder, train_run
from core.training.checkpoint import Checkpoint
from tests.core.training.test_resume import Run, assert_goes_on
from tests.core.training.test_resume import through_a_file as through_a_file  # a fixture
from tests.core.training.trials import CUT, PICTURES, assert_near, made, referred, trained

DATA, FACTS = made(PICTURES, train=22, valid=10)
EPOCHS = 12
GIVEN: dict[str, Any] = {
    "model": {"name": "mlp", "hidden": [6, 5], "activation": "tanh", "dropout": 0.3},
    "optimizer": {"name": "adam", "lr": 0.02, "eps": 1e-3},
    "batch_size": 8,
    "epochs": EPOCHS,
}
ARMS: list[dict[str, Any]] = [
    {"early_stopping": {"patience": 2}},
    {"early_stopping": {"metric": "valid_accuracy", "patience": 1}, "initializer": "he_normal"},
    {"early_stopping": {"metric": "train_accuracy", "patience": 3, "min_delta": 0.05}, "schedule": CUT},
    {"optimizer.lr": 0.01},
]


def lanes_of(make_lanes: Any, *, stopping: bool = True) -> list[Lane]:
    arms = ARMS if stopping else [arm | {"early_stopping": None} for arm in ARMS]
    lanes: list[Lane] = make_lanes(*arms, seeds=(0, 3, 4), **GIVEN)
    return lanes


def by_hand(rule: EarlyStopping, values: Any) -> int:
    """How many epochs a run with these metrics has."""
    best, since = None, 0
    for epoch, value in enumerate(values):
        gain = np.inf if best is None else (best - value if "loss" in rule.metric else value - best)
        best, since = (value, 0) if gain > rule.min_delta else (best, since + 1)
        if epoch and since >= max(rule.patience, 1):
            return epoch + 1
    return len(values)


def test_lanes_stop_where_the_plain_loop_does(make_lanes: Any) -> None:
    lanes = lanes_of(make_lanes)
    ours = trained(lanes, DATA, FACTS, dtype=torch.float64)
    assert_near(ours, referred(lanes, DATA, FACTS), 1e-9)
    lengths = {lane.run: len(ours.series[lane.run, "valid_loss"]) for lane in lanes}
    assert len(set(lengths.values())) > 3
    assert {run for run, length in lengths.items() if length < EPOCHS} == {
        run for run, outcome in ours.outcomes.items() if outcome == "stopped_early"
    }
    assert [ours.outcomes[lane.run] for lane in lanes[-3:]] == ["completed"] * 3


def test_a_run_is_the_beginning_of_the_one_that_goes_on(make_lanes: Any) -> None:
    """And it ends where its metric, of the run that goes on, says that it should."""
    stopping = lanes_of(make_lanes)
    early = trained(stopping, DATA, FACTS, dtype=torch.float64)
    whole = trained(lanes_of(make_lanes, stopping=False), DATA, FACTS, dtype=torch.float64)
    assert set(whole.outcomes.values()) == {"completed"}
    for (run, metric), values in early.series.items():
        np.testing.assert_allclose(values, whole.series[run, metric][: len(values)], rtol=1e-9, err_msg=metric)
    for lane in stopping:
        rule = lane.treatment.early_stopping
        if rule is not None:
            epochs = by_hand(rule, whole.series[lane.run, rule.metric])
            assert len(early.series[lane.run, rule.metric]) == epochs
            assert len(early.series[lane.run, "train_loss"]) == 3 * epochs
            assert early.outcomes[lane.run] == ("stopped_early" if epochs < EPOCHS else "completed")


def test_it_goes_on_from_anywhere_and_stops_at_the_same_epoch(make_lanes: Any, through_a_file: Any) -> None:
    lanes = lanes_of(make_lanes)
    whole = Run(lanes)
    assert len({len(checkpoint.runs) for checkpoint, _ in whole.kept}) > 3
    for checkpoint, recorder in whole.kept[::2]:
        assert_goes_on(lanes, whole, through_a_file(checkpoint), recorder)
    checkpoint, recorder = next((c, r) for c, r in whole.kept if any(state.bad for state in c.patience.values()))
    forgetful = Checkpoint(**{**vars(checkpoint), "patience": {}})
    with pytest.raises(AssertionError):
        assert_goes_on(lanes, whole, forgetful, recorder)


def test_when_all_have_stopped_training_ends(make_lanes: Any) -> None:
    """One alone takes the plain path; nothing is trained or measured for nobody."""
    for seeds in ((0,), (0, 3)):
        lanes = make_lanes({"early_stopping": {"min_delta": 99.0, "patience": 2}}, seeds=seeds, **GIVEN)
        run = trained(lanes, DATA, FACTS)
        assert set(run.outcomes.values()) == {"stopped_early"}
        assert run.step == 9
        assert {len(values) for (_, metric), values in run.series.items() if metric == "valid_loss"} == {3}


def test_with_the_last_epoch_a_run_is_complete(make_lanes: Any) -> None:
    """It had all that was asked for: there was nothing to stop."""
    given = GIVEN | {"epochs": 3}
    lanes = make_lanes({"early_stopping": {"min_delta": 99.0, "patience": 2}}, **given)
    assert trained(lanes, DATA, FACTS).outcomes == {0: "completed"}
    recorder = MemoryRecorder()
    train_run(lanes[0], DATA, FACTS, recorder)
    assert recorder.outcomes == {0: "completed"}
