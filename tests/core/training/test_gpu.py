"""The trainer on a CUDA device, against the plain loop on the CPU and against itself."""

import copy
import subprocess
import sys
from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from core.datasets import DatasetInfo, Splits
from core.metrics.gradient_noise import NOISE_METRICS
from core.spec import Augment
from core.streams import keys, words
from core.training import Lane, MemoryRecorder, Resume, TrainOptions, train_lanes
from core.training.augment import augment
from core.training.checkpoint import Checkpoint
from core.training.lanes.dropout import Masks, PairedDropout
from core.training.lanes.graphs import Graphs
from core.training.options import Layout
from tests.core.training.trials import CUT, PICTURES, assert_near, assert_same, made, referred, rule, trained

MLP = {"name": "mlp", "hidden": [12, 8], "activation": "tanh", "dropout": 0.3}
CNN = {"name": "cnn", "channels": [4], "dense": [8], "activation": "elu"}
TRANSFORMER = {"name": "transformer", "d_model": 8, "heads": 2, "layers": 1, "dropout": 0.3}
CASES: dict[str, dict[str, Any]] = {
    "mlp": {"model": MLP, "optimizer": rule("adam"), "schedule": CUT, "micro_batch_size": 6},
    "cnn": {"model": CNN, "optimizer": rule("sgd"), "augment": {"crop": 2, "flip": True}, "mixup": 0.2, "cutmix": 1.0},
    "transformer": {
        "model": TRANSFORMER,
        "optimizer": rule("schedule_free_adamw"),
        "class_weights": "balanced",
        "focal_loss": {"gamma": 1.5},
        "label_smoothing": 0.1,
    },
    "muon": {"model": MLP, "optimizer": rule("muon"), "sam": {"rho": 0.05}, "lr_per_layer": {"fc3": 0.0}},
    "float16": {"model": MLP, "optimizer": rule("adam"), "gradient_clip": {"norm": 0.5}, "precision": "fp16"},
}
LAYOUTS = get_args(Layout)
ARMS: list[dict[str, Any]] = [
    {"initializer": "he_normal"},
    {"initializer": "torch_default", "optimizer.lr": 0.002},
    {"initializer": "glorot_uniform", "schedule": "onecycle"},
]
DATA, FACTS = made(PICTURES, train=54, valid=20)


def lanes_of(make_lanes: Callable[..., list[Lane]], case: str, **given: Any) -> list[Lane]:
    lanes = make_lanes(*ARMS, seeds=(0, 3), **{"batch_size": 16, "epochs": 3, **CASES[case], **given})
    return [replace(lane, repeat=case == "cnn") for lane in lanes]  # of pictures in the other order


def on_gpu(lanes: list[Lane], data: Splits = DATA, info: DatasetInfo = FACTS, **options: Any) -> MemoryRecorder:
    return trained(lanes, data, info, device="cuda", **options)


@pytest.mark.gpu
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("company", [slice(None), slice(1), slice(1, None)], ids=["even", "one lane", "uneven"])
def test_lanes_are_the_plain_loop(make_lanes: Any, case: str, layout: str, company: slice) -> None:
    lanes = lanes_of(make_lanes, case)[company]
    assert_near(on_gpu(lanes, dtype=torch.float64, layout=layout), referred(lanes, DATA, FACTS), 1e-9, 1e-13)


@pytest.mark.gpu
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_twice_is_bit_identical(make_lanes: Any, case: str, precision: str) -> None:
    lanes = lanes_of(make_lanes, case, precision=precision)
    first = on_gpu(lanes)
    for block_seconds in (0, 3600):
        assert_same(on_gpu(lanes, block_seconds=block_seconds), first)


