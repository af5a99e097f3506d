"""The preview says what the law says and what the sample shows."""

import itertools
import json
from typing import Any

import numpy as np
import pytest
import torch

from core.initializers import initializers, preview
from core.streams import generator


def test_it_has_the_contracts_shape() -> None:
    answer = preview(initializers.parse("he_uniform"), [256, 784], seed=0, bins=50)
    assert {key: set(part) for key, part in answer.items()} == {
        "stats": {"mean", "std", "min", "max", "fan_in", "fan_out"},
        "theory": {"distribution", "std", "bound"},
        "histogram": {"edges", "counts"},
    }
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer


def test_the_sample_is_the_seeds_weight() -> None:
    entry = initializers.parse("he_normal")
    answer = preview(entry, (64, 3, 3, 3), seed=5, bins=10)
    weight = entry.build().weight((64, 3, 3, 3)).draw((64, 3, 3, 3), generator(5, "weight")).double()
    stats = answer["stats"]
    assert (stats["min"], stats["max"]) == (weight.min(), weight.max())
    assert stats["mean"] == pytest.approx(float(weight.mean()), rel=1e-12)
    assert stats["std"] == pytest.approx(float(weight.std(correction=0)), rel=1e-12)
    assert (stats["fan_in"], stats["fan_out"]) == (27, 576)
    assert answer["theory"] == {"distribution": "normal", "std": (2 / 27) ** 0.5, "bound": None}
    edges, counts = answer["histogram"]["edges"], answer["histogram"]["counts"]
    assert len(edges) == 11
    inner = [int(((weight >= a) & (weight < b)).sum()) for a, b in itertools.pairwise(edges)]
    inner[-1] += int((weight == edges[-1]).sum())
    assert counts == inner
    assert sum(counts) == weight.numel()
    assert preview(entry, (64, 3, 3, 3), seed=6, bins=10) != answer


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5, 1e12, 1e-12])
@pytest.mark.parametrize("bins", [1, 2, 51])
def test_a_constant_stands_in_one_bin(value: float, bins: int) -> None:
    answer = preview(initializers.parse({"name": "constant", "value": value}), [2, 3], seed=0, bins=bins)
    exact = float(torch.tensor(value))
    assert answer["stats"] | {"fan_in": 0, "fan_out": 0} == {
        "mean": exact,
        "std": 0.0,
        "min": exact,
        "max": exact,
        "fan_in": 0,
        "fan_out": 0,
    }
    assert answer["theory"] == {"distribution": "constant", "std": 0.0, "bound": abs(value)}
    edges, counts = answer["histogram"]["edges"], answer["histogram"]["counts"]
    assert sorted(counts) == [0] * (bins - 1) + [6]
    assert np.all(np.diff(edges) > 0)
    assert edges[counts.index(6)] <= exact <= edges[counts.index(6) + 1]


def test_the_smallest_spread_there_is_still_has_bins() -> None:
    law = {"name": "uniform", "low": 1.0, "high": 1.0 + 1e-7}
    assert sum(preview(initializers.parse(law), [50, 50], seed=0, bins=500)["histogram"]["counts"]) == 2500


@pytest.mark.parametrize(
    ("shape", "words"), [([], "two dimensions"), ([5], "two dimensions"), ([0, 5], "no values"), ([5, 4, 0], "no val")]
)
def test_a_shape_without_weights_is_refused(shape: list[int], words: str) -> None:
    for name in ("zeros", "he_normal"):
        entry: Any = initializers.parse(name)
        with pytest.raises(ValueError, match=words):
            preview(entry, shape, seed=0, bins=5)
