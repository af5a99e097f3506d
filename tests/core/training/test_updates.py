"""Runs of so many updates, which end inside an epoch; learning-rate range tests are made of them."""

import copy
from typing import Any

import numpy as np
import pytest
import torch

from core.datasets import DatasetInfo, DatasetPaths, Splits
from core.metrics import metric_names
from core.spec import parse
from core.training import Checkpoint, MemoryRecorder, Resume, TrainOptions, train, train_lanes, train_run
from core.training.run_length import RunLength
from tests.core.training.trials import assert_near, assert_same, trained

PER_EPOCH = 32
ARMS: list[dict[str, Any]] = [{"initializer": "he_normal"}, {"schedule": "cosine"}, {"schedule": "reduce_on_plateau"}]


@pytest.mark.parametrize("updates", [1, 32, 45, 70])
def test_it_ends_after_so_many_updates_as_the_plain_loop_does(
    make_lanes: Any, splits: Splits, info: DatasetInfo, updates: int
) -> None:
    lanes = make_lanes(*ARMS, seeds=(0, 3))
    fast = trained(lanes, splits, info, dtype=torch.float64, updates=updates)
    slow = MemoryRecorder()
    for lane in lanes:
        train_run(lane, splits, info, slow, dtype=torch.float64, updates=updates)
    assert fast.step == slow.step == updates
    assert_near(fast, slow, rtol=1e-10)
    assert {len(fast.series[lane.run, metric]) for lane in lanes for metric in metric_names("step")} == {updates}
    assert {len(fast.series.get((lane.run, "valid_loss"), ())) for lane in lanes} == {updates // PER_EPOCH}


def test_all_its_epochs_are_the_same_as_no_number(make_lanes: Any, splits: Splits, info: DatasetInfo) -> None:
    lanes = make_lanes(*ARMS)
    assert_same(trained(lanes, splits, info, updates=2 * PER_EPOCH), trained(lanes, splits, info))


def test_an_epoch_that_is_cut_short_is_not_evaluated(make_lanes: Any, splits: Splits, info: DatasetInfo) -> None:
    """Before every update, and before each of an evaluation's two parts, the trainer asks whether to stop."""
    asked: list[None] = []
    trained(make_lanes({}), splits, info, updates=45, stopped=lambda: bool(asked.append(None)))
    assert len(asked) == 45 + 2


def test_it_goes_on_from_any_checkpoint(make_lanes: Any, splits: Splits, info: DatasetInfo) -> None:
    lanes, kept = make_lanes(*ARMS), []

    def keep(checkpoint: Checkpoint) -> None:
        kept.append((checkpoint, copy.deepcopy(whole)))

    whole = MemoryRecorder()
    train_lanes(lanes, splits, info, whole, TrainOptions(updates=40, keep_seconds=0), keep=keep)
    for checkpoint, recorder in kept[::7] + kept[-1:]:
        train_lanes(lanes, splits, info, recorder, TrainOptions(updates=40), Resume(start=checkpoint))
        assert_same(recorder, whole)


def test_a_run_that_diverges_in_a_last_part_of_an_epoch_has_diverged(
    make_lanes: Any, splits: Splits, info: DatasetInfo
) -> None:
    late = {"name": "linear_warmup", "warmup_steps": 36, "end_lr": 0.0, "after": "constant"}
    lanes = make_lanes(
        {"schedule": late, "optimizer.lr": 1e12}, {},
        optimizer={"name": "sgd", "lr": 0.01}, model={"name": "mlp", "hidden": [16], "activation": "linear"},
    )  # fmt: skip
    recorder = trained(lanes, splits, info, updates=60, block_seconds=60)
    assert recorder.outcomes == {0: "diverged", 100: "completed"}
    assert 36 < len(recorder.series[0, "train_loss"]) < 60
    assert len(recorder.series[100, "train_loss"]) == 60


def test_a_length_in_epochs_and_updates() -> None:
    treatment = parse({"batch_size": 32, "epochs": 3}).expanded[0].treatment
    assert RunLength.of(treatment, 1000) == RunLength(96, 32)
    cut = RunLength.of(treatment, 1000, 40)
    assert (cut.epochs, [cut.end(e) for e in (0, 1)], [cut.whole(e) for e in (0, 1)]) == (2, [32, 40], [True, False])
    dropping = parse({"batch_size": 32, "epochs": 3, "drop_last": True}).expanded[0].treatment
    assert RunLength.of(dropping, 1000) == RunLength(93, 31)


SMALL = {"model": {"name": "mlp", "hidden": [8]}, "epochs": 1, "seeds": 2, "arms": [{"initializer": "he_normal"}]}


def test_a_range_test_leaves_no_trace_in_what_is_trained_after_it() -> None:
    before = train(parse(SMALL), DatasetPaths())
    tested = train(
        parse(
            SMALL | {"epochs": 10, "kind": "lr_range_test", "lr_range": {"high": 1e6, "steps": 20, "smoothing": 0.5}}
        ),
        DatasetPaths(),
    )
    after = train(parse(SMALL), DatasetPaths())
    for metric in ("train_loss", "valid_loss", "valid_accuracy"):
        pairs = zip(before.series(metric), after.series(metric), strict=True)
        assert all(a.values.tobytes() == b.values.tobytes() for a, b in pairs)
    firsts = [[one.values[0] for one in results.series("train_loss")] for results in (tested, after)]
    assert firsts[0] == firsts[1], "it started from the same weights, with the same batch"
    ramp = next(iter(tested.series("lr"))).values
    np.testing.assert_allclose(ramp, np.geomspace(1e-6, 1e6, 20)[: len(ramp)])
