"""Previews of an initializer: one weight's law, and a sample of it."""

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from core.initializers._cost import draw_seconds, tuning_seconds
from core.initializers._initializer import Calibration, Initializer, Layer
from core.registry import Entry
from core.streams import generator

MOST_NUMBERS = 2**20
"""Most numbers in the batch that an initializer reads."""


def preview(entry: Entry, layer: Layer, seed: int, bins: int) -> dict[str, Any]:
    """Describe the weight that a run of `seed` gives `layer`: its `stats`, its law's own `theory`, a `histogram`.

    `stats["std"]` divides by the number of values. `histogram["edges"]` has `bins + 1` numbers, `["counts"]` one a bin.
    Equal values stand in the middle of a range of width 1. An initializer that looks at data is given a standard
    normal batch, of which theory knows nothing.
    Raises `ValueError` for a shape of fewer than two dimensions or without values, and for a layer that the
    initializer has no law for.
    """
    initializer: Initializer = entry.build()
    fan_in, fan_out = layer.fans
    if math.prod(layer.shape) == 0:
        raise ValueError(f"a weight of shape {layer.shape} has no values")
    law = initializer.weight(layer)
    weight = law.draw(layer.shape, generator(seed, "initial", f"{layer.name}.weight"))
    theory = {"distribution": law.distribution, "mean": law.mean, "std": law.std, "bound": law.bound}
    if initializer.calibration is not None:
        weight = _calibrated(initializer.calibration, weight.flatten(1), seed)
        theory |= {"std": None, "bound": None}
    values = weight.double().numpy()
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
        "theory": theory,
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
    }


def preview_seconds(entry: Entry, layer: Layer) -> float:
    """Return the seconds of one core that a preview takes, as estimated. Raises `ValueError` as it does."""
    initializer: Initializer = entry.build()
    seconds = draw_seconds(initializer, layer)
    if initializer.calibration is not None:
        weights = math.prod(layer.shape)
        out, fan_in = layer.shape[0], max(1, weights // max(1, layer.shape[0]))
        examples = _examples(initializer.calibration, fan_in)
        seconds += tuning_seconds(initializer.calibration, examples, weights, outputs=out, operations=2 * weights)
    return seconds


def _examples(calibration: Calibration, fan_in: int) -> int:
    return min(calibration.examples, max(2, MOST_NUMBERS // fan_in))


def _calibrated(calibration: Calibration, weight: torch.Tensor, seed: int) -> torch.Tensor:
    """Return the weight, (out, fan_in), of a network that is one dense layer, after a look at a batch."""
    out, fan_in = weight.shape
    with torch.device("meta"):
        module = nn.Sequential(nn.Linear(fan_in, out)).eval()
    x = torch.randn(_examples(calibration, fan_in), fan_in, generator=generator(seed, "calibration"))
    return calibration.fit(module, {"0.weight": weight, "0.bias": torch.zeros(out)}, x)["0.weight"]
