"""The hash of a data set as it is trained on: two trainings with the same one have seen the same numbers."""

import hashlib

import torch

from core.datasets._splits import Splits

ROWS = 4096
"""Examples that are copied at a time."""


def splits_hash(splits: Splits) -> str:
    """Return the SHA-256 of all splits, in hexadecimal digits: of each tensor's type, shape and values, in order."""
    found = hashlib.sha256()
    for name, part in splits._asdict().items():
        values: torch.Tensor = part.contiguous()
        found.update(f"{name} {values.dtype} {tuple(values.shape)}\n".encode())
        for rows in values.split(ROWS):
            found.update(rows.numpy().tobytes())
    return found.hexdigest()
