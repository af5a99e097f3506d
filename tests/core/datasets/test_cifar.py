"""The CIFAR family from pickles of torchvision's layout, made here; none is opened that is not the known one."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from core.datasets import DataError, Dataset, DatasetPaths, _cifar, cifar10, cifar100, datasets
from core.torchvision import load as torchvision
from tests.core.datasets.files import cifar_files, md5, write

pytestmark = pytest.mark.slow  # they import torchvision, which takes a second

FAMILY = {
    "cifar10": ("CIFAR10", cifar10, "labels", "label_names", 10),
    "cifar100": ("CIFAR100", cifar100, "fine_labels", "fine_label_names", 100),
}
"""By our names: torchvision's class, our module, the keys of labels and of their names, classes."""
N = 50


@pytest.fixture(params=list(FAMILY))
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def folder(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of whole files, which are made the known ones."""
    kind, module, labels, names, classes = FAMILY[name]
    peer = getattr(torchvision().datasets, kind)
    training = cifar_files(list(module.BATCHES), labels, classes, N // len(module.BATCHES))
    test = cifar_files([batch for batch, _ in peer.test_list], labels, classes)
    meta = pickle.dumps({names: [str(number) for number in range(classes)]})
    monkeypatch.setattr(_cifar, "EXAMPLES", N)
    monkeypatch.setattr(module, "BATCHES", {batch: md5(raw) for batch, raw in training.items()})
    monkeypatch.setattr(peer, "train_list", [[batch, md5(raw)] for batch, raw in training.items()])
    monkeypatch.setattr(peer, "test_list", [[batch, md5(raw)] for batch, raw in test.items()])
    monkeypatch.setattr(peer, "meta", peer.meta | {"md5": md5(meta)})
    place: Path = tmp_path / peer.base_folder
    write(place, training | test | {peer.meta["filename"]: meta})
    return place


def dataset(name: str, **parameters: object) -> Dataset:
    built = datasets.parse({"name": name, **parameters}).build()
    assert isinstance(built, Dataset)
    return built


def test_it_holds_what_torchvision_reads(name: str, folder: Path) -> None:
    kind, _, _, _, classes = FAMILY[name]
    peer = getattr(torchvision().datasets, kind)(str(folder.parent), train=True)
    made, paths = dataset(name, valid_fraction=0.2), DatasetPaths(folder.parent)
    info, splits = made.info(paths), made.load(paths)
    assert info == ((3, 32, 32), classes, 40, 10, "multiclass", 1 / classes, 0, (), ())
    assert (splits.x_train.shape, splits.x_valid.shape) == ((40, 3, 32, 32), (10, 3, 32, 32))
    assert (splits.x_train.dtype, splits.y_train.dtype) == (torch.uint8, torch.int64)
    x = torch.cat([splits.x_train, splits.x_valid])
    where = [int((torch.from_numpy(peer.data) == image.permute(1, 2, 0)).flatten(1).all(1).nonzero()) for image in x]
    assert sorted(where) == list(range(N))
    assert torch.cat([splits.y_train, splits.y_valid]).tolist() == [peer.targets[i] for i in where]
    assert splits.x_train.aminmax() == (0, 255)


def test_the_known_files_are_torchvisions(name: str) -> None:
    kind, module, *_ = FAMILY[name]
    assert list(module.BATCHES.items()) == [tuple(pair) for pair in getattr(torchvision().datasets, kind).train_list]


def test_only_the_training_files_are_needed(name: str, folder: Path) -> None:
    for path in folder.iterdir():
        if path.name not in FAMILY[name][1].BATCHES:
            path.unlink()
    assert len(dataset(name).load(DatasetPaths(folder.parent)).x_train) == 40


def test_a_planted_pickle_is_not_opened(name: str, folder: Path, tmp_path: Path) -> None:
    marker = tmp_path / "it ran"
    batch = folder / list(FAMILY[name][1].BATCHES)[-1]
    length = batch.stat().st_size
    batch.write_bytes(pickle.dumps(Plant(marker)).ljust(length, b"\0"))
    made, paths = dataset(name), DatasetPaths(folder.parent)
    assert made.info(paths).train == 40, "which opens nothing, and so cannot tell"
    with pytest.raises(DataError, match="MD5") as caught:
        made.load(paths)
    assert str(batch) in caught.value.detail
    assert f"initlab datasets fetch {name}" in caught.value.detail
    assert not marker.exists()
    pickle.loads(batch.read_bytes())  # noqa: S301 our own
    assert marker.exists(), "the plant does what it is feared for"


class Plant:
    """Makes a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return (Path.mkdir, (self.marker,))


def test_a_flipped_bit_is_found(name: str, folder: Path) -> None:
    batch = folder / next(iter(FAMILY[name][1].BATCHES))
    raw = bytearray(batch.read_bytes())
    raw[len(raw) // 2] ^= 1
    batch.write_bytes(raw)
    with pytest.raises(DataError, match="MD5"):
        dataset(name).load(DatasetPaths(folder.parent))


def test_a_file_that_was_cut_is_found_without_opening_it(name: str, folder: Path) -> None:
    batch = folder / list(FAMILY[name][1].BATCHES)[-1]
    examples = N // len(FAMILY[name][1].BATCHES)
    batch.write_bytes(batch.read_bytes()[: examples * 3072 - 1])
    with pytest.raises(DataError, match="too few") as caught:
        dataset(name).info(DatasetPaths(folder.parent))
    assert str(batch) in caught.value.detail
    batch.unlink()
    for look in (dataset(name).info, dataset(name).load):
        with pytest.raises(DataError, match=f"{batch.name} cannot be read: No such file"):
            look(DatasetPaths(folder.parent))


def test_absent_files_are_named_with_the_command_that_gets_them(name: str, tmp_path: Path) -> None:
    for look in (dataset(name).info, dataset(name).load):
        with pytest.raises(DataError) as caught:
            look(DatasetPaths(tmp_path))
        assert getattr(torchvision().datasets, FAMILY[name][0]).base_folder in caught.value.detail
        assert f"initlab datasets fetch {name};" in caught.value.detail
    assert list(tmp_path.iterdir()) == [], "nothing is downloaded"
