"""Splits that vary: another for each seed, the same for all arms of a seed, trained together all the same."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.datasets import DatasetPaths, SeedSplits, datasets, load_per_seed, of_seed, split_seed_of
from core.datasets._seeds import Rows
from core.metrics import Task
from core.spec import parse
from core.training import Checkpoint, Lane, MemoryRecorder, Stopped, train, train_lanes, train_run
from tests.core.training.trials import CUT, PICTURES, arranged, assert_near, assert_same, made, trained

NOWHERE = DatasetPaths(Path("/nowhere"), Path("/nowhere"))
SEEDS = (0, 3)
_POOL, _FACTS = made(PICTURES, train=22 + 10 + 9, valid=3)
FACTS = _FACTS._replace(train=22, valid=10, test=9)
ARMS: list[dict[str, Any]] = [
    {"initializer": "lsuv", "optimizer.lr": 3.0, "early_stopping": {"metric": "valid_loss", "patience": 1}},
    {"initializer": {"name": "he_normal", "output_bias": "prior"}, "schedule": CUT, "class_weights": "balanced"},
    {"initializer": "glorot_uniform", "class_weights": [1.0, 2.0, 0.5]},
]
BASE: dict[str, Any] = {
    "model": {"name": "mlp", "hidden": [6, 5], "activation": "tanh", "dropout": 0.3},
    "optimizer": {"name": "sgd", "lr": 0.02},
    "batch_size": 8,
    "epochs": 3,
    "ema_decay": 0.7,
    "class_weights": "balanced",
}


def shuffled(seed: int) -> Rows:
    order = torch.randperm(41, generator=torch.Generator().manual_seed(seed))
    return Rows(*order.split([22, 10, 9]))


DATA = SeedSplits(_POOL.x_train, _POOL.y_train, {seed: shuffled(seed) for seed in (0, 3, 5)})


@pytest.fixture
def lanes(make_lanes: Any) -> list[Lane]:
    found: list[Lane] = make_lanes(*ARMS, seeds=SEEDS, **BASE)
    return found


def referred(lanes: list[Lane], data: SeedSplits = DATA, info: Any = FACTS, **options: Any) -> MemoryRecorder:
    recorder = MemoryRecorder()
    for lane in lanes:
        train_run(lane, data.of(lane.seed), info, recorder, dtype=torch.float64, **options)
    return recorder


@pytest.mark.parametrize("layout", ["vmap", "loop"])
@pytest.mark.parametrize("judge_all", [False, True])
def test_each_seed_trains_on_its_own_split_as_the_plain_loop_does(
    lanes: list[Lane], layout: str, judge_all: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.training.lanes.model.EVALUATION", {"cpu": 9 * 64 * 4})  # several parts of a split
    fast = trained(lanes, DATA, FACTS, dtype=torch.float64, layout=layout, judge_all=judge_all)
    assert_near(fast, referred(lanes, judge_all=judge_all), rtol=1e-9, atol=1e-12)
    assert {"completed", "stopped_early"} == set(fast.outcomes.values())


def test_lanes_of_a_seed_that_share_a_batch_do_so_too(make_lanes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a grid of seeds and arms, as large batches are."""
    monkeypatch.setattr("core.training.lanes.grid.COPIED", 0)
    lanes = make_lanes(ARMS[2], {"initializer": "he_normal"}, seeds=SEEDS, **BASE)
    assert_near(trained(lanes, DATA, FACTS, dtype=torch.float64), referred(lanes), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "task"), [("breast_cancer", "binary"), ("diabetes", "regression")])
def test_metrics_of_a_whole_split_are_those_of_the_seeds_own(make_lanes: Any, name: str, task: Task) -> None:
    """AUC, R² and others that know their split's labels; the features are standardised by each seed's own split."""
    entry = datasets.parse({"name": name, "test_fraction": 0.2})
    data, info = load_per_seed(entry, SEEDS, NOWHERE), entry.build().info(NOWHERE)
    base = BASE | {"class_weights": None, "batch_size": 64}
    lanes = make_lanes({"initializer": "he_normal"}, {"initializer": "lsuv"}, seeds=SEEDS, **base)
    fast = trained(lanes, data, info, dtype=torch.float64)
    assert_near(fast, referred(lanes, data, info), rtol=1e-8, atol=1e-10)
    assert ("test_auc" if task == "binary" else "test_r2") in {metric for _, metric in fast.series}


def test_which_examples_are_right_are_those_of_the_seeds_own_split(lanes: list[Lane]) -> None:
    found = trained(lanes, DATA, FACTS, dtype=torch.float64, examples=True)
    assert found.correct.keys() == {lane.run for lane in lanes}
    for lane in lanes:
        assert found.correct[lane.run].mean() == found.series[lane.run, "test_accuracy"][-1]
        fixed = trained([lane], DATA.of(lane.seed), FACTS, dtype=torch.float64, examples=True)
        assert np.array_equal(fixed.correct[lane.run], found.correct[lane.run])


def test_company_and_a_stop_change_nothing(lanes: list[Lane], tmp_path: Path) -> None:
    together = trained(lanes, DATA, FACTS, dtype=torch.float64)
    for company in (lanes[:1], lanes[1:4]):
        for key, values in trained(company, DATA, FACTS, dtype=torch.float64).series.items():
            np.testing.assert_allclose(values, together.series[key], rtol=1e-11, err_msg=str(key))
    whole = trained(lanes, DATA, FACTS)
    for polls in (2, 9, 14):
        recorder, answers = MemoryRecorder(), iter([False] * polls)
        with pytest.raises(Stopped) as stop:
            train_lanes(lanes, DATA, FACTS, recorder, stopped=partial(next, answers, True))
        stop.value.checkpoint().write(tmp_path / "checkpoint")
        train_lanes(lanes, DATA, FACTS, recorder, **arranged(start=Checkpoint.read(tmp_path / "checkpoint")))
        assert_same(recorder, whole)


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "two_spirals"])
def test_a_seeds_split_is_that_of_a_split_seed(name: str) -> None:
    """So that anybody can have it again as a fixed one."""
    entry = datasets.parse({"name": name, "split_seed": 7, "test_fraction": 0.1})
    data, info = load_per_seed(entry, SEEDS, NOWHERE), entry.build().info(NOWHERE)
    assert data.counts == (info.train, info.valid, info.test)
    for seed in SEEDS:
        fixed = datasets.parse({"name": name, "split_seed": split_seed_of(7, seed), "test_fraction": 0.1}).build()
        again = of_seed(entry, seed).load(NOWHERE)
        for ours, theirs, same in zip(data.of(seed), fixed.load(NOWHERE), again, strict=True):
            assert torch.equal(ours, theirs)
            assert torch.equal(ours, same)
    assert split_seed_of(7, 0) != split_seed_of(7, 3) != split_seed_of(8, 3)
    if name != "breast_cancer":
        assert len(data.x) == sum(data.counts), "an example is in memory once"


def test_the_library_and_its_weights_know_the_seeds_splits() -> None:
    spec = parse({"split": "per_seed", "epochs": 1, "seeds": 2, "initializer": "lsuv", "model": "mlp"})
    results = train(spec, NOWHERE)
    assert results.design.splits_vary
    entry = spec.dataset
    for run in results.runs:
        recorder = MemoryRecorder()
        lane = Lane(0, spec.expanded[0].treatment, run.seed)
        train_run(lane, of_seed(entry, run.seed).load(NOWHERE), entry.build().info(NOWHERE), recorder)
        assert recorder.series[0, "valid_loss"][-1] == pytest.approx(run.final["valid_loss"], rel=1e-3)
