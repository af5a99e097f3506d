"""What an initializer makes of one weight: its law, and a sample of it."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.initializers._initializer import Initializer, Layer
from core.initializers._laws import fans
from core.registry import Entry
from core.streams import generator


def preview(entry: Entry, shape: Sequence[int], seed: int, bins: int) -> dict[str, Any]:
    """One weight of `shape` drawn by `seed`: `stats` of the sample, the law's own `theory`, and a `histogram`.

    `stats["std"]` divides by the number of values. `histogram["edges"]` has `bins + 1` numbers, `["counts"]` one a bin.
    Equal values stand in the middle of a range of width 1.
    Raises `ValueError` for a shape of fewer than two dimensions or without values.
    """
    initializer: Initializer = entry.build()
    fan_in, fan_out = fans(tuple(shape))
    if math.prod(shape) == 0:
        raise ValueError(f"a weight of shape {tuple(shape)} has no values")
    law = initializer.weight(Layer(tuple(shape)))
    values = law.draw(tuple(shape), generator(seed, "weight")).double().numpy()
    counts, edges = np.histogram(values, bins)
    return {
        "stats": {
            "mean": float(values.mean()),
            "std": float(values.std()),
            "min": float(values.min()),
            "max": float(values.max()),
            "fan_in": fan_in,
            "fan_out": fan_out,
        },
        "theory": {"distribution": law.distribution, "std": law.std, "bound": law.bound},
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
    }
