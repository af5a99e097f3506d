import gc
import time
import weakref
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.datasets import DatasetPaths, datasets
from core.metrics import epoch_metrics, metric_names
from core.spec import parse
from core.training import Checkpoint, Lane, Layout, MemoryRecorder, Profile, library, train, train_lanes, train_run

EPOCH_METRICS = epoch_metrics("multiclass", 10)

SPEC = parse(
    {
        "model": {"name": "mlp", "hidden": [8], "activation": "linear"},
        "optimizer": {"name": "sgd", "lr": 0.1},
        "epochs": 2,
        "seeds": [3, 1],
        "arms": [
            {"label": "he", "initializer": "he_normal"},
            {"label": "small batches", "batch_size": 500},
            {"label": "wild", "initializer": "ones", "optimizer.lr": 1e12},
        ],
    }
)


def test_an_experiment_gives_the_numbers_of_the_plain_loop() -> None:
    results = train(SPEC, DatasetPaths())
    assert [(run.arm, run.seed) for run in results.runs] == [
        (arm.label, seed) for arm in SPEC.expanded for seed in (3, 1)
    ]
    dataset = datasets.parse("digits").build()
    expected = MemoryRecorder()
    for run, treatment in zip(results.runs, [arm.treatment for arm in SPEC.expanded for _ in (3, 1)], strict=True):
        train_run(
            Lane(run.id, treatment, run.seed), dataset.load(DatasetPaths()), dataset.info(DatasetPaths()), expected
        )
        assert run.status == "succeeded"
        assert run.outcome == expected.outcomes[run.id] == ("diverged" if run.arm == "wild" else "completed")
    for metric in (*metric_names("step"), *EPOCH_METRICS):
        series = results.series(metric)
        assert [one.run_id for one in series] == [run.id for run in results.runs if (run.id, metric) in expected.series]
        for one in series:
            assert one.steps.tolist() == list(range(len(one.values)))
            theirs = expected.series[one.run_id, metric]
            assert one.values.shape == theirs.shape
            if one.arm != "wild":  # on the way to infinity rounding is everything
                np.testing.assert_allclose(one.values, theirs, rtol=1e-4)
    assert [arm.steps_per_epoch for arm in results.design.arms] == [15, 3, 15]


def test_final_values_are_the_last_and_null_where_not_finite() -> None:
    results = train(SPEC, DatasetPaths())
    he, wild = results.runs[0], results.runs[-1]
    last = {
        s.metric: s.values[-1]
        for m in (*metric_names("step"), *EPOCH_METRICS)
        for s in results.series(m)
        if s.run_id == 0
    }
    assert he.final == last
    assert wild.final.keys() == set(metric_names("step"))
    assert wild.final["train_loss"] is None


class Killed(BaseException):
    """Stands for whatever ends the process."""


def test_a_call_that_was_interrupted_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = parse(SPEC.canonical() | {"checkpoint_every": 0.1, "epochs": 60, "diagnostics": {"every": 7}})
    unbroken = train(spec, DatasetPaths())
    write, written = Checkpoint.write, []

    def dying(checkpoint: Checkpoint, path: Path) -> None:
        write(checkpoint, path)
        written.append(checkpoint)
        if len(written) in (1, 3):
            raise Killed

    monkeypatch.setattr(Checkpoint, "write", dying)
    for _ in range(2):
        with pytest.raises(Killed):
            train(spec, DatasetPaths(), checkpoints=tmp_path)
    resumed = train(spec, DatasetPaths(), checkpoints=tmp_path)
    assert 0 < written[0].step < written[2].step
    assert resumed.runs == unbroken.runs
    for metric in (*metric_names("step"), *EPOCH_METRICS, "weight_norm", "activation_std/fc2"):
        pairs = [*zip(resumed.series(metric), unbroken.series(metric), strict=True)]
        assert all(np.array_equal(a.values, b.values, equal_nan=True) and a[:4] == b[:4] for a, b in pairs)
        assert all(np.array_equal(a.steps, b.steps) for a, b in pairs)
    norms = list(resumed.series("weight_norm"))
    assert [(one.run_id, one.metric) for one in norms[:4]] == [
        (run, f"weight_norm/fc{layer}") for run in (0, 1) for layer in (1, 2)
    ]
    assert norms[0].steps.tolist() == list(range(0, 60 * 15, 7))
    assert list(tmp_path.iterdir()) == []


