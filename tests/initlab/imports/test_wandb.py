"""W&B's offline files, and the CSV that its pages export."""

import math
from pathlib import Path
from struct import pack

import pytest

from initlab.imports import wandb
from initlab.imports.runs import ImportFailed
from tests.initlab.imports.written import WANDB, unpacked


def test_an_offline_run_is_read(tmp_path: Path) -> None:
    (tmp_path / "offline-run-1").mkdir()
    (tmp_path / "offline-run-1" / "run-1.wandb").write_bytes(unpacked(WANDB))
    (run,) = wandb.read(tmp_path)
    assert (run.name, run.state, run.tags) == ("adam-seed3", "finished", {"tried": True, "group": "adam"})
    assert run.config == {"optimizer.name": "adam", "optimizer.lr": 0.5, "seed": 3}
    assert run.started > 1.7e9
    found = {name: (list(one.steps), list(one.values)) for name, one in run.series.items() if name != "bad"}
    assert found == {
        "train/loss": ([0, 10, 20], [1.0, 0.5, 1 / 3]),
        "nested.a": ([0, 10, 20], [0.0, 1.0, 2.0]),
        "val_acc": ([20], [0.75]),
    }
    assert math.isnan(run.series["bad"].values[0])


def test_a_record_may_be_in_several_blocks() -> None:
    record = bytes(range(256)) * 300  # 76,800 bytes: three blocks of 32 KiB
    data, place = b":W&B\xe1\xbe\x00", 0
    while place < len(record):
        room = wandb.BLOCK - len(data) % wandb.BLOCK - 7
        part = record[place : place + room]
        kind = {True: 2, False: 4 if place + room >= len(record) else 3}[place == 0]
        data += pack("<IHB", 0, len(part), kind) + part
        place += room
    assert list(wandb.chunks(data + pack("<IHB", 0, 1, 1) + b"x")) == [record, b"x"]
    assert list(wandb.chunks(data[:-1])) == []


def test_a_chart_is_read(tmp_path: Path) -> None:
    path = tmp_path / "chart.csv"
    path.write_text(
        '"Step","adam - seed0 - val/acc","adam - seed0 - val/acc__MIN","sgd-seed0 - val/acc"\n'
        '"0","0.5","0.5",""\n"10","0.75","0.75","0.25"\n'
    )
    runs = wandb.read(path)
    found = {run.name: {m: (list(s.steps), list(s.values)) for m, s in run.series.items()} for run in runs}
    assert found == {"adam - seed0": {"val/acc": ([0, 10], [0.5, 0.75])}, "sgd-seed0": {"val/acc": ([10], [0.25])}}


def test_a_table_of_runs_is_read(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(
        '"Name","State","optimizer","seed","val_acc"\n"a","finished","adam","0","0.5"\n"b","crashed","sgd","0",""\n'
    )
    first, second = wandb.read(path)
    assert (first.config["optimizer"], first.config["seed"], list(first.series["val_acc"].values)) == ("adam", 0, [0.5])
    assert (second.state, "val_acc" in second.series) == ("failed", False)


def test_what_is_none_of_these_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.wandb").write_bytes(b"no")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    for place, said in (
        ("run.wandb", "is no file of W&B"),
        ("other.csv", "neither a chart"),
        ("", "is no file of W&B"),
    ):
        with pytest.raises(ImportFailed, match=said):
            wandb.read(tmp_path / place)
