"""Fashion-MNIST: grey images of clothes, read from torchvision's files."""

import math
import struct
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field

from core.datasets import DataError, Dataset, Facts, Splits, datasets, split
from core.datasets._splits import valid_count
from core.datasets._torchvision import load as torchvision
from core.registry import CountFromZero

FOLDER = Path("FashionMNIST") / "raw"
IMAGES = "train-images-idx3-ubyte"
LABELS = "train-labels-idx1-ubyte"
SIDE = 28
CLASSES = 10


@datasets.register(
    formula="grey images (1, 28, 28) of 10 kinds of clothes, scaled to [0, 1]; the 60,000 of the training files",
    source="Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747; torchvision.datasets.FashionMNIST",
    aliases=["fashionmnist"],
)
def fashion_mnist(
    *, valid_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2, split_seed: CountFromZero = 0
) -> Dataset:
    """The training files that lie in `FashionMNIST/raw` under INITLAB_DATA_ROOT; nothing is downloaded."""

    def facts(root: Path) -> Facts:
        examples = _examples(root / FOLDER)
        held_out = valid_count(examples, valid_fraction)
        return Facts((1, SIDE, SIDE), CLASSES, examples - held_out, held_out)

    def load(root: Path) -> Splits:
        raw = root / FOLDER
        _examples(raw)
        files = torchvision().datasets.mnist
        x: torch.Tensor = files.read_image_file(str(raw / IMAGES))
        y: torch.Tensor = files.read_label_file(str(raw / LABELS))
        if int(y.max()) >= CLASSES:
            raise DataError(
                f"{raw / LABELS} is damaged: it holds label {int(y.max())}, but there are {CLASSES} classes"
            )
        return split(x.unsqueeze(1).float().div_(255), y, valid_fraction, split_seed)

    return Dataset(facts, load)


def _examples(raw: Path) -> int:
    """The number of images by the files' headers; raises `DataError` unless both files are there and whole."""
    if not raw.is_dir():
        raise DataError(
            f"Fashion-MNIST is not here: there is no folder {raw.absolute()}. Put torchvision's files there, or name "
            "the folder that holds FashionMNIST in INITLAB_DATA_ROOT"
        )
    examples, *size = _header(raw / IMAGES, dimensions=3)
    (labels,) = _header(raw / LABELS, dimensions=1)
    if size != [SIDE, SIDE]:
        raise DataError(f"{raw / IMAGES} is not Fashion-MNIST: its images are {size[0]} x {size[1]}")
    if examples < 2:
        raise DataError(f"{raw / IMAGES} holds {examples} images; training and validation need one each")
    if labels != examples:
        raise DataError(f"{raw / LABELS} has {labels} labels for {examples} images")
    return examples


def _header(path: Path, dimensions: int) -> tuple[int, ...]:
    """The sizes that an IDX file of unsigned bytes declares, checked against the file's length."""
    try:
        with path.open("rb") as file:
            start = file.read(4 + 4 * dimensions)
        length = path.stat().st_size
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    if len(start) < 4 + 4 * dimensions or start[:4] != bytes([0, 0, 8, dimensions]):
        raise DataError(f"{path} is damaged: it does not start as an IDX file of {dimensions} dimensions does")
    sizes = struct.unpack(f">{dimensions}I", start[4:])
    expected = len(start) + math.prod(sizes)
    if length != expected:
        raise DataError(f"{path} is damaged: it has {length:,} bytes where its header promises {expected:,}")
    return sizes
