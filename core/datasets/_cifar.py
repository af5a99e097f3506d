"""The CIFAR family: 60,000 colour images of 32 x 32 in torchvision's pickles, opened only if their MD5 is known."""

import hashlib
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.datasets import DataError, Dataset, DatasetInfo, DatasetPaths
from core.datasets._downloads import damaged, folder_of
from core.datasets._splits import HeldOut, Whole, of_whole

EXAMPLES, TEST_EXAMPLES = 50_000, 10_000
SHAPE = (3, 32, 32)


def colour_images(
    name: str, batches: Mapping[str, str], test: Mapping[str, str], *, labels: str, classes: int, held_out: HeldOut
) -> Dataset:
    """Make a data set of the training files of an entry of `DOWNLOADS`; of its test files with `own_test` alone.

    `batches` and `test` are those files, which share the images equally, with their MD5; `labels` is the key of the
    labels in them. The classes are equally frequent.
    """
    counts = held_out.checked().counts(EXAMPLES)
    if held_out.own_test:
        counts = counts._replace(test=TEST_EXAMPLES)

    def info(paths: DatasetPaths) -> DatasetInfo:
        folder = folder_of(name, paths)
        for batch in batches:
            _long_enough(name, folder / batch, EXAMPLES // len(batches))
        for batch in test if held_out.own_test else ():
            _long_enough(name, folder / batch, TEST_EXAMPLES // len(test))
        return DatasetInfo(inputs=SHAPE, outputs=classes, chance=1 / classes, own=held_out.own, **counts._asdict())

    def read(folder: Path, files: Mapping[str, str]) -> tuple[torch.Tensor, torch.Tensor]:
        parts = [_unpickled(name, folder / batch, digest) for batch, digest in files.items()]
        x = torch.from_numpy(np.concatenate([part.pop("data") for part in parts])).view(-1, *SHAPE)
        return x, torch.tensor([label for part in parts for label in part[labels]])

    def whole(paths: DatasetPaths) -> Whole:
        folder = folder_of(name, paths)
        x, y = read(folder, batches)
        return held_out.before(x, y, read(folder, test)) if held_out.own_test else (x, y, held_out)

    return of_whole(info, whole, held_out)


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
