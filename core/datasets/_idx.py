"""The MNIST family: grey images of 28 x 28 in IDX files, as torchvision lays them out."""

import math
import struct
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core.datasets import DataError, Dataset, DatasetInfo, DatasetPaths, Splits, split
from core.datasets._downloads import damaged, folder_of
from core.datasets._splits import valid_count

IMAGES = "train-images-idx3-ubyte"
LABELS = "train-labels-idx1-ubyte"
SIDE = 28
CLASSES = 10


def grey_images(name: str, valid_fraction: float, split_seed: int) -> Dataset:
    """Make a data set of the training files of an entry of `DOWNLOADS`; its test files are not touched."""

    def info(paths: DatasetPaths) -> DatasetInfo:
        y = _labels(name, folder_of(name, paths))
        held_out = valid_count(len(y), valid_fraction)
        most = int(np.bincount(y).max())
        return DatasetInfo(
            inputs=(1, SIDE, SIDE), outputs=CLASSES, train=len(y) - held_out, valid=held_out, chance=most / len(y)
        )

    def load(paths: DatasetPaths) -> Splits:
        folder = folder_of(name, paths)
        y = torch.from_numpy(_labels(name, folder)).long()
        x = torch.from_numpy(_bytes(folder / IMAGES, dimensions=3)).view(len(y), 1, SIDE, SIDE)
        return split(x, y, valid_fraction, split_seed)

    return Dataset(info, load)


def _labels(name: str, folder: Path) -> NDArray[np.uint8]:
    """Return each image's label; raises `DataError` unless both files are complete; reads the images' header alone."""
    images, labels = folder / IMAGES, folder / LABELS
    examples, *size = _header(name, images, dimensions=3)
    (count,) = _header(name, labels, dimensions=1)
    if size != [SIDE, SIDE]:
        raise damaged(name, images, f"its images are {size[0]} x {size[1]}, not {SIDE} x {SIDE}")
    if examples < 2:
        raise DataError(f"{images} holds {examples} images; training and validation need one each")
    if count != examples:
        raise damaged(name, labels, f"it has {count} labels for {examples} images")
    y = _bytes(labels, dimensions=1)
    if y.max() >= CLASSES:
        raise damaged(name, labels, f"it holds label {y.max()}, but there are {CLASSES} classes")
    return y


def _header(name: str, path: Path, dimensions: int) -> tuple[int, ...]:
    """Return the sizes that an IDX file of unsigned bytes declares, checked against the file's length."""
    try:
        with path.open("rb") as file:
            start = file.read(_start(dimensions))
        length = path.stat().st_size
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    if len(start) < _start(dimensions) or start[:4] != bytes([0, 0, 8, dimensions]):
        raise damaged(name, path, f"it does not start as an IDX file of {dimensions} dimensions does")
    sizes = struct.unpack(f">{dimensions}I", start[4:])
    expected = len(start) + math.prod(sizes)
    if length != expected:
        raise damaged(name, path, f"it has {length:,} bytes where its header promises {expected:,}")
    return sizes


def _bytes(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Return the bytes after the header."""
    return np.fromfile(path, np.uint8, offset=_start(dimensions))


def _start(dimensions: int) -> int:
    """Return the header's length in bytes: the magic number and a size for each dimension."""
    return 4 + 4 * dimensions
