"""Data sets that torchvision can download; only `initlab datasets fetch NAME` downloads them."""

from pathlib import Path
from typing import NamedTuple

from core.datasets import DataError, DatasetPaths


class Download(NamedTuple):
    """A downloadable data set: its torchvision class and its folder."""

    kind: str
    """The class of torchvision.datasets."""
    folder: Path
    """The folder in which that class looks for the files, under the folder of all data sets."""


DOWNLOADS = {
    "cifar10": Download("CIFAR10", Path("cifar-10-batches-py")),
    "cifar100": Download("CIFAR100", Path("cifar-100-python")),
    "fashion_mnist": Download("FashionMNIST", Path("FashionMNIST", "raw")),
    "kmnist": Download("KMNIST", Path("KMNIST", "raw")),
    "mnist": Download("MNIST", Path("MNIST", "raw")),
}


def folder_of(name: str, paths: DatasetPaths) -> Path:
    """Return the folder of a data set's files; raises `DataError` where there is none."""
    download = DOWNLOADS[name]
    folder = paths.files / download.folder
    if not folder.is_dir():
        raise DataError(
            f"{download.kind} is not here: there is no folder {folder.absolute()}. Download it with: {command(name)}; "
            f"or name the folder that holds {download.folder.parts[0]} in INITLAB_DATA_ROOT"
        )
    return folder


def damaged(name: str, path: Path, how: str) -> DataError:
    """Return the error for a file whose content is not the expected one."""
    return DataError(f"{path} is damaged: {how}. Download it again with: {command(name)}")


def command(name: str) -> str:
    """Return the shell command that downloads the data set."""
    return f"initlab datasets fetch {name}"
