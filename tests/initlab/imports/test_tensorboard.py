"""TensorBoard's event files: what is read of those that its own writer wrote."""

from pathlib import Path
from struct import pack

import pytest

from initlab.imports import tensorboard
from initlab.imports.runs import ImportFailed
from tests.initlab.imports.written import TENSORBOARD, unpacked

NAME = "events.out.tfevents.1700000000.host"


def put(folder: Path, data: bytes = unpacked(TENSORBOARD)) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NAME).write_bytes(data)


def test_scalars_of_both_kinds_and_hyperparameters_are_read(tmp_path: Path) -> None:
    put(tmp_path / "adam" / "seed_0")
    (run,) = tensorboard.read(tmp_path)
    assert (run.name, run.started > 1.7e9, run.state) == ("adam/seed_0", True, "finished")
    assert run.config == {"optimizer": "adam", "lr": 0.5, "layers": 2, "amsgrad": True}
    found = {name: (list(one.steps), list(one.values)) for name, one in run.series.items()}
    assert found == {
        "loss": ([0, 200], [1.0, 0.625]),  # what was at or after the restart's step is what came then
        "a": ([0], [1.5]),
        "b": ([0], [2.5]),
        "acc": ([0, 1, 2], [0.5, 0.75, 0.875]),
    }


def test_a_file_that_was_cut_off_ends_with_its_last_whole_record(tmp_path: Path) -> None:
    data = unpacked(TENSORBOARD)
    whole = list(tensorboard.records(data))
    for cut in (3, 20):
        assert list(tensorboard.records(data[:-cut])) == whole[:-1]
    put(tmp_path / "run", data[: -len(whole[-1]) - 16])
    assert tensorboard.read(tmp_path)[0].config == {}


def test_bytes_that_are_no_message_are_left_out(tmp_path: Path) -> None:
    noise = b"\x09" + b"\xff" * 30
    data = pack("<Q", len(noise)) + bytes(4) + noise + bytes(4)
    put(tmp_path / "run", data + unpacked(TENSORBOARD))
    assert list(tensorboard.read(tmp_path)[0].series["acc"].values) == [0.5, 0.75, 0.875]


def test_folders_of_splits_are_one_run(tmp_path: Path) -> None:
    put(tmp_path / "a" / "train")
    put(tmp_path / "a" / "validation")
    (run,) = tensorboard.read(tmp_path)
    assert run.name == "a"
    assert {"train/acc", "validation/acc"} <= set(run.series)


def test_what_add_hparams_writes_belongs_to_the_run_above(tmp_path: Path) -> None:
    put(tmp_path / "a")
    put(tmp_path / "a" / "1700000000.25")
    put(tmp_path / "1700000000.25")  # a run of such a name with nothing above it
    assert sorted(run.name for run in tensorboard.read(tmp_path)) == ["1700000000.25", "a"]


def test_a_folder_without_event_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="has no event files"):
        tensorboard.read(tmp_path)
