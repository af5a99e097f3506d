"""The preview says what the law says and what the sample shows."""

import itertools
import json
from typing import Any

import numpy as np
import pytest
import torch

from core.initializers import Layer, initializers, preview
from core.streams import generator


def test_it_has_the_contracts_shape() -> None:
    answer = preview(initializers.parse("he_uniform"), Layer((256, 784)), seed=0, bins=50)
    assert {key: set(part) for key, part in answer.items()} == {
        "stats": {"mean", "std", "min", "max", "fan_in", "fan_out"},
        "theory": {"distribution", "mean", "std", "bound"},
        "histogram": {"edges", "counts"},
    }
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer


def test_the_sample_is_the_seeds_weight() -> None:
    entry = initializers.parse("he_normal")
    layer = Layer((64, 3, 3, 3), name="conv1")
    answer = preview(entry, layer, seed=5, bins=10)
    weight = entry.build().weight(layer).draw(layer.shape, generator(5, "initial", "conv1.weight")).double()
    stats = answer["stats"]
    assert (stats["min"], stats["max"]) == (weight.min(), weight.max())
    assert stats["mean"] == pytest.approx(float(weight.mean()), rel=1e-12)
    assert stats["std"] == pytest.approx(float(weight.std(correction=0)), rel=1e-12)
    assert (stats["fan_in"], stats["fan_out"]) == (27, 576)
    assert answer["theory"] == {"distribution": "normal", "mean": 0.0, "std": (2 / 27) ** 0.5, "bound": None}
    edges, counts = answer["histogram"]["edges"], answer["histogram"]["counts"]
    assert len(edges) == 11
    inner = [int(((weight >= a) & (weight < b)).sum()) for a, b in itertools.pairwise(edges)]
    inner[-1] += int((weight == edges[-1]).sum())
    assert counts == inner
    assert sum(counts) == weight.numel()
    assert preview(entry, layer, seed=6, bins=10) != answer


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5, 1e12, 1e-12])
@pytest.mark.parametrize("bins", [1, 2, 51])
def test_a_constant_stands_in_one_bin(value: float, bins: int) -> None:
    answer = preview(initializers.parse({"name": "constant", "value": value}), Layer((2, 3)), seed=0, bins=bins)
    exact = float(torch.tensor(value))
    assert answer["stats"] | {"fan_in": 0, "fan_out": 0} == {
        "mean": exact,
        "std": 0.0,
        "min": exact,
        "max": exact,
        "fan_in": 0,
        "fan_out": 0,
    }
    assert answer["theory"] == {"distribution": "constant", "mean": value, "std": 0.0, "bound": abs(value)}
    edges, counts = answer["histogram"]["edges"], answer["histogram"]["counts"]
    assert sorted(counts) == [0] * (bins - 1) + [6]
    assert np.all(np.diff(edges) > 0)
    assert edges[counts.index(6)] <= exact <= edges[counts.index(6) + 1]


def test_the_smallest_spread_there_is_still_has_bins() -> None:
    law = {"name": "uniform", "low": 1.0, "high": 1.0 + 1e-7}
    assert sum(preview(initializers.parse(law), Layer((50, 50)), seed=0, bins=500)["histogram"]["counts"]) == 2500


@pytest.mark.parametrize(
    ("shape", "words"), [([], "two dimensions"), ([5], "two dimensions"), ([0, 5], "no values"), ([5, 4, 0], "no val")]
)
def test_a_shape_without_weights_is_refused(shape: list[int], words: str) -> None:
    for name in ("zeros", "he_normal"):
        entry: Any = initializers.parse(name)
        with pytest.raises(ValueError, match=words):
            preview(entry, Layer(tuple(shape)), seed=0, bins=5)


def test_what_looks_at_data_is_shown_as_it_ends() -> None:
    entry = initializers.parse({"name": "lsuv", "tol": 0.01, "std": 3.0})
    answer = preview(entry, Layer((300, 100)), seed=0, bins=5)
    # columns are orthonormal, so sums over 100 unit normals have sd sqrt(100 / 300) before they are given 3
    assert answer["stats"]["std"] == pytest.approx(3.0 / 10, rel=0.02)
    assert (answer["theory"]["std"], answer["theory"]["bound"]) == (None, None)


def test_what_asks_for_the_layers_place_is_told() -> None:
    mup = initializers.parse({"name": "mup", "base_width": 64, "of": "normal_rule"})
    stds = {
        role: preview(mup, Layer((256, 256), role=role), seed=0, bins=5)["theory"]["std"]
        for role in ("input", "hidden", "output", "only")
    }
    assert stds == {"input": 1 / 16, "hidden": 1 / 16, "output": 1 / 8, "only": 1 / 16}
