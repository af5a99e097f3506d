"""Gradients that are large beside the last layer's, or beside the weights, or not finite."""

import math

import pytest

from core.analysis.findings import LayerDiagnostics, rules
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
