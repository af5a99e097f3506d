"""The file of a checkpoint: whole or not at all."""

import os
import resource
import struct
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core.training.checkpoint import Checkpoint, DamagedCheckpoint

CHECKPOINT = Checkpoint(
    step=7,
    epochs=2,
    runs=[4, 12],
    state={
        "parameters/fc1.weight": torch.arange(12, dtype=torch.float64).view(2, 2, 3).transpose(1, 2),
        "buffers/count": torch.tensor([3, 4]),
        "scalars/sum/fc1.weight": torch.tensor([0.1, float("inf")], dtype=torch.float64),
        "slots/m/fc1.weight": torch.full((2, 3, 2), -0.0),
    },
    plateaus={4: (0.1, 0.0, 2.0), 12: (1 / 3, 1.0, 0.0, 5e-324)},
    ended=[12],
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    CHECKPOINT.write(tmp_path / "new folder" / "checkpoint")
    return tmp_path / "new folder" / "checkpoint"


def assert_equal(mine: Checkpoint, theirs: Checkpoint) -> None:
    assert replace(mine, state={}) == replace(theirs, state={})
    assert mine.state.keys() == theirs.state.keys()
    for name, values in mine.state.items():
        assert (values.dtype, values.shape) == (theirs.state[name].dtype, theirs.state[name].shape)
        assert values.contiguous().numpy().tobytes() == theirs.state[name].contiguous().numpy().tobytes()


def test_what_is_written_is_read(path: Path) -> None:
    assert_equal(Checkpoint.read(path), CHECKPOINT)


def test_a_write_takes_the_place_of_the_last(path: Path) -> None:
    held = Checkpoint.read(path)
    later = replace(CHECKPOINT, step=8, state={name: values + 1 for name, values in CHECKPOINT.state.items()})
    later.write(path)
    assert_equal(Checkpoint.read(path), later)
    assert_equal(held, CHECKPOINT)
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint"]


@pytest.mark.parametrize("fails", ["save", "fsync", "replace"])
def test_a_write_that_fails_leaves_the_last_one_whole(path: Path, fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full, one that breaks, and a rename that is refused."""

    def broken(*_args: object) -> None:
        raise OSError(5, "Input/output error")

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    state = {"parameters/large": torch.zeros(1, 2**16)}
    with pytest.raises(OSError, match=r"large|error"):
        try:
            if fails == "save":
                resource.setrlimit(resource.RLIMIT_FSIZE, (2**14, limit[1]))
            else:
                monkeypatch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[fails], broken)
            replace(CHECKPOINT, state=state).write(path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert_equal(Checkpoint.read(path), CHECKPOINT)
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint"]


def test_a_torn_file_is_damaged(path: Path) -> None:
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedCheckpoint, match="checkpoint cannot be read"):
            Checkpoint.read(path)


def test_no_byte_of_the_header_brings_another_error(path: Path) -> None:
    """Most flips are seen. What is not seen, such as another step, is for whoever keeps the file's digest."""
    whole = path.read_bytes()
    header = 8 + struct.unpack("<Q", whole[:8])[0]
    seen = 0
    for place in range(header):
        for bit in (0, 6):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            path.write_bytes(damaged)
            try:
                Checkpoint.read(path)
            except DamagedCheckpoint:
                seen += 1
    assert seen > header


def test_other_files_are_damaged(path: Path) -> None:
    for metadata in (None, {}, {"format": "0", "place": "{}"}, {"format": "1"}, {"format": "1", "place": "[1]"}):
        save_file({"x": torch.zeros(1)}, path, metadata)
        with pytest.raises(DamagedCheckpoint):
            Checkpoint.read(path)
    path.write_text("not a checkpoint at all")
    with pytest.raises(DamagedCheckpoint):
        Checkpoint.read(path)


def test_another_format_is_named(path: Path) -> None:
    save_file({"x": torch.zeros(1)}, path, {"format": "2", "place": "{}"})
    with pytest.raises(DamagedCheckpoint, match="checkpoint is of format 2, not 1"):
        Checkpoint.read(path)


def test_a_missing_file_and_a_folder_are_damaged(path: Path) -> None:
    for other in (path.with_name("missing"), path.parent):
        with pytest.raises(DamagedCheckpoint):
            Checkpoint.read(other)
