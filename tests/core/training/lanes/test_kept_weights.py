"""Weights that are kept load into the plain model, which is then as good as its run was reported to be."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.datasets import Dataset, DatasetPaths, Splits
from core.models import models
from core.spec import parse
from core.training import Checkpoint, Lane, Layout, MemoryRecorder, Resume, Stopped, TrainOptions, train_lanes
from core.training.lanes.kept_weights import RunWeights
from core.training.weights import NoWeights, load_model, read_about, write_weights

BASE: dict[str, Any] = {"keep": ["initial", "best", "final"], "seeds": 2, "epochs": 4, "diagnostics": None}
MLP = {"name": "mlp", "hidden": [16], "dropout": 0.2}
NORMED = {"name": "mlp", "hidden": [16], "norm": "batch_norm"}
CASES: dict[str, dict[str, Any]] = {
    "plain": {"model": MLP},
    "loop": {"model": MLP, "layout": "loop"},
    "statistics of batch norms": {"model": NORMED},
    "averages that are evaluated": {"model": MLP, "optimizer": "schedule_free_adamw"},
    "factors of the forward pass": {"model": MLP, "initializer": {"name": "mup", "base_width": 4}},
    "convolutions": {"model": {"name": "cnn", "channels": [4, 4]}, "epochs": 2},
    "binary": {"model": NORMED, "dataset": "breast_cancer"},
    "regression": {"model": MLP, "dataset": "diabetes"},
}


class Trained:
    """The runs of one cohort, with what was kept of each."""

    def __init__(self, stop_at: int | None = None, before: "Trained | None" = None, **spec: Any) -> None:
        self.spec = parse({**BASE, **spec})
        self.recorder: MemoryRecorder = before.recorder if before else MemoryRecorder()
        self.kept: dict[int, RunWeights] = {}
        start: Checkpoint | None = before.stopped if before else None
        self.lanes = [
            Lane(10 * i + seed, arm.treatment, seed)
            for i, arm in enumerate(self.spec.expanded)
            for seed in self.spec.seed_list
        ]
        entry = self.lanes[0].treatment.dataset
        dataset: Dataset = entry.build()
        self.info = dataset.info(DatasetPaths())
        self.splits: Splits = dataset.load(DatasetPaths())
        asked = 0

        def stopped() -> bool:
            nonlocal asked
            asked += 1
            return asked - 1 == stop_at

        layout: Layout = "loop" if self.spec.layout == "loop" else "vmap"
        self.stopped: Checkpoint | None = None
        try:
            train_lanes(
                self.lanes, self.splits, self.info, self.recorder, TrainOptions.of(self.spec, "cpu", layout),
                Resume(start=start), stopped=stopped, weights=self.kept.__setitem__,
            )  # fmt: skip
        except Stopped as stop:
            self.stopped = stop.checkpoint()

    def about(self, lane: Lane) -> dict[str, Any]:
        model = lane.treatment.model.model_dump()
        return {"model": model, "inputs": self.info.inputs, "outputs": self.info.outputs}

    def judged(self, module: torch.nn.Module) -> float:
        """The value by which epochs are told apart, of a plain model."""
        with torch.no_grad():
            outputs, y = module(self.splits.x_valid), self.splits.y_valid
        if self.info.task == "regression":
            return float((outputs - y).square().mean())
        right = outputs.argmax(-1) == y if self.info.task == "multiclass" else (outputs > 0) == (y > 0.5)
        return float(right.double().mean())

    def curve(self, run: int) -> Any:
        return self.recorder.series[run, "valid_loss" if self.info.task == "regression" else "valid_accuracy"]


@pytest.mark.parametrize("case", CASES)
def test_a_plain_model_with_them_is_as_good_as_was_reported(case: str, tmp_path: Path) -> None:
    trained = Trained(**CASES[case])
    regression = trained.info.task == "regression"
    for lane in trained.lanes:
        kept, curve = trained.kept[lane.run], trained.curve(lane.run)
        assert [*kept] == ["initial", "best", "final"]
        best = int(curve.argmin() if regression else curve.argmax())
        assert kept["best"].epoch == best + 1
        for which, reported in (("best", curve[best]), ("final", curve[-1])):
            path = tmp_path / f"{lane.run}-{which}.safetensors"
            write_weights(path, kept[which].values, trained.about(lane))  # type: ignore[index]
            assert trained.judged(load_model(path)) == pytest.approx(reported, rel=1e-5 if regression else 1e-12)
        assert all((kept["initial"].values[name] != value).any() for name, value in kept["final"].values.items())


def test_those_that_were_drawn_are_what_the_run_starts_from() -> None:
    """With a rate that moves nothing they are what is there at the end."""
    trained = Trained(model=NORMED, optimizer={"name": "sgd", "lr": 1e-30}, epochs=1)
    for kept in trained.kept.values():
        final = kept["final"].values
        drawn = {name: value for name, value in kept["initial"].values.items() if name.endswith(("weight", "bias"))}
        assert all(torch.allclose(value, final[name], rtol=0, atol=1e-20) for name, value in drawn.items())


@pytest.mark.parametrize("stop_at", [1, 20, 31])
def test_they_are_the_same_after_an_interruption(stop_at: int, tmp_path: Path) -> None:
    whole = Trained(model=NORMED)
    before = Trained(stop_at=stop_at, model=NORMED)
    assert before.kept == {}
    assert before.stopped is not None
    before.stopped.write(tmp_path / "c")
    before.stopped = Checkpoint.read(tmp_path / "c")
    after = Trained(before=before, model=NORMED)
    assert after.kept.keys() == whole.kept.keys()
    for run, kept in whole.kept.items():
        for which, weights in kept.items():
            other = after.kept[run][which]
            assert (other.epoch, {*other.values}) == (weights.epoch, {*weights.values})
            assert all(torch.equal(value, other.values[name]) for name, value in weights.values.items()), which


def test_a_run_that_diverges_keeps_what_it_had_and_harms_no_other() -> None:
    arms = [{"label": "fine", "optimizer.lr": 0.01}, {"label": "wild", "optimizer.lr": 1e12}]
    trained = Trained(model=MLP, optimizer="sgd", arms=arms, seeds=1)
    fine, wild = (trained.kept[lane.run] for lane in trained.lanes)
    assert [*fine] == ["initial", "best", "final"]
    assert [*wild] == ["initial"]
    assert trained.recorder.outcomes[trained.lanes[1].run] == "diverged"


def test_a_run_that_ends_early_keeps_those_of_its_end(tmp_path: Path) -> None:
    stopping = {"metric": "valid_accuracy", "patience": 1, "min_delta": 0.9}
    trained = Trained(model=MLP, early_stopping=stopping, epochs=6)
    for lane in trained.lanes:
        assert trained.recorder.outcomes[lane.run] == "stopped_early"
        write_weights(tmp_path / "w", trained.kept[lane.run]["final"].values, trained.about(lane))
        assert trained.judged(load_model(tmp_path / "w")) == pytest.approx(trained.curve(lane.run)[-1])


def test_keeping_changes_no_bit_of_a_training() -> None:
    one, other = Trained(model=NORMED), Trained(model=NORMED, keep=None)
    assert other.kept == {}
    for key, values in one.recorder.series.items():
        assert np.array_equal(values, other.recorder.series[key])


def test_a_file_says_what_it_is_of(tmp_path: Path) -> None:
    about = {"model": {"name": "mlp", "hidden": [3]}, "inputs": [4], "outputs": 2, "arm": "he", "seed": 7}
    with torch.random.fork_rng(devices=[]):
        module = models.parse(about["model"]).build()((4,), 2)
    write_weights(tmp_path / "w.safetensors", module.state_dict(), about)
    assert read_about(tmp_path / "w.safetensors") == about
    loaded = load_model(tmp_path / "w.safetensors")
    assert torch.equal(loaded.state_dict()["fc1.weight"], module.state_dict()["fc1.weight"])
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]
    (tmp_path / "x").write_text("nothing of the sort")
    with pytest.raises(NoWeights, match="x is no file of weights that initlab has kept"):
        load_model(tmp_path / "x")
