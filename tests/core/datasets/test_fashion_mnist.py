"""Fashion-MNIST from IDX files of torchvision's layout, made here: whole, absent and damaged."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from core.datasets import DataError, Dataset, datasets
from core.datasets._torchvision import load as torchvision

N = 40
IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def idx(values: np.ndarray) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    random = np.random.default_rng(0)
    for part, count in (("train", N), ("t10k", 5)):
        images = random.integers(0, 256, (count, 28, 28), np.uint8)
        images[0, 0, :2] = 0, 255
        (raw / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.arange(count, dtype=np.uint8) % 10))
    return tmp_path


def dataset(**parameters: object) -> Dataset:
    built = datasets.parse({"name": "fashion_mnist", **parameters}).build()
    assert isinstance(built, Dataset)
    return built


def test_it_holds_what_torchvision_reads(root: Path) -> None:
    peer = torchvision().datasets.FashionMNIST(str(root), train=True)
    made = dataset(valid_fraction=0.25)
    facts, splits = made.facts(root), made.load(root)
    assert facts == ((1, 28, 28), 10, 30, 10)
    assert (splits.x_train.shape, splits.x_valid.shape) == ((30, 1, 28, 28), (10, 1, 28, 28))
    assert (splits.x_train.dtype, splits.y_train.dtype) == (torch.float32, torch.int64)
    x = (torch.cat([splits.x_train, splits.x_valid]) * 255).round().byte().squeeze(1)
    y = torch.cat([splits.y_train, splits.y_valid])
    where = [int((peer.data == image).flatten(1).all(1).nonzero()) for image in x]
    assert sorted(where) == list(range(N))
    assert torch.equal(y, peer.targets[where])
    assert torch.cat([splits.x_train, splits.x_valid]).aminmax() == (0, 1)


def test_the_split_is_a_function_of_its_seed(root: Path) -> None:
    first = dataset(split_seed=1).load(root)
    assert all(torch.equal(a, b) for a, b in zip(first, dataset(split_seed=1).load(root), strict=True))
    assert not torch.equal(first.x_train, dataset(split_seed=2).load(root).x_train)


def test_only_the_training_files_are_needed_and_facts_read_headers(root: Path) -> None:
    for path in (root / "FashionMNIST" / "raw").glob("t10k*"):
        path.unlink()
    assert dataset().facts(root).train == 32
    assert len(dataset().load(root).x_train) == 32


def test_absent_files_are_named_with_what_to_do(tmp_path: Path) -> None:
    for look in (dataset().facts, dataset().load):
        with pytest.raises(DataError) as caught:
            look(tmp_path)
        assert str(tmp_path / "FashionMNIST" / "raw") in caught.value.detail
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
]


@pytest.mark.parametrize(("name", "damage", "words"), DAMAGES, ids=[f"{name[6:12]} {w}" for name, _, w in DAMAGES])
def test_a_damaged_file_is_named(root: Path, name: str, damage: Damage, words: str) -> None:
    path = root / "FashionMNIST" / "raw" / name
    path.write_bytes(damage(path.read_bytes()))
    for look in (dataset().facts, dataset().load):
        with pytest.raises(DataError, match=words) as caught:
            look(root)
        assert str(path) in caught.value.detail or "labels for" in words


def test_a_label_beyond_the_classes_is_damage(root: Path) -> None:
    path = root / "FashionMNIST" / "raw" / LABELS
    path.write_bytes(path.read_bytes()[:-1] + b"\x0a")
    with pytest.raises(DataError, match="label 10") as caught:
        dataset().load(root)
    assert str(path) in caught.value.detail


@pytest.mark.parametrize("name", [IMAGES, LABELS])
def test_a_file_that_cannot_be_read_is_named(root: Path, name: str) -> None:
    path = root / "FashionMNIST" / "raw" / name
    path.unlink()
    with pytest.raises(DataError, match="No such file"):
        dataset().facts(root)
    path.mkdir()
    with pytest.raises(DataError, match="Is a directory"):
        dataset().facts(root)
