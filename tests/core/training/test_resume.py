"""Going on from a checkpoint is bit-identical to never having stopped."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.optimizers import optimizers
from core.training import Lane, MemoryRecorder, Stopped, train_lanes
from core.training.checkpoint import Checkpoint
from core.training.lanes.grid import Grid
from tests.core.training.trials import CHOICES, CUT, PICTURES, arranged, assert_same, made, rule, trained

DATA, FACTS = made(PICTURES, train=22, valid=10)
SHAPE = {"batch_size": 8, "epochs": 3}
"""Three updates an epoch."""
MLP = {"name": "mlp", "hidden": [6, 5], "activation": "tanh", "dropout": 0.3}
CNN = {"name": "cnn", "channels": [3], "dense": [6]}
ARMS: list[dict[str, Any]] = [
    {"initializer": {"name": "mup", "base_width": 4}, "schedule": CUT},
    {"initializer": "lsuv", "schedule": CUT},
    {"schedule": "onecycle"},
]

SavedStates = list[tuple[Checkpoint, MemoryRecorder]]
"""Checkpoints, each with what had been recorded by then."""


class Run:
    """Training that keeps a checkpoint before every update."""

    def __init__(
        self, lanes: list[Lane], start: Checkpoint | None = None, recorder: MemoryRecorder | None = None, **options: Any
    ) -> None:
        self.recorder = copy.deepcopy(recorder) if recorder else MemoryRecorder()
        self.kept: SavedStates = []
        train_lanes(
            lanes,
            DATA,
            FACTS,
            self.recorder,
            **arranged(start=start, keep=self._keep, keep_seconds=0, block_seconds=60, **options),
        )

    def _keep(self, checkpoint: Checkpoint) -> None:
        self.kept.append((checkpoint, copy.deepcopy(self.recorder)))

    def at(self, step: int) -> tuple[Checkpoint, MemoryRecorder]:
        (found,) = [kept for kept in self.kept if kept[0].step == step]
        return found


@pytest.fixture
def through_a_file(tmp_path: Path) -> Callable[[Checkpoint], Checkpoint]:
    def through(checkpoint: Checkpoint) -> Checkpoint:
        checkpoint.write(tmp_path / "checkpoint")
        return Checkpoint.read(tmp_path / "checkpoint")

    return through


def assert_same_place(mine: Checkpoint, theirs: Checkpoint) -> None:
    assert replace(mine, state={}) == replace(theirs, state={})
    assert mine.state.keys() == theirs.state.keys()
    for name, values in mine.state.items():
        assert values.dtype == theirs.state[name].dtype
        assert values.contiguous().numpy().tobytes() == theirs.state[name].contiguous().numpy().tobytes(), name


def assert_goes_on(lanes: list[Lane], whole: Run, start: Checkpoint, recorder: MemoryRecorder) -> None:
    """Every point, and every state on the way."""
    resumed = Run(lanes, start, recorder)
    assert_same(resumed.recorder, whole.recorder)
    rest = [checkpoint for checkpoint, _ in whole.kept if checkpoint.step >= start.step]
    assert len(rest) == len(resumed.kept)
    for (mine, _), theirs in zip(resumed.kept, rest, strict=True):
        assert_same_place(mine, theirs)


@pytest.mark.parametrize("program", [*optimizers, *CHOICES])
def test_every_optimizer_goes_on(make_lanes: Any, program: str, through_a_file: Any) -> None:
    lanes = make_lanes(*ARMS, seeds=(0, 3), model=MLP, optimizer=rule(program), **SHAPE)
    whole = Run(lanes)
    assert_same(whole.recorder, trained(lanes, DATA, FACTS))
    for step in (0, 1, 4, 6, 8):
        checkpoint, recorder = whole.at(step)
        assert_goes_on(lanes, whole, through_a_file(checkpoint), recorder)


@pytest.mark.parametrize("program", optimizers)
def test_every_part_of_a_checkpoint_is_needed(make_lanes: Any, program: str) -> None:
    """The check of the check above: without one slot, scalar or plateau's state, training goes on in another way."""
    lanes = make_lanes(*ARMS, seeds=(0, 3), model=MLP, optimizer=rule(program), **SHAPE)
    whole = Run(lanes)
    checkpoint, recorder = whole.at(7)
    optimizer = lanes[0].treatment.optimizer.build()
    parts = [f"slots/{slot}/" for slot in optimizer.slots] + [f"scalars/{scalar}/" for scalar in optimizer.scalars]
    for part in parts:
        without = {name: values for name, values in checkpoint.state.items() if not name.startswith(part)}
        assert len(without) == len(checkpoint.state) - 6, part
        with pytest.raises(AssertionError):
            assert_goes_on(lanes, whole, replace(checkpoint, state=without), recorder)
    with pytest.raises(AssertionError):
        assert_goes_on(lanes, whole, replace(checkpoint, plateaus={}), recorder)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("lanes_of", [(0,), (0, 3)], ids=["one lane", "lanes"])