def test_where_memory_runs_out_halves_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A memory that holds so many lanes: what asks for more is told what torch's allocator says."""
    widths: list[int] = []
    layouts: dict[int, set[Layout]] = defaultdict(set)

    def small(lanes: Sequence[Lane], *rest: Any, **options: Any) -> None:
        widths.append(len(lanes))
        layouts[lanes[0].treatment.batch_size].add(rest[3].layout)
        if len(lanes) > room:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: error 12")
        train_lanes(lanes, *rest, **options)

    expected = train(SPEC, DatasetPaths())
    monkeypatch.setattr(library, "train_lanes", small)
    room = 1
    found = train(SPEC, DatasetPaths())
    assert max(widths) > 1 == min(widths)
    assert [len(used) for used in layouts.values()] == [1, 1], "halves keep the layout, and so the bits of the whole"
    assert [(run.id, run.outcome) for run in found.runs] == [(run.id, run.outcome) for run in expected.runs]
    for a, b in zip(found.series("train_loss"), expected.series("train_loss"), strict=True):
        np.testing.assert_array_equal(a.values, b.values)
    room = 0
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        train(SPEC, DatasetPaths())


def test_halves_begin_when_the_memory_of_the_whole_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def full(lanes: Sequence[Lane], *rest: Any, **options: Any) -> Any:
        assert not any(one() is not None for one in held)
        if len(lanes) > 1:
            parameters = torch.zeros(len(lanes), 100)
            held.append(weakref.ref(parameters))
            itself: list[Any] = [parameters]
            itself.append(itself)  # like a stack and its graph
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return train_lanes(lanes, *rest, **options)

    monkeypatch.setattr(library, "train_lanes", full)
    gc.disable()
    try:
        train(parse({"arms": [{}], "seeds": 2, "epochs": 1, "model": {"name": "mlp", "hidden": [4]}}), DatasetPaths())
    finally:
        gc.enable()
    assert len(held) == 1


def test_halves_leave_no_file_of_the_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Memory that sufficed until a rung does not after it."""
    spec = parse(
        {"arms": [{"initializer": "he_normal"}, {"initializer": "zeros"}], "seeds": 3, "epochs": 2, "pruning": {}}
    )
    calls: list[int] = []

    def soon_full(lanes: Sequence[Lane], *rest: Any, **options: Any) -> Any:
        calls.append(len(lanes))
        if calls.count(len(lanes)) > 1 and len(lanes) == max(calls):
            raise MemoryError
        return train_lanes(lanes, *rest, **options)

    monkeypatch.setattr(library, "train_lanes", soon_full)
    train(spec, DatasetPaths(), checkpoints=tmp_path)
    assert min(calls) < max(calls)
    assert list(tmp_path.iterdir()) == []


def test_runs_say_how_long_they_took_and_how_far_they_came() -> None:
    began = time.monotonic()
    results = train(SPEC, DatasetPaths())
    took = time.monotonic() - began

    steps = {arm.label: arm.steps_per_epoch for arm in results.design.arms}
    assert steps == {"he": 15, "small batches": 3, "wild": 15}
    for run in results.runs:
        assert run.steps_done == len(next(s for s in results.series("train_loss") if s.run_id == run.id).values)
        assert run.seconds is not None
        assert 0 < run.seconds < took


@pytest.mark.gpu
def test_what_training_took_from_a_gpu_is_free_again() -> None:
    free = library._guess("cuda").memory["cuda"]
    torch.ones(2**20, device="cuda").sum().item()
    assert 0 <= free - library._guess("cuda").memory["cuda"] < 2**26, "what torch holds and nothing uses"


def test_a_gpu_is_planned_for_with_what_is_free_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What torch holds without using it is free; the memory of a CPU is guessed, so that sums have the same bits."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (50, 80))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 20)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: 5)
    assert library._guess("cuda").memory == {"cuda": 65}
    assert library._guess("cpu") == Profile.guess()
