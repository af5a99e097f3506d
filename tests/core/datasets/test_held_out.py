"""What is held out of a data set: the share, or the files' own part, on which the verdict is judged."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.datasets import DataError, Dataset, DatasetPaths, Splits, datasets
from core.datasets._splits import HeldOut
from core.torchvision import load as torchvision
from tests.core.datasets.files import idx_files, write
from tests.core.datasets.uploading import add, built, loaded, npz

NOWHERE = DatasetPaths(Path("/nowhere"), Path("/nowhere"))
OFFLINE = ["breast_cancer", "diabetes", "digits", "teacher_student", "two_spirals"]


def rows(*parts: torch.Tensor) -> list[tuple[float, ...]]:
    return [tuple(one.flatten().tolist()) for one in torch.cat(parts)]


@pytest.mark.parametrize("name", OFFLINE)
def test_a_share_is_taken_from_what_is_trained_on(name: str) -> None:
    """The validation split stays as it is; what is standardised is so by the training split that is left."""
    dataset: Dataset = datasets.parse({"name": name, "test_fraction": 0.3, "split_seed": 2}).build()
    info, splits = dataset.info(NOWHERE), dataset.load(NOWHERE)
    assert dataset.tested
    n = info.train + info.valid + info.test
    assert (info.valid, info.test) == (round(0.2 * n), round(0.3 * n))
    assert [len(part) for part in splits] == [info.train, info.train, info.valid, info.valid, info.test, info.test]
    before: Splits = datasets.parse({"name": name, "split_seed": 2}).build().load(NOWHERE)
    if name in ("breast_cancer", "diabetes"):
        np.testing.assert_allclose(splits.x_train.mean(0), 0, atol=1e-5)
    else:
        assert torch.equal(splits.x_valid, before.x_valid)
        assert rows(splits.x_test, splits.x_train) == rows(before.x_train)


def test_shares_that_leave_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="some to train with"):
        HeldOut(0.5, 0, 0.5).checked()
    with pytest.raises(ValueError, match="the files' own test part"):
        HeldOut(0.2, 0, 0.1, own_test=True).checked()
    with pytest.raises(DataError, match="too few"):
        HeldOut(0.2, 0, 0.2).counts(2)


@pytest.mark.slow  # it imports torchvision, which takes a second
def test_the_test_files_of_torchvision_are_the_test_split_where_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "MNIST" / "raw", idx_files(40))
    dataset: Dataset = datasets.parse({"name": "mnist", "own_test": True}).build()
    info, splits = dataset.info(DatasetPaths(tmp_path)), dataset.load(DatasetPaths(tmp_path))
    peer = torchvision().datasets.MNIST(str(tmp_path), train=False)
    assert (info.train, info.valid, info.test) == (32, 8, 5)
    assert torch.equal(splits.x_test.squeeze(1), peer.data)
    assert torch.equal(splits.y_test, peer.targets)


X, Y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
OWN = {"x_test": -X[:6], "y_test": Y[:6]}


def test_a_part_that_a_file_holds_out_is_the_test_split_where_asked_for(tmp_path: Path) -> None:
    add(tmp_path, npz(x_train=X, y_train=Y, **OWN), "a.npz", scale="none")
    splits = loaded(tmp_path, own_test=True, valid_fraction=0.25)
    assert (len(splits.x_train), len(splits.x_valid)) == (15, 5)
    assert torch.equal(splits.x_test, torch.from_numpy(-X[:6]).float())
    assert sorted(rows(splits.x_train, splits.x_valid)) == [tuple(row) for row in X]


def test_a_share_beside_a_part_that_a_file_holds_out(tmp_path: Path) -> None:
    add(tmp_path, npz(x_train=X, y_train=Y, **OWN), "a.npz", scale="none")
    splits = loaded(tmp_path, test_fraction=0.25)
    assert (len(splits.x_train), len(splits.x_test)) == (15, 5)
    assert torch.equal(splits.x_valid, torch.from_numpy(-X[:6]).float())
    assert sorted(rows(splits.x_train, splits.x_test)) == [tuple(row) for row in X]


def test_features_and_targets_are_standardised_by_what_is_trained_on(tmp_path: Path) -> None:
    add(tmp_path, npz(x=X, y=X[:, 0] * 3 + 1), "a.npz", task="regression")
    splits = loaded(tmp_path, test_fraction=0.25)
    np.testing.assert_allclose(splits.x_train.std(0, correction=0), 1, rtol=1e-5)
    np.testing.assert_allclose(splits.y_test, splits.x_test[:, :1], rtol=1e-5)


def test_a_file_without_such_a_part_says_what_to_give_instead(tmp_path: Path) -> None:
    add(tmp_path, npz(x=X, y=Y), "a.npz")
    with pytest.raises(DataError, match="give test_fraction"):
        built(own_test=True).info(DatasetPaths(Path("/nowhere"), tmp_path))
