"""Training in float16 with loss scaling: against torch's autocast and GradScaler, and among lanes."""

import copy
import itertools
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch.amp import GradScaler

from core.spec import parse
from core.training import Lane, MemoryRecorder, Resume, TrainOptions, train_lanes
from core.training.checkpoint import Checkpoint
from core.training.lanes.graphs import WARM_UP
from core.training.lanes.loss_scale import INITIAL, LEAST
from core.training.options import Layout
from tests.core.training.trials import PICTURES, arranged, assert_near, assert_same, made, referred, rule, trained

DATA, FACTS = made(PICTURES, train=54, valid=20)
MLP: dict[str, Any] = {"name": "mlp", "hidden": [12, 8], "activation": "tanh", "dropout": 0.2}
CNN: dict[str, Any] = {"name": "cnn", "channels": [4], "dense": [8], "activation": "elu"}
TRANSFORMER: dict[str, Any] = {"name": "transformer", "d_model": 8, "heads": 2, "layers": 1}
ARMS: list[dict[str, Any]] = [{"initializer": "he_normal"}, {"initializer": {"name": "normal", "std": 2.0}}]
"""The second has gradients so large that its first updates overflow at 65,536, as many as the seed makes it."""
CASES: dict[str, dict[str, Any]] = {
    "dense": {"model": MLP, "optimizer": rule("adam"), "gradient_clip": {"norm": 0.5}, "ema_decay": 0.9},
    "convolutions": {"model": CNN, "optimizer": rule("sgd"), "schedule": "onecycle"},
    "attention": {"model": TRANSFORMER, "optimizer": rule("schedule_free_adamw"), "micro_batch_size": 6},
    "muon": {"model": MLP, "optimizer": rule("muon"), "sam": {"rho": 0.01}, "lr_per_layer": {"fc3": 0.0}},
}
GIVEN: dict[str, Any] = {"precision": "fp16", "batch_size": 16, "epochs": 3}
FLOAT16 = 2.0**-11
"""Half of float16's spacing at 1."""
each_layout = pytest.mark.parametrize("layout", get_args(Layout))


def lanes_of(make_lanes: Any, case: str, *arms: dict[str, Any], **given: Any) -> list[Lane]:
    lanes: list[Lane] = make_lanes(*(arms or ARMS), seeds=(0, 3), **{**GIVEN, **CASES[case], **given})
    return lanes


def scaled(lanes: list[Lane], **options: Any) -> tuple[MemoryRecorder, list[Checkpoint]]:
    """Return what was recorded, and a checkpoint before every update."""
    recorder, kept = MemoryRecorder(), list[Checkpoint]()
    train_lanes(lanes, DATA, FACTS, recorder, **arranged(keep=kept.append, keep_seconds=0, **options))
    return recorder, kept


