"""Event files, read back by TensorBoard's own readers."""

import io
import math
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from initlab import Experiment
from initlab.exports.tensorboard import write_record, write_tensorboard
from tests.initlab.exports.conftest import value


def read(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder), size_guidance={"tensors": 0, "scalars": 0})
    found.Reload()
    return found


def scalars(of: EventAccumulator, tag: str) -> list[tuple[int, float]]:
    return [(one.step, one.value) for one in of.Scalars(tag)]


def test_tensorboard_reads_every_point_of_every_run(trained: Callable[[], Experiment], tmp_path: Path) -> None:
    assert write_tensorboard(trained(), str(tmp_path)) == str(tmp_path)
    folders = sorted(str(one.parent.relative_to(tmp_path)) for one in tmp_path.rglob("events.*"))
    assert folders == ["he_ a_b/seed 0", "he_ a_b/seed 0 again, init", "he_ a_b/seed 1", "zeros/seed 0", "zeros/seed 1"]
    found = read(tmp_path / "zeros" / "seed 1")
    assert found.Tags()["scalars"] == ["train_loss", "activation_std/fc1", "valid_loss"]
    losses = scalars(found, "train_loss")
    assert [step for step, _ in losses] == [0, 1, 2, 3, 4, 5]
    assert [v for _, v in losses[:5]] == [float(np.float32(value(4, "train_loss", step) or 0)) for step in range(5)]
    assert math.isnan(losses[5][1])
    assert [step for step, _ in scalars(found, "valid_loss")] == [2, 5], "where their epochs end"
    walls = [one.wall_time for one in found.Scalars("train_loss")]
    assert walls[-1] - walls[0] == pytest.approx(50)
    (text,) = found.Tensors("initlab/settings")
    assert b"| optimizer.lr | 0.1 |" in text.tensor_proto.string_val[0]
    assert found.SummaryMetadata("initlab/settings").plugin_data.plugin_name == "text"


def test_exporting_again_doubles_nothing(trained: Callable[[], Experiment], tmp_path: Path) -> None:
    for _ in range(2):
        write_tensorboard(trained(), str(tmp_path))
    assert len(list(tmp_path.rglob("events.*"))) == 5
    assert len(scalars(read(tmp_path / "zeros" / "seed 0"), "train_loss")) == 6


def test_a_damaged_record_is_noticed_by_its_checksum(trained: Callable[[], Experiment], tmp_path: Path) -> None:
    write_tensorboard(trained(), str(tmp_path))
    file = next(tmp_path.rglob("events.*"))
    whole = sum(1 for _ in EventFileLoader(str(file)).Load())
    content = bytearray(file.read_bytes())
    content[-8] ^= 1
    file.write_bytes(content)
    assert sum(1 for _ in EventFileLoader(str(file)).Load()) == whole - 1


def test_checksums_are_castagnolis() -> None:
    out = io.BytesIO()
    write_record(out, b"123456789")
    (masked,) = struct.unpack("<I", out.getvalue()[-4:])
    rotated = (masked - 0xA282EAD8) & 0xFFFFFFFF
    assert (rotated >> 17 | rotated << 15) & 0xFFFFFFFF == 0xE3069283, "the check value of CRC-32C"