def test_batch_norm_and_augmentation_go_on(
    make_lanes: Any, through_a_file: Any, lanes_of: tuple[int, ...], dtype: torch.dtype
) -> None:
    lanes = make_lanes(
        {"schedule": CUT},
        seeds=lanes_of,
        model=CNN,
        initializer="lsuv",
        augment={"crop": 2, "flip": True},
        optimizer=rule("adam"),
        **SHAPE,
    )
    whole = Run(lanes, dtype=dtype)
    assert {name.rpartition(".")[2] for name in whole.at(0)[0].state if name.startswith("buffers/")} == {
        "running_mean",
        "running_var",
        "num_batches_tracked",
    }
    for checkpoint, recorder in whole.kept:
        resumed = Run(lanes, through_a_file(checkpoint), recorder, dtype=dtype)
        assert_same(resumed.recorder, whole.recorder)
        assert_same_place(resumed.kept[-1][0], whole.kept[-1][0])


@pytest.mark.parametrize("polls", range(15))
def test_a_stop_anywhere_goes_on(make_lanes: Any, through_a_file: Any, polls: int) -> None:
    """Three polls before an epoch's updates and two while it is evaluated."""
    lanes = make_lanes(*ARMS, seeds=(0, 3), model=MLP, **SHAPE)
    whole, recorder = Run(lanes), MemoryRecorder()
    answers = iter([False] * polls)
    with pytest.raises(Stopped) as stop:
        train_lanes(lanes, DATA, FACTS, recorder, stopped=lambda: next(answers, True))
    checkpoint = through_a_file(stop.value.checkpoint())
    assert checkpoint.step == 3 * (polls // 5) + min(polls % 5, 3)
    assert checkpoint.epochs == polls // 5
    assert_goes_on(lanes, whole, checkpoint, recorder)


LINEAR = {"name": "mlp", "hidden": [6], "activation": "linear"}
LATE = {"name": "linear_warmup", "warmup_steps": 7, "end_lr": 0.0, "after": "constant"}


def test_lanes_that_diverged_stay_ended(make_lanes: Any, through_a_file: Any) -> None:
    """One arm leaves after the first epoch and one after the second. Between its end and its leaving a lane is in the
    stack and in checkpoints, and must not be taken for one that trains."""
    lanes = make_lanes(
        *ARMS[1:],
        {"initializer": "ones", "optimizer.lr": 1e12},
        {"initializer": "ones", "optimizer.lr": 1e12, "schedule": LATE},
        seeds=(0, 3), model=LINEAR, optimizer={"name": "sgd", "lr": 0.01}, batch_size=4, epochs=3,
    )  # fmt: skip
    whole = Run(lanes)
    assert [whole.recorder.outcomes[lane.run] for lane in lanes] == ["completed"] * 4 + ["diverged"] * 4
    assert [len(checkpoint.runs) for checkpoint, _ in whole.kept] == [8] * 6 + [6] * 6 + [4] * 6
    assert [len(checkpoint.ended) for checkpoint, _ in whole.kept].count(2) > 4
    for checkpoint, recorder in whole.kept:
        assert_goes_on(lanes, whole, through_a_file(checkpoint), recorder)


def test_a_ragged_cohort_goes_on(make_lanes: Any) -> None:
    """The order of its lanes is not that of their first appearance: to sort them once more must change nothing."""
    rates = [{"optimizer.lr": lr} for lr in (0.001, 0.01, 0.1)]
    a, _, _, b, c, d = make_lanes(*rates, seeds=(0, 3), model=MLP, **SHAPE)
    ragged = [a, b, c, d]
    assert [(lane.run, lane.seed) for lane in ragged] == [(0, 0), (103, 3), (200, 0), (203, 3)]
    once = Grid(ragged, "cpu", 64).lanes
    assert Grid(once, "cpu", 64).lanes == once
    whole = Run(ragged)
    for checkpoint, recorder in whole.kept[:5]:
        assert_goes_on(ragged[::-1], whole, checkpoint, recorder)


def test_a_checkpoint_is_a_copy(make_lanes: Any) -> None:
    lanes = make_lanes(*ARMS, seeds=(0, 3), model=MLP, **SHAPE)
    whole = Run(lanes)
    first, _ = whole.at(0)
    again, _ = Run(lanes).at(0)
    assert_same_place(first, again)
    assert not first.state["parameters/fc1.weight"].equal(whole.at(1)[0].state["parameters/fc1.weight"])
