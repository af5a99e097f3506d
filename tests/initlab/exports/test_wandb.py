"""Offline runs of W&B's own library, read back by its own reader."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wandb.proto import wandb_internal_pb2

from initlab import Experiment
from initlab.errors import ClientError
from initlab.exports import wandb
from initlab.exports.wandb import write_wandb
from tests.initlab.exports.conftest import value

HEADER, BLOCK, FRAME = 7, 32_768, 7
FULL, LAST = 1, 4


def records(file: Path) -> list[Any]:
    """The messages in a file, by W&B's own definitions; it is a log such as LevelDB's, of blocks and frames in them."""
    content, found, part = file.read_bytes(), list[Any](), b""
    assert content.startswith(b":W&B")
    at = HEADER
    while at + FRAME <= len(content):
        if BLOCK - at % BLOCK < FRAME:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + FRAME])
        part += content[at + FRAME : at + FRAME + length]
        at += FRAME + length
        if kind in (FULL, LAST):
            found.append(wandb_internal_pb2.Record.FromString(part))
            part = b""
    return found


@pytest.mark.service
def test_wandb_has_every_point_and_needs_no_account(
    trained: Callable[[], Experiment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    assert write_wandb(trained(), str(tmp_path)) == str(tmp_path)
    files = sorted(tmp_path.glob("wandb/offline-run-*/run-*.wandb"))
    assert len(files) == 5
    (file,) = [one for one in files if one.stem.endswith("-4")]
    found = records(file)
    (run,) = [record.run for record in found if record.HasField("run")][:1]
    assert (run.run_group, run.display_name, run.project) == ("zeros", "zeros, seed 1", "initlab-7")
    assert sorted(run.tags) == ["diverged", "seed 1"]
    config = {item.key: json.loads(item.value_json) for item in run.config.update}
    assert (config["arm"], config["optimizer.lr"]) == ("zeros", 0.1)
    points: dict[str, list[tuple[int, Any]]] = {}
    for record in found:
        if record.HasField("history"):
            row = {item.key or item.nested_key[0]: json.loads(item.value_json) for item in record.history.item}
            for metric in row.keys() - {"_step", "_timestamp", "_runtime", "update"}:
                points.setdefault(metric, []).append((row["update"], row[metric]))
    assert points["train_loss"][:5] == [(step, value(4, "train_loss", step)) for step in range(5)]
    assert str(points["train_loss"][5][1]).lower() == "nan"
    assert [step for step, _ in points["valid_loss"]] == [2, 5]


def test_without_its_library_it_says_what_to_install(
    trained: Callable[[], Experiment], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(wandb, "find_spec", lambda _name: None)
    with pytest.raises(ClientError, match=r"initlab\[wandb\]"):
        write_wandb(trained(), str(tmp_path))