@each_layout
@pytest.mark.parametrize("case", CASES)
def test_lanes_are_the_plain_loop_with_a_grad_scaler(
    make_lanes: Any, case: str, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    lanes = lanes_of(make_lanes, case)
    ours, kept = scaled(lanes, layout=layout)
    scales, update = list[float](), GradScaler.update

    def recorded(self: Any, new_scale: Any = None) -> None:
        scales.append(self.get_scale())
        update(self, new_scale)

    monkeypatch.setattr(GradScaler, "update", recorded)
    theirs = referred(lanes, DATA, FACTS, torch.float32)
    of_each = dict(zip([lane.run for lane in lanes], np.reshape(scales, (len(lanes), -1)), strict=True))
    for i, checkpoint in enumerate(kept):
        expected = [of_each[run][i] for run in checkpoint.runs]
        assert checkpoint.state["loss_scale/scale"].tolist() == expected, f"before update {i}"
    assert kept[0].state["loss_scale/scale"].tolist() == [INITIAL] * len(lanes)
    assert len({scales[-1] for scales in of_each.values()}) > 1
    for recorder in (ours, theirs):
        assert set(recorder.outcomes.values()) == {"completed"}
    for (run, metric), values in theirs.series.items():
        if metric in ("train_loss", "valid_loss", "lr", "skipped_updates"):
            rtol = 0.0 if metric in ("lr", "skipped_updates") else 32 * FLOAT16
            np.testing.assert_allclose(ours.series[run, metric], values, rtol=rtol, err_msg=f"{metric} of run {run}")


@pytest.mark.gpu
@each_layout
def test_a_replayed_update_skips_as_the_plain_loop_does(make_lanes: Any, layout: Layout) -> None:
    """The first updates of a shape are launched one by one; seed 3 skips later ones too."""
    lanes = lanes_of(make_lanes, "dense", epochs=6)
    ours, theirs = (
        trained(lanes, DATA, FACTS, device="cuda", layout=layout),
        referred(lanes, DATA, FACTS, torch.float32),
    )
    for lane in lanes:
        skipped = theirs.series[lane.run, "skipped_updates"]
        assert ours.series[lane.run, "skipped_updates"].tolist() == skipped.tolist()
        for metric in ("train_loss", "valid_loss"):
            rounded = 32 * FLOAT16
            np.testing.assert_allclose(ours.series[lane.run, metric], theirs.series[lane.run, metric], rtol=rounded)
    assert theirs.series[lanes[-1].run, "skipped_updates"][-1] > WARM_UP


@each_layout
def test_an_update_that_is_skipped_changes_no_weight_and_no_state_of_the_optimizer(
    make_lanes: Any, layout: Layout
) -> None:
    """Until its first update a lane is at its start: with Adam that update, whatever its number, is as the first."""
    _, kept = scaled(lanes_of(make_lanes, "dense"), layout=layout)
    changed = 0
    for before, after in itertools.pairwise(kept):
        skipped = after.state["loss_scale/skipped"] > before.state["loss_scale/skipped"]
        changed += int(skipped.sum())
        for name, old in before.state.items():
            new = after.state[name]
            if name.startswith(("parameters/", "slots/", "scalars/")):
                assert torch.equal(new[skipped], old[skipped]), name
            if name.startswith("parameters/") and not skipped.all():
                assert not torch.equal(new[~skipped], old[~skipped]), name
    assert changed > 3


@each_layout
def test_a_lane_that_overflows_does_not_touch_its_neighbours(make_lanes: Any, layout: Layout) -> None:
    calm = {"initializer": "he_normal"}
    wild = {"initializer": {"name": "normal", "std": 20.0}}
    beside, with_calm = (
        scaled(lanes_of(make_lanes, "dense", calm, other), layout=layout)
        for other in (wild, {"initializer": "torch_default"})
    )
    skipped = beside[1][-1].state["loss_scale/skipped"].tolist()
    assert min(skipped[1::2]) > max(skipped[::2])
    for (run, metric), values in with_calm[0].series.items():
        if run < 100:
            assert values.tobytes() == beside[0].series[run, metric].tobytes(), metric


@each_layout
def test_it_goes_on_from_a_checkpoint(make_lanes: Any, layout: Layout, tmp_path: Any) -> None:
    lanes, kept, whole = lanes_of(make_lanes, "dense"), list[tuple[Checkpoint, MemoryRecorder]](), MemoryRecorder()
    keep = lambda checkpoint: kept.append((checkpoint, copy.deepcopy(whole)))  # noqa: E731
    train_lanes(lanes, DATA, FACTS, whole, TrainOptions(layout=layout, keep_seconds=0), keep=keep)
    for checkpoint, recorder in (kept[1], kept[3], kept[9]):
        checkpoint.write(tmp_path / "checkpoint")
        start = Checkpoint.read(tmp_path / "checkpoint")
        train_lanes(lanes, DATA, FACTS, recorder, TrainOptions(layout=layout), Resume(start=start))
        assert_same(recorder, whole)


def test_a_lane_that_stays_keeps_its_scale_when_others_leave(make_lanes: Any) -> None:
    lanes = lanes_of(make_lanes, "dense", *reversed(ARMS))
    together, kept = scaled(lanes, layout="loop", pruned_at={lanes[0].run: 1, lanes[3].run: 2})
    assert [len(checkpoint.runs) for checkpoint in kept] == [4] * 4 + [3] * 4 + [2] * 4
    assert kept[-1].state["loss_scale/scale"].min() < INITIAL
    whole = trained(lanes, DATA, FACTS, layout="loop")
    assert_near(together, whole, 0.0, runs=[lanes[1].run, lanes[2].run])


def test_a_lane_whose_scale_has_run_out_has_diverged(make_lanes: Any) -> None:
    lanes = lanes_of(make_lanes, "dense", {"initializer": "he_normal"}, {"initializer": "torch_default"})
    whole, kept = scaled(lanes, layout="loop")
    start = kept[0]
    start.state["loss_scale/scale"][1] = LEAST / 2
    recorder = trained(lanes, DATA, FACTS, layout="loop", start=start)
    lost = start.runs[1]
    assert {run for run, outcome in recorder.outcomes.items() if outcome == "diverged"} == {lost}
    assert np.isnan(recorder.series[lost, "train_loss"]).tolist() == [True]
    assert_near(recorder, whole, 0.0, runs=set(start.runs) - {lost})


def test_noise_and_looks_leave_training_as_it_is(make_lanes: Any) -> None:
    """Estimates of the noise are made of updates with finite gradients alone."""
    lanes = lanes_of(make_lanes, "dense", gradient_clip=None)
    plain, looked = (trained(lanes, DATA, FACTS, **more) for more in ({}, {"noise_every": 1, "diagnose_every": 1}))
    for key, values in plain.series.items():
        assert values.tobytes() == looked.series[key].tobytes(), key
    for lane in lanes:
        assert np.isfinite(looked.series[lane.run, "gradient_variance"][1:]).all()


def test_an_arm_may_be_of_float16() -> None:
    spec = parse({"arms": [{"label": "full"}, {"label": "half", "precision": "fp16"}]})
    assert [arm.treatment.precision for arm in spec.expanded] == ["fp32", "fp16"]
