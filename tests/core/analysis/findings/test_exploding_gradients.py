"""Gradients that are large beside the last layer's, or beside the weights, or not finite."""

import math

import numpy as np
import pytest

from core.analysis.findings import LayerDiagnostics, rules
from core.analysis.findings._evidence import _diagnostics
from core.metrics.skipped_updates import SKIPPED
from core.results import Series
from tests.core.analysis.findings.evidence import layers

EXAMPLES = [
    layers(gradient_norm={"fc1": [1.1, 1.1], "fc3": [1e-3, 1e-3]}),
    layers(gradient_norm={"fc2": [1.0, 900.0]}),
    layers(gradient_norm={"fc2": [math.inf, 1.0]}),
    layers(gradient_norm={"fc3": [1.0, math.nan]}),
]


@pytest.mark.parametrize(
    ("run", "layer", "step", "bound"),
    [
        (EXAMPLES[0], "fc1", 0, "first_over_last"),
        (EXAMPLES[1], "fc2", 10, "largest_over_weight"),
        (EXAMPLES[2], "fc2", 0, "largest_over_weight"),
        (EXAMPLES[3], "fc3", 10, "largest_over_weight"),
    ],
)
def test_it_is_seen_in_the_layer_that_has_it_the_most(run: LayerDiagnostics, layer: str, step: int, bound: str) -> None:
    found = rules["exploding_gradients"].find(run)
    assert found is not None
    assert (found.layer, found.step, found.bound) == (layer, step, bound)


def test_within_the_bounds_it_is_healthy() -> None:
    find = rules["exploding_gradients"].find
    assert find(layers(gradient_norm={"fc1": [0.9, 0.9], "fc3": [1e-3, 1e-3]})) is None
    assert find(layers(gradient_norm={"fc2": [790.0, 790.0]})) is None


def test_updates_that_float16_skips_are_not_looked_at() -> None:
    values = {
        "gradient_norm/fc1": [np.nan, 0.3, 0.1],
        "gradient_norm/fc2": [0.5, 0.4, 0.2],
        "weight_norm/fc1": [9.0] * 3,
    }
    series = {
        name: Series(run_id=1, arm="a", seed=0, metric=name, steps=np.array([0, 5, 10]), values=np.array(given))
        for name, given in values.items()
    }
    skipped = Series(run_id=1, arm="a", seed=0, metric=SKIPPED, steps=np.array([0]), values=np.array([1.0]))
    layers_of_model = {"fc1": None, "fc2": None}
    whole, done = (_diagnostics(found, layers_of_model) for found in (series, {**series, SKIPPED: skipped}))
    assert whole is not None
    assert list(whole.steps) == [0, 5, 10]
    assert done is not None
    assert list(done.steps) == [5, 10]
    assert done.at("gradient_norm", ["fc1", "fc2"], 0) == {"fc1": 0.3, "fc2": 0.4}
    assert done.at("weight_norm", ["fc1"], 1) == {"fc1": 9.0}
