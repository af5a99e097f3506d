"""Second trainings: what differs from the first is rounding, and nothing else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.datasets import DatasetPaths
from core.spec import ArmInfo, parse, size
from core.streams import generator
from core.training import Checkpoint, Lane, Profile, make_plan, train
from core.training.options import Layout
from tests.core.training.trials import PICTURES, assert_near, made, referred, rule, trained

MLP = {"name": "mlp", "hidden": [8, 6], "activation": "tanh", "dropout": 0.3}
CNN = {"name": "cnn", "channels": [3], "dense": [6], "activation": "elu", "batch_norm": True}
ALL = {"augment": {"crop": 2, "flip": True}, "mixup": 0.4, "cutmix": 1.0, "label_smoothing": 0.1}
SETTINGS: dict[str, dict[str, Any]] = {
    "dropout": {"model": MLP},
    "batch norm": {"model": CNN, "drop_last": True},
    "examples of their own": {"model": MLP, **ALL, "class_weights": [0.5, 2.0, 3.0]},
    "in parts": {"model": MLP, "micro_batch_size": 3, **ALL},
    "sam, clipped and averaged": {"model": CNN, "sam": {}, "gradient_clip": {"norm": 0.5}, "ema_decay": 0.9, **ALL},
}


def again(lanes: list[Lane]) -> list[Lane]:
    return [replace(lane, repeat=True) for lane in lanes]


@pytest.mark.parametrize("layout", ["vmap", "loop"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_only_rounding_moves(make_lanes: Any, setting: str, layout: Layout) -> None:
    """A sum does not depend on its order, but for rounding: in float64 the two are as near as that, and not the same.

    Whatever did not follow its example, a mask, a mixture, a crop, would change far more.
    """
    data, info = made(PICTURES, train=22, valid=10)
    lanes = make_lanes({}, {"optimizer.lr": 0.01}, seeds=(0, 3), optimizer=rule("sgd"), epochs=3,
                       **({"batch_size": 8} | SETTINGS[setting]))  # fmt: skip
    first = trained(lanes, data, info, dtype=torch.float64, layout=layout)
    second = trained(again(lanes), data, info, dtype=torch.float64, layout=layout)
    assert_near(second, first, 1e-9, 1e-12)
    assert_near(second, referred(again(lanes), data, info), 1e-9, 1e-12)
    assert any(values.tobytes() != first.series[key].tobytes() for key, values in second.series.items())


def test_a_batch_of_one_has_one_order(make_lanes: Any) -> None:
    data, info = made((5,), train=20, valid=10)
    lanes = make_lanes({}, model={"name": "mlp", "hidden": []}, optimizer=rule("sgd"), batch_size=1, epochs=2)
    first, second = (trained(one, data, info, layout="loop") for one in (lanes, again(lanes)))
    assert all(values.tobytes() == first.series[key].tobytes() for key, values in second.series.items())


def test_chaos_makes_much_of_what_an_order_rounds_away(make_lanes: Any) -> None:
    """The losses of the first update differ by a few units in the last place of a float32, 6e-8 of them. Beyond twice
    the inverse sharpness steps are chaotic, and what is between two runs grows from one to the next."""
    data, info = made((5,), train=64, valid=32)
    data = data._replace(y_train=torch.randint(3, (64,), generator=generator(0, "labels")))  # its loss stays large
    wild = {"optimizer": {"name": "sgd", "lr": 2.0, "momentum": 0.9}}
    model = {"name": "mlp", "hidden": [32], "activation": "tanh"}
    lanes = make_lanes({"optimizer.lr": 0.1}, {}, seeds=(0,), model=model, batch_size=64, epochs=100, **wild)
    first, second = (trained(one, data, info, layout="loop") for one in (lanes, again(lanes)))
    calm, chaotic = (
        np.abs(first.series[lane.run, "train_loss"] - second.series[lane.run, "train_loss"]) for lane in lanes
    )
    assert max(calm[0], chaotic[0]) < 1e-6
    assert calm.max() < 1e-5
    assert chaotic.max() > 0.1


def test_runs_of_both_orders_share_no_program(make_lanes: Any) -> None:
    data, info = made((5,), train=20, valid=10)
    lanes = make_lanes({}, seeds=(0, 1))
    with pytest.raises(ValueError, match="the order in a batch"):
        trained([lanes[0], *again(lanes[1:])], data, info)


TWICE: dict[str, Any] = {
    "dataset": {"name": "two_spirals", "examples": 200},
    "model": {"name": "mlp", "hidden": [6], "norm": "batch_norm"},
    "arms": [{"initializer": "he_normal"}, {"initializer": "he_normal", "batch_size": 40}, {"initializer": "zeros"}],
    "epochs": 2,
    "seeds": 3,
}
"""Runs whose bits depend on who trains with them, in two programs."""


@pytest.mark.parametrize("cores", [1, 3])
def test_second_trainings_are_cut_as_the_first_are(cores: int) -> None:
    once, twice = parse(TWICE), parse(TWICE | {"repeat": {"rounding": True}})
    _, info = made((2,), train=160, valid=40, classes=2)
    infos = [ArmInfo(info, size(once.model, (2,), 2), 4, 8) for _ in once.expanded]
    alone, both = (make_plan(spec, infos, Profile.guess(cores)) for spec in (once, twice))
    halves = [[one._replace(again=None) for one in both.cohorts if one.again == again] for again in (None, "rounding")]
    assert halves == [alone.cohorts, alone.cohorts]


def test_the_first_trainings_are_bit_for_bit_those_without_second_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs whose bits depend on their company, and a call that is interrupted while the second are trained."""
    once, twice = parse(TWICE), parse(TWICE | {"repeat": {"rounding": True}, "checkpoint_every": 0.1})
    alone, both = train(once, DatasetPaths()), train(twice, DatasetPaths())
    assert both.repeated is not None
    assert [replace(run, id=0) for run in both.runs] == [replace(run, id=0) for run in alone.runs]
    assert [(run.arm, run.seed) for run in both.repeated.runs] == [(run.arm, run.seed) for run in alone.runs]
    for mine, other in zip(both.series("train_loss"), alone.series("train_loss"), strict=True):
        assert mine.values.tobytes() == other.values.tobytes()

    write, written = Checkpoint.write, []

    def dying(checkpoint: Checkpoint, path: Path) -> None:
        write(checkpoint, path)
        written.append(path)
        if len(written) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "write", dying)
        with pytest.raises(KeyboardInterrupt):
            train(twice, DatasetPaths(), checkpoints=tmp_path)
    resumed = train(twice, DatasetPaths(), checkpoints=tmp_path)
    assert resumed.repeated is not None
    for whole, after in ((both, resumed), (both.repeated, resumed.repeated)):
        assert after.runs == whole.runs
        for metric in ("train_loss", "valid_accuracy"):
            for mine, theirs in zip(whole.series(metric), after.series(metric), strict=True):
                assert (mine.run_id, mine.values.tobytes()) == (theirs.run_id, theirs.values.tobytes())
