"""A subset of a data set in which every class keeps its share."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.datasets._content import InvalidUpload

Places = NDArray[np.int64]


def subset(labels: NDArray[Any] | None, examples: int, limit: int | None) -> Places:
    """Return the places, ascending, of at most `limit` of the examples; always the same ones.

    `labels` are class numbers (n,), whose shares are kept by largest remainders, every class with one example at
    least where the limit allows; None: all examples are alike.
    """
    if limit is None or limit >= examples:
        return np.arange(examples)
    codes = np.zeros(examples, dtype=np.int64) if labels is None else labels
    counts = np.bincount(codes)
    exact = counts * limit / examples
    taken = np.floor(exact).astype(np.int64)
    if np.count_nonzero(counts) <= limit:
        taken = np.maximum(taken, counts > 0)
    order = np.argsort(-(exact - np.floor(exact)), kind="stable")
    for i in [*order, *np.argsort(-taken, kind="stable")] * 2:
        short = limit - int(taken.sum())
        if short > 0 and taken[i] < counts[i]:
            taken[i] += 1
        elif short < 0 and taken[i] > 1:
            taken[i] += max(short, 1 - int(taken[i]))
    rng = np.random.default_rng(0)
    drawn = [rng.permutation(np.flatnonzero(codes == i))[: taken[i]] for i in np.flatnonzero(taken)]
    return np.sort(np.concatenate(drawn))


def subsets(
    labels: NDArray[Any] | None, examples: int, held_out: int | None, limit: int | None
) -> tuple[Places, Places | None]:
    """Return the places of a subset in the training part and in the part held out, both in the same proportion.

    Raises `InvalidUpload` for a limit that leaves classes out, of all examples or of those to train on.
    """
    train, valid = _parts(labels, examples, held_out, limit)
    if labels is not None:
        first = examples - (held_out or 0)
        kept = labels[train] if valid is None else np.concatenate([labels[train], labels[first + valid]])
        for before, after in ((labels, kept), (labels[:first], labels[train])):
            classes = len(np.unique(before))
            if len(np.unique(after)) < classes:
                raise InvalidUpload(f"there are {classes:,} classes: so few examples leave some out", "limit")
    return train, valid


def _parts(
    labels: NDArray[Any] | None, examples: int, held_out: int | None, limit: int | None
) -> tuple[Places, Places | None]:
    if held_out is None:
        return subset(labels, examples, limit), None
    first = examples - held_out
    if limit is None or limit >= examples:
        return np.arange(first), np.arange(held_out)
    train = max(1, min(limit - 1, round(limit * first / examples)))
    parts = (None, None) if labels is None else (labels[:first], labels[first:])
    return subset(parts[0], first, train), subset(parts[1], held_out, limit - train)