@pytest.mark.gpu
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", CASES)
def test_a_replay_is_the_update_itself(
    make_lanes: Any, case: str, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole batches and the smaller last one, with a look at the layers in every second update, and evaluations."""
    lanes, captured = lanes_of(make_lanes, case, epochs=6), list[Hashable]()
    capture = Graphs._capture

    def counted(self: Graphs, key: Hashable, function: Any) -> bool:
        captured.append(key)
        return capture(self, key, function)

    monkeypatch.setattr(Graphs, "_capture", counted)
    replayed = on_gpu(lanes, layout=layout, diagnose_every=5, judge_all=True)
    assert len(captured) == len(set(captured)) == 5, "whole and last batches, looks at whole ones, two splits' parts"
    monkeypatch.setattr(Graphs, "_capture", lambda *_: False)
    assert_same(on_gpu(lanes, layout=layout, diagnose_every=5, judge_all=True), replayed)


@pytest.mark.gpu
@pytest.mark.parametrize("case", CASES)
def test_it_goes_on_from_a_checkpoint(make_lanes: Any, case: str, tmp_path: Path) -> None:
    lanes, kept = lanes_of(make_lanes, case), list[tuple[Checkpoint, MemoryRecorder]]()
    whole = MemoryRecorder()
    keep = lambda checkpoint: kept.append((checkpoint, copy.deepcopy(whole)))  # noqa: E731
    train_lanes(lanes, DATA, FACTS, whole, TrainOptions(device="cuda", keep_seconds=0), keep=keep)
    assert all(values.device.type == "cpu" for checkpoint, _ in kept for values in checkpoint.state.values())
    for checkpoint, recorder in (kept[0], kept[5], kept[8]):
        checkpoint.write(tmp_path / "checkpoint")
        train_lanes(
            lanes,
            DATA,
            FACTS,
            recorder,
            TrainOptions(device="cuda"),
            Resume(start=Checkpoint.read(tmp_path / "checkpoint")),
        )
        assert_same(recorder, whole)


@pytest.mark.gpu
def test_the_gradient_noise_is_measured_beside_a_replay(make_lanes: Any) -> None:
    lanes = lanes_of(make_lanes, "mlp")
    measured, without = (on_gpu(lanes, dtype=torch.float64, noise_every=every) for every in (2, 0))
    assert_near(measured, trained(lanes, DATA, FACTS, dtype=torch.float64, noise_every=2), rtol=1e-8)
    for key in [key for key in measured.series if key[1] in NOISE_METRICS]:
        del measured.blocks[key]
    assert_same(measured, without)


@pytest.mark.gpu
def test_a_lane_that_diverged_leaves(make_lanes: Any) -> None:
    linear = {"name": "mlp", "hidden": [6, 6, 6, 6], "activation": "linear"}
    lanes = make_lanes(
        {}, {"initializer": "ones", "optimizer.lr": 1e12}, seeds=(0, 3), model=linear,
        optimizer={"name": "sgd", "lr": 0.001}, batch_size=16, epochs=3,
    )  # fmt: skip
    kept = list[Checkpoint]()
    recorder = on_gpu(lanes, dtype=torch.float64, keep=kept.append, keep_seconds=0)
    assert [len(checkpoint.runs) for checkpoint in kept] == [4] * 4 + [2] * 8
    assert_near(recorder, referred(lanes, DATA, FACTS), 1e-9, runs=[lane.run for lane in lanes[:2]])
    assert [recorder.outcomes[lane.run] for lane in lanes[2:]] == ["diverged"] * 2


@pytest.mark.gpu
def test_what_is_drawn_has_the_cpus_bits() -> None:
    seeds, layer, how = [0, 3, 7], PairedDropout(0.3), Augment(crop=2, flip=True)
    layer.learn((5, 3))
    pictures = torch.rand(3, 9, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    for step in (0, 1, 10**6):
        here, there = (words(keys(seeds, "test", device=device), step, 50) for device in ("cpu", "cuda"))
        assert torch.equal(here, there.cpu())
        here, there = (
            Masks({"a": layer}, seeds, torch.float32, device).draw(step, 9)["a"] for device in ("cpu", "cuda")
        )
        assert torch.equal(here, there.cpu())
        here, there = (
            augment(pictures.to(device), how, keys(seeds, "augment", device=device), step) for device in ("cpu", "cuda")
        )
        assert torch.equal(here, there.cpu())


@pytest.mark.gpu
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("precision", "rtol"), [("fp32", 1e-3), ("tf32", 2.0**-6), ("bf16", 2.0**-4)])
def test_every_precision_learns_the_same(make_lanes: Any, case: str, precision: str, rtol: float) -> None:
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic
    ours = on_gpu(lanes_of(make_lanes, case, precision=precision))
    theirs = trained(lanes_of(make_lanes, case, precision="fp32"), DATA, FACTS)
    for key, values in ours.series.items():
        if key[1] in ("train_loss", "valid_loss"):
            assert values == pytest.approx(theirs.series[key], rel=rtol)
    after = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic
    assert before == after


def test_importing_the_trainer_starts_no_cuda() -> None:
    """A worker forks after its imports, and CUDA does not survive a fork. Runs with and without a device."""
    code = (
        "import core.training, core.training.library, core.experiments, worker.tasks, torch\n"
        "assert not torch.cuda.is_initialized()\n"
        "assert not torch.cuda._is_in_bad_fork()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.gpu
@pytest.mark.parametrize("case", CASES)
def test_diagnostics_change_nothing_and_are_the_cpus(make_lanes: Any, case: str) -> None:
    """By graphs of their own, of whole batches and of a smaller last one."""
    lanes = lanes_of(make_lanes, case)
    plain, looked = on_gpu(lanes), on_gpu(lanes, diagnose_every=2)
    for key, values in plain.series.items():
        assert values.tobytes() == looked.series[key].tobytes(), key
    there = on_gpu(lanes, dtype=torch.float64, diagnose_every=2)
    here = trained(lanes, DATA, FACTS, dtype=torch.float64, diagnose_every=2)
    assert_near(there, here, 1e-7, 1e-11)
