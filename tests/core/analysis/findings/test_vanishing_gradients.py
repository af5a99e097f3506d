"""Gradients that hardly reach the first layer, or are hardly any at all."""

import pytest

from core.analysis.findings import LayerDiagnostics, rules
from tests.core.analysis.findings.evidence import layers

TINY = {"fc1": [1e-6, 1e-6], "fc2": [1e-6, 1e-6], "fc3": [1e-6, 1e-6]}
EXAMPLES = [
    layers(gradient_norm={"fc1": [9e-4, 1e-4], "fc3": [1.0, 1.0]}),
    layers(gradient_norm=TINY),
    layers(steps=[0], gradient_norm={"fc1": [9e-4], "fc3": [1.0]}),
]


@pytest.mark.parametrize(
    ("run", "bound"),
    [(EXAMPLES[0], "first_over_last"), (EXAMPLES[1], "largest_over_weight"), (EXAMPLES[2], "first_over_last")],
)
def test_it_is_seen_in_the_first_layer_at_the_start(run: LayerDiagnostics, bound: str) -> None:
    found = rules["vanishing_gradients"].find(run)
    assert found is not None
    assert (found.layer, found.step, found.bound) == ("fc1", 0, bound)


def test_gradients_that_come_or_that_go_later_are_healthy() -> None:
    find = rules["vanishing_gradients"].find
    assert find(layers(gradient_norm={"fc1": [1e-4, 0.1], "fc3": [1.0, 1.0]})) is None
    assert find(layers(gradient_norm={"fc1": [0.1, 1e-4], "fc3": [1.0, 1.0]})) is None
    assert find(layers(gradient_norm={"fc1": [2e-3, 2e-3], "fc3": [1.0, 1.0]})) is None


def test_behind_a_last_layer_that_starts_at_zero_one_point_says_nothing() -> None:
    run = layers(steps=[0], gradient_norm={"fc1": [0.0], "fc2": [0.0], "fc3": [1.0]}, weight_norm={"fc3": [0.0]})
    assert rules["vanishing_gradients"].find(run) is None
