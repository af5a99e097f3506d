"""Small files of the layouts that torchvision's data sets have."""

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
from pathlib import Path

import numpy as np

SIDE = 28
TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def idx(values: np.ndarray) -> bytes:
    """Unsigned bytes as IDX."""
    return bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def idx_files(examples: int = 40) -> dict[str, bytes]:
    """The four files of MNIST's family; images as no other, 0 and 255 in each, labels 0-9 in turn."""
    random = np.random.default_rng(0)
    files = {}
    for part, count in (("train", examples), ("t10k", 5)):
        images = random.integers(0, 256, (count, SIDE, SIDE), np.uint8)
        images[:, 0, :2] = 0, 255
        files[f"{part}-images-idx3-ubyte"] = idx(images)
        files[f"{part}-labels-idx1-ubyte"] = idx(np.arange(count, dtype=np.uint8) % 10)
    return files


def cifar_files(batches: list[str], labels: str, classes: int, examples: int = 10) -> dict[str, bytes]:
    """Pickles as Python 2 and its NumPy wrote them: data (n, 3072), and labels in turn."""
    random = np.random.default_rng(1)
    files = {}
    for number, batch in enumerate(batches):
        data = random.integers(0, 256, (examples, 3 * 32 * 32), np.uint8)
        held = {"data": data, labels: [(number + 3 * i) % classes for i in range(examples)]}
        raw = pickle.dumps(held, protocol=2)
        booleans, numbers = b"\x89\x88\x87", b"K\x00K\x01\x87"  # dtype("u1", False, True), dtype("u1", 0, 1)
        assert raw.count(booleans) == 1
        files[batch] = raw.replace(booleans, numbers)
    return files


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Put the files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def md5(content: bytes) -> str:
    """The sum that torchvision compares."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def gz(content: bytes) -> bytes:
    """The content as MNIST's servers hold it."""
    return gzip.compress(content, mtime=0)


def tgz(folder: str, files: dict[str, bytes]) -> bytes:
    """The folder as CIFAR's server holds it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()
