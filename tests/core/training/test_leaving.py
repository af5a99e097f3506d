"""Lanes that diverge leave the stack when their epoch ends, and the others go on as if they had never been there."""

from typing import Any

import numpy as np
import pytest
import torch

from core.metrics import epoch_metrics
from core.training import Lane, MemoryRecorder, train_lanes
from core.training.checkpoint import Checkpoint
from tests.core.training.trials import PICTURES, arranged, assert_near, made, referred, rule, trained

DATA, FACTS = made(PICTURES, train=22, valid=10)
GIVEN: dict[str, Any] = {
    "model": {"name": "mlp", "hidden": [6, 6, 6, 6], "activation": "linear", "dropout": 0.2},
    "optimizer": {"name": "sgd", "lr": 0.001, "momentum": 0.5},
    "batch_size": 4,
    "epochs": 3,
}
"""Six updates an epoch. The rates are small: a lane that is itself about to explode multiplies the last bit."""
ENDLESS = {"initializer": "ones", "optimizer.lr": 1e12}


def explodes(update: int) -> dict[str, Any]:
    """An arm that is at rest until this update, and overflows float64 two updates later."""
    return ENDLESS | {"schedule": {"name": "linear_warmup", "warmup_steps": update, "end_lr": 0.0, "after": "constant"}}


SANE: list[dict[str, Any]] = [{"initializer": "he_normal"}, {"schedule": "cosine"}, {"optimizer.lr": 0.002}]


def watched(
    lanes: list[Lane], dtype: torch.dtype = torch.float64, **options: Any
) -> tuple[MemoryRecorder, list[Checkpoint]]:
    recorder, kept = MemoryRecorder(), list[Checkpoint]()
    train_lanes(lanes, DATA, FACTS, recorder, **arranged(dtype=dtype, keep=kept.append, keep_seconds=0, **options))
    return recorder, kept


@pytest.mark.parametrize("block_seconds", [0, 3600])
def test_a_lane_leaves_when_its_epoch_ends(make_lanes: Any, block_seconds: float) -> None:
    lanes = make_lanes(*SANE, ENDLESS, explodes(7), seeds=(0, 3), **GIVEN)
    recorder, kept = watched(lanes, block_seconds=block_seconds)
    assert [len(checkpoint.runs) for checkpoint in kept] == [10] * 6 + [8] * 6 + [6] * 6
    for checkpoint in kept:
        assert {len(stack) for stack in checkpoint.state.values()} == {len(checkpoint.runs)}
    sane = lanes[:6]
    assert kept[-1].runs == [lane.run for seed in (0, 3) for lane in sane if lane.seed == seed]
    assert_near(recorder, referred(lanes, DATA, FACTS), 1e-10, runs=[lane.run for lane in sane])
    assert_near(recorder, trained(sane, DATA, FACTS, dtype=torch.float64), 1e-12, runs=[lane.run for lane in sane])
    for lane in lanes[6:]:
        assert recorder.outcomes[lane.run] == "diverged"
        losses = recorder.series[lane.run, "train_loss"]
        assert len(losses) == len(recorder.series[lane.run, "lr"])
        assert np.isfinite(losses).tolist() == [True] * (len(losses) - 1) + [False]
        of_epochs = epoch_metrics("multiclass", FACTS.outputs)
        measured = {len(recorder.series.get((lane.run, metric), ())) for metric in of_epochs}
        assert measured == {(len(losses) - 1) // 6}


def test_a_cohort_of_5_by_7_becomes_ragged_and_even_again(make_lanes: Any) -> None:
    """The first epoch takes single lanes of some seeds, the second the rest of their arms."""
    sane = [{"initializer": "he_normal", "optimizer.lr": lr} for lr in (0.001, 0.002, 0.0005)]
    seeds = (0, 1, 2, 3, 4, 5, 6)
    lanes = make_lanes(*sane, ENDLESS, explodes(7), seeds=seeds, **GIVEN)
    early, late = lanes[21:28], lanes[28:]
    # two lanes of the late arm are given the early one's schedule, and one early lane the late one's
    swapped = {late[1].run: early[0].treatment, late[4].run: early[0].treatment, early[2].run: late[0].treatment}
    lanes = [Lane(lane.run, swapped.get(lane.run, lane.treatment), lane.seed) for lane in lanes]
    recorder, kept = watched(lanes)
    assert len(lanes) == 35
    counts = [
        [sum(run % 100 == seed for run in checkpoint.runs) for seed in seeds]
        for checkpoint in (kept[0], kept[6], kept[12])
    ]
    assert counts == [[5] * 7, [4, 3, 5, 4, 3, 4, 4], [3] * 7]
    alone = trained(lanes[:21], DATA, FACTS, dtype=torch.float64)
    assert_near(recorder, alone, 1e-12, runs=[lane.run for lane in lanes[:21]])
    assert sorted(run for run, outcome in recorder.outcomes.items() if outcome == "diverged") == [
        lane.run for lane in lanes[21:]
    ]


@pytest.mark.parametrize("program", ["adam", "schedule_free_adamw", "sgd"])
def test_those_that_stay_keep_their_state(make_lanes: Any, program: str) -> None:
    """Slots, scalars, running means, masks, and plateaus, each with its lane."""
    cnn = {"name": "cnn", "channels": [3], "dense": [6, 6, 6, 6], "activation": "elu"}
    plateau = {"name": "reduce_on_plateau", "mode": "max", "factor": 0.5, "patience": 0, "eps": 0.0}
    given = GIVEN | {"model": cnn, "optimizer": rule(program) | {"weight_decay": 1e-4}, "epochs": 4}
    overflow = {"initializer": {"name": "constant", "value": 1e12}}
    lanes = make_lanes(overflow, *SANE, explodes(13), schedule=plateau, seeds=(0, 3), **given)
    recorder, kept = watched(lanes, torch.float32)  # which 1e12 to the fifth overflows
    assert [len(checkpoint.runs) for checkpoint in kept[::6]] == [10, 8, 8, 6]
    stay = [lane.run for lane in lanes[2:8]]
    assert_near(recorder, trained(lanes[2:8], DATA, FACTS), 1e-4, runs=stay)
    assert kept[-1].plateaus.keys() == {run for run in stay if not 200 <= run < 300}, "all but the cosine's"
    assert len({state[0] for state in kept[-1].plateaus.values()}) > 1, "and some have reacted"


def test_one_lane_is_left(make_lanes: Any) -> None:
    """It goes on by the plain path."""
    lanes = make_lanes(SANE[0], ENDLESS, **GIVEN)
    recorder, kept = watched(lanes)
    assert [checkpoint.runs for checkpoint in kept[5:7]] == [[0, 100], [0]]
    assert_near(recorder, trained(lanes[:1], DATA, FACTS, dtype=torch.float64), 1e-12, runs=[0])


@pytest.mark.parametrize("block_seconds", [0, 3600])
def test_none_is_left(make_lanes: Any, block_seconds: float) -> None:
    """Training ends with their epoch at the latest; nothing is evaluated for nobody."""
    lanes = make_lanes(explodes(7), explodes(8), seeds=(0, 3), **GIVEN | {"epochs": 50})
    recorder, kept = watched(lanes, block_seconds=block_seconds)
    assert set(recorder.outcomes.values()) == {"diverged"}
    assert len(recorder.outcomes) == 4
    assert 9 < recorder.step <= 12
    assert kept[-1].step < 12
    for lane in lanes:
        assert len(recorder.series[lane.run, "valid_loss"]) == 1
