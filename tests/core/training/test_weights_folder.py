"""Weights that the library keeps: the files that the service would serve, each as good as was reported."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from core.datasets import DatasetPaths, datasets
from core.errors import InvalidSpec
from core.results import Results, Series
from core.spec import parse
from core.training import Checkpoint, load_model, train, weights_file
from core.training.weights import read_about

SPEC: dict[str, Any] = {
    "model": {"name": "mlp", "hidden": [8], "activation": "linear", "dropout": 0.2},
    "optimizer": {"name": "sgd", "lr": 0.1},
    "epochs": 4,
    "seeds": [3, 1],
    "arms": [
        {"label": "he", "initializer": "he_normal"},
        {"label": "wild", "initializer": "ones", "optimizer.lr": 1e12},
    ],
    "keep": ["initial", "best", "final"],
}


def accuracy(path: Path) -> float:
    splits = datasets.parse("digits").build().load(DatasetPaths())
    with torch.no_grad():
        return float((load_model(path)(splits.x_valid).argmax(-1) == splits.y_valid).double().mean())


def curve(results: Results, run: int) -> Series:
    return next(one for one in results.series("valid_accuracy") if one.run_id == run)


def test_each_file_is_as_good_as_its_run_was_reported_to_be(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    stale, other = weights_file(weights, 2, "final"), weights / "notes.txt"
    for path in (stale, other):
        path.write_text("of a training before")
    results = train(parse(SPEC), DatasetPaths(), weights=weights)
    good, wild = results.runs[:2], results.runs[2:]
    assert {path.name for path in weights.iterdir()} == {
        *(f"run-{run.id}-{which}.safetensors" for run in good for which in ("initial", "best", "final")),
        *(f"run-{run.id}-initial.safetensors" for run in wild),
        other.name,
    }
    for run in good:
        values = curve(results, run.id).values
        assert accuracy(weights_file(weights, run.id, "final")) == run.final["valid_accuracy"]
        assert accuracy(weights_file(weights, run.id, "best")) == values.max()
        about = read_about(weights_file(weights, run.id, "best"))
        assert (about["run"], about["arm"], about["seed"]) == (run.id, "he", run.seed)
        assert (about["which"], about["epoch"]) == ("best", values.argmax() + 1)


class Killed(BaseException):
    """Stands for whatever ends the process."""


def test_they_are_the_same_after_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = parse(SPEC | {"checkpoint_every": 0.1, "epochs": 60, "batch_size": 500})
    train(spec, DatasetPaths(), weights=tmp_path / "whole")
    write, written = Checkpoint.write, []

    def dying(checkpoint: Checkpoint, path: Path) -> None:
        write(checkpoint, path)
        written.append(checkpoint)
        if len(written) == 1:
            raise Killed

    monkeypatch.setattr(Checkpoint, "write", dying)
    with pytest.raises(Killed):
        train(spec, DatasetPaths(), checkpoints=tmp_path / "c", weights=tmp_path / "resumed")
    assert written[-1].runs, "in the midst of the training"
    monkeypatch.setattr(Checkpoint, "write", write)
    train(spec, DatasetPaths(), checkpoints=tmp_path / "c", weights=tmp_path / "resumed")
    names = {path.name for path in (tmp_path / "whole").iterdir()}
    assert len(names) == 8
    assert {path.name for path in (tmp_path / "resumed").iterdir()} == names
    for name in names:
        whole, resumed = tmp_path / "whole" / name, tmp_path / "resumed" / name
        assert read_about(resumed) == read_about(whole)
        tensors = load_file(resumed)
        assert all(torch.equal(tensors[key], value) for key, value in load_file(whole).items())


def test_a_spec_that_keeps_weights_needs_a_folder_for_them() -> None:
    with pytest.raises(InvalidSpec, match=r"keep: needs a folder for the weights: train\(\.\.\., weights=folder\)"):
        train(parse(SPEC), DatasetPaths())
