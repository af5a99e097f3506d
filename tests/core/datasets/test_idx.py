"""The MNIST family from IDX files of torchvision's layout, made here: whole, absent and damaged."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from core.datasets import DataError, Dataset, DatasetPaths, datasets
from core.torchvision import load as torchvision
from tests.core.datasets.files import TRAIN_IMAGES as IMAGES
from tests.core.datasets.files import TRAIN_LABELS as LABELS
from tests.core.datasets.files import idx_files, write

FAMILY = {"fashion_mnist": "FashionMNIST", "kmnist": "KMNIST", "mnist": "MNIST"}
"""Our names and torchvision's classes."""
N = 40


@pytest.fixture(params=list(FAMILY))
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def raw(tmp_path: Path, name: str) -> Path:
    """The folder of whole files."""
    folder = tmp_path / FAMILY[name] / "raw"
    write(folder, idx_files(N))
    return folder


@pytest.fixture
def paths(tmp_path: Path, raw: Path) -> DatasetPaths:
    return DatasetPaths(tmp_path)


def dataset(name: str, **parameters: object) -> Dataset:
    built = datasets.parse({"name": name, **parameters}).build()
    assert isinstance(built, Dataset)
    return built


def test_it_holds_what_torchvision_reads(name: str, paths: DatasetPaths) -> None:
    peer = getattr(torchvision().datasets, FAMILY[name])(str(paths.files), train=True)
    made = dataset(name, valid_fraction=0.25)
    info, splits = made.info(paths), made.load(paths)
    assert info == ((1, 28, 28), 10, 30, 10, "multiclass", 0.1, 0, (), ())
    assert (splits.x_train.shape, splits.x_valid.shape) == ((30, 1, 28, 28), (10, 1, 28, 28))
    assert (splits.x_train.dtype, splits.y_train.dtype) == (torch.uint8, torch.int64)
    x = torch.cat([splits.x_train, splits.x_valid]).squeeze(1)
    y = torch.cat([splits.y_train, splits.y_valid])
    where = [int((peer.data == image).flatten(1).all(1).nonzero()) for image in x]
    assert sorted(where) == list(range(N))
    assert torch.equal(y, peer.targets[where])
    assert splits.x_train.aminmax() == splits.x_valid.aminmax() == (0, 255)


def test_the_split_is_a_function_of_its_seed(name: str, paths: DatasetPaths) -> None:
    first = dataset(name, split_seed=1).load(paths)
    assert all(torch.equal(a, b) for a, b in zip(first, dataset(name, split_seed=1).load(paths), strict=True))
    assert not torch.equal(first.x_train, dataset(name, split_seed=2).load(paths).x_train)


def test_only_the_training_files_are_needed(name: str, raw: Path, paths: DatasetPaths) -> None:
    for path in raw.glob("t10k*"):
        path.unlink()
    assert dataset(name).info(paths).train == 32
    assert len(dataset(name).load(paths).x_train) == 32


def test_chance_is_the_share_of_the_most_frequent_label(name: str, raw: Path, paths: DatasetPaths) -> None:
    path = raw / LABELS
    path.write_bytes(path.read_bytes()[:8] + bytes([7] * 13 + [3] * 12 + [0, 1, 9] * 5))
    assert dataset(name).info(paths).chance == 13 / 40


def test_absent_files_are_named_with_the_command_that_gets_them(name: str, tmp_path: Path) -> None:
    for look in (dataset(name).info, dataset(name).load):
        with pytest.raises(DataError) as caught:
            look(DatasetPaths(tmp_path))
        assert str(tmp_path / FAMILY[name] / "raw") in caught.value.detail
        assert f"initlab datasets fetch {name};" in caught.value.detail
        assert "INITLAB_DATA_ROOT" in caught.value.detail
        assert caught.value.status == 422
    assert list(tmp_path.iterdir()) == [], "nothing is downloaded"


Damage = Callable[[bytes], bytes]
DAMAGES: list[tuple[str, Damage, str]] = [
    (IMAGES, lambda _b: b"", "does not start as an IDX file"),
    (IMAGES, lambda b: b[:10], "does not start as an IDX file"),
    (IMAGES, lambda b: b[:-1], "promises"),
    (IMAGES, lambda b: b + b"x", "promises"),
    (IMAGES, lambda b: b"\x1f\x8b" + b[2:], "does not start as an IDX file"),
    (IMAGES, lambda b: b[:4] + b"\xff\xff\xff\xff" + b[8:], "promises"),
    (IMAGES, lambda b: b[:8] + struct.pack(">2I", 14, 56) + b[16:], "14 x 56"),
    (IMAGES, lambda b: b[:4] + struct.pack(">I", 1) + b[8 : 16 + 784], "training and validation need one each"),
    (IMAGES, lambda b: b[:4] + struct.pack(">I", 39) + b[8:-784], "40 labels for 39 images"),
    (LABELS, lambda b: b[:-3], "promises"),
    (LABELS, lambda b: bytes([0, 0, 8, 3]) + b[4:], "does not start as an IDX file"),
    (LABELS, lambda b: b[:-1] + b"\x0a", "label 10"),
]


@pytest.mark.parametrize(("file", "damage", "words"), DAMAGES, ids=[f"{file[6:12]} {w}" for file, _, w in DAMAGES])
def test_a_damaged_file_is_named(
    name: str, raw: Path, paths: DatasetPaths, file: str, damage: Damage, words: str
) -> None:
    path = raw / file
    path.write_bytes(damage(path.read_bytes()))
    for look in (dataset(name).info, dataset(name).load):
        with pytest.raises(DataError, match=words) as caught:
            look(paths)
        assert str(path) in caught.value.detail or "labels for" in words


@pytest.mark.parametrize("file", [IMAGES, LABELS])
def test_a_file_that_cannot_be_read_is_named(name: str, raw: Path, paths: DatasetPaths, file: str) -> None:
    path = raw / file
    path.unlink()
    with pytest.raises(DataError, match="No such file"):
        dataset(name).info(paths)
    path.mkdir()
    with pytest.raises(DataError, match="Is a directory"):
        dataset(name).info(paths)
