"""The CIFAR family: 50,000 colour images of 32 x 32 in torchvision's pickles, opened only if their MD5 is known."""

import hashlib
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.datasets import DataError, Dataset, DatasetInfo, DatasetPaths, Splits, split
from core.datasets._downloads import damaged, folder_of
from core.datasets._splits import valid_count

EXAMPLES = 50_000
SHAPE = (3, 32, 32)


def colour_images(
    name: str, batches: Mapping[str, str], *, labels: str, classes: int, valid_fraction: float, split_seed: int
) -> Dataset:
    """Make a data set of the training files of an entry of `DOWNLOADS`; its test files are not touched.

    `batches` are those files, which share the images equally, with their MD5; `labels` is the key of the labels in
    them. The classes are equally frequent.
    """
    held_out = valid_count(EXAMPLES, valid_fraction)

    def info(paths: DatasetPaths) -> DatasetInfo:
        folder = folder_of(name, paths)
        for batch in batches:
            _long_enough(name, folder / batch, EXAMPLES // len(batches))
        return DatasetInfo(inputs=SHAPE, outputs=classes, train=EXAMPLES - held_out, valid=held_out, chance=1 / classes)

    def load(paths: DatasetPaths) -> Splits:
        folder = folder_of(name, paths)
        parts = [_unpickled(name, folder / batch, digest) for batch, digest in batches.items()]
        x = torch.from_numpy(np.concatenate([part.pop("data") for part in parts])).view(-1, *SHAPE)
        y = torch.tensor([label for part in parts for label in part[labels]])
        return split(x, y, valid_fraction, split_seed)

    return Dataset(info, load)


def _long_enough(name: str, path: Path, examples: int) -> None:
    """Raise `DataError` unless the file is long enough for its images; its content is not read."""
    try:
        length = path.stat().st_size
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    if length < examples * np.prod(SHAPE):
        raise damaged(name, path, f"it has {length:,} bytes, too few for {examples:,} images")


def _unpickled(name: str, path: Path, digest: str) -> Any:
    """Load a pickle after comparing its bytes with the known MD5, because a pickle can run any code."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    if hashlib.md5(raw, usedforsecurity=False).hexdigest() != digest:
        raise damaged(name, path, f"its MD5 is not {digest}, so that it is not opened")
    return pickle.loads(raw, encoding="latin1")  # noqa: S301 known bytes, see above
