"""Encoding of a table's columns as a network's inputs, by statistics of the training split alone."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from core.datasets._content import Column


def encode(
    columns: Sequence[Column], train: torch.Tensor, valid: torch.Tensor, *, standardise: bool = True
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the features float32 (n, features) of two splits of a table's values float64 (n, columns).

    Numbers are standardised, text becomes one feature a category, 0 and 1 stay; a missing value is the training
    split's mean, or its most frequent one. A column that is constant in training is 0 in both. Without `standardise`
    numbers stay as they are.
    """
    made = [np.empty((len(split), sum(len(c.features) for c in columns)), np.float32) for split in (train, valid)]
    at = 0
    for i, column in enumerate(columns):
        pair = [split[:, i].numpy() for split in (train, valid)]
        fill = _fill(column, pair[0])
        filled = [np.where(np.isnan(values), fill, values) for values in pair]
        if column.kind == "number" and standardise:
            filled = standardised(*filled)
        for features, values in zip(made, filled, strict=True):
            if column.kind == "text":
                features[:, at : at + len(column.categories)] = values[:, None] == np.arange(len(column.categories))
            else:
                features[:, at] = values
        at += len(column.features)
    return torch.from_numpy(made[0]), torch.from_numpy(made[1])


def standardised_columns(train: torch.Tensor, valid: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return two splits of numbers (n, columns) as float32, each column standardised by the training split."""
    pairs = [standardised(*pair) for pair in zip(train.T.double().numpy(), valid.T.double().numpy(), strict=True)]
    first, second = (torch.from_numpy(np.stack(part, axis=1)).float() for part in zip(*pairs, strict=True))
    return first, second


def standardised(train: NDArray[np.float64], valid: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Standardise both by the training values' mean and standard deviation (with n, not n - 1); 0 where it is 0."""
    if train.min() == train.max():
        return [np.zeros_like(train), np.zeros_like(valid)]
    mean, deviation = train.mean(), train.std()
    return [(train - mean) / deviation, (valid - mean) / deviation]


def _fill(column: Column, train: NDArray[np.float64]) -> float:
    known = train[~np.isnan(train)]
    if not len(known):
        return 0.0
    return float(known.mean() if column.kind == "number" else np.bincount(known.astype(np.int64)).argmax())
