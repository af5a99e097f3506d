"""Encoding of a table's columns as a network's inputs, by statistics of the training split alone."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from core.datasets._content import Column


def encode(
    columns: Sequence[Column], train: torch.Tensor, *others: torch.Tensor, standardise: bool = True
) -> list[torch.Tensor]:
    """Return the features float32 (n, features) of each split of a table's values float64 (n, columns).

    Numbers are standardised, text becomes one feature a category, 0 and 1 stay; a missing value is the training
    split's mean, or its most frequent one. A column that is constant in training is 0 in all. Without `standardise`
    numbers stay as they are.
    """
    splits = (train, *others)
    made = [np.empty((len(split), sum(len(c.features) for c in columns)), np.float32) for split in splits]
    at = 0
    for i, column in enumerate(columns):
        own = [split[:, i].numpy() for split in splits]
        fill = _fill(column, own[0])
        filled = [np.where(np.isnan(values), fill, values) for values in own]
        if column.kind == "number" and standardise:
            filled = standardised(*filled)
        for features, values in zip(made, filled, strict=True):
            if column.kind == "text":
                features[:, at : at + len(column.categories)] = values[:, None] == np.arange(len(column.categories))
            else:
                features[:, at] = values
        at += len(column.features)
    return [torch.from_numpy(features) for features in made]


def standardised_columns(train: torch.Tensor, *others: torch.Tensor) -> list[torch.Tensor]:
    """Return splits of numbers (n, columns) as float32, each column standardised by the training split."""
    by_column = [standardised(*own) for own in zip(*(s.T.double().numpy() for s in (train, *others)), strict=True)]
    return [torch.from_numpy(np.stack(part, axis=1)).float() for part in zip(*by_column, strict=True)]


def standardised(train: NDArray[np.float64], *others: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Standardise all by the training values' mean and standard deviation (with n, not n - 1); 0 where it is 0."""
    if train.min() == train.max():
        return [np.zeros_like(values) for values in (train, *others)]
    mean, deviation = train.mean(), train.std()
    return [(values - mean) / deviation for values in (train, *others)]


def _fill(column: Column, train: NDArray[np.float64]) -> float:
    known = train[~np.isnan(train)]
    if not len(known):
        return 0.0
    return float(known.mean() if column.kind == "number" else np.bincount(known.astype(np.int64)).argmax())
