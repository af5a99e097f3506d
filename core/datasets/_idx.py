"""The MNIST family: grey images of 28 x 28 in IDX files, as torchvision lays them out."""

import math
import struct
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core.datasets import DataError, Dataset, DatasetInfo, DatasetPaths
from core.datasets._downloads import damaged, folder_of
from core.datasets._splits import HeldOut, Whole, of_whole

TRAIN, TEST = "train", "t10k"
"""The parts that the files' names begin with."""
IMAGES = "-images-idx3-ubyte"
LABELS = "-labels-idx1-ubyte"
SIDE = 28
CLASSES = 10


def grey_images(name: str, held_out: HeldOut) -> Dataset:
    """Make a data set of the training files of an entry of `DOWNLOADS`; of its test files with `own_test` alone."""
    held_out = held_out.checked()

    def info(paths: DatasetPaths) -> DatasetInfo:
        folder = folder_of(name, paths)
        y = _labels(name, folder, TRAIN)
        counts = held_out.counts(len(y))
        if held_out.own_test:
            counts = counts._replace(test=len(_labels(name, folder, TEST)))
        chance = int(np.bincount(y).max()) / len(y)
        return DatasetInfo(inputs=(1, SIDE, SIDE), outputs=CLASSES, chance=chance, own=held_out.own, **counts._asdict())

    def whole(paths: DatasetPaths) -> Whole:
        folder = folder_of(name, paths)
        x, y = _read(name, folder, TRAIN)
        return held_out.before(x, y, _read(name, folder, TEST)) if held_out.own_test else (x, y, held_out)

    return of_whole(info, whole, held_out)


def _read(name: str, folder: Path, part: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the images (n, 1, side, side) and labels (n,) of a part."""
    y = torch.from_numpy(_labels(name, folder, part)).long()
    return torch.from_numpy(_bytes(folder / f"{part}{IMAGES}", dimensions=3)).view(len(y), 1, SIDE, SIDE), y


def _labels(name: str, folder: Path, part: str) -> NDArray[np.uint8]:
    """Return each image's label; raises `DataError` unless both files are complete; reads the images' header alone."""
    images, labels = folder / f"{part}{IMAGES}", folder / f"{part}{LABELS}"
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
