"""A signal that grows: the last hidden layer's spread over the first's."""

import math

import pytest

from core.analysis.findings import rules
from tests.core.analysis.findings.evidence import layers

EXAMPLES = [
    layers(activation_std={"fc1": [1.0, 1.0], "fc2": [101.0, 1.0]}),
    layers(activation_std={"fc1": [1.0, 1.0], "fc2": [1.0, 101.0]}),
    layers(activation_std={"fc1": [1.0, 1.0], "fc2": [1.0, math.inf]}),
    layers(activation_std={"fc1": [1.0, math.nan]}),
]


@pytest.mark.parametrize("point", [0, 1])
def test_it_is_seen_where_it_comes_first(point: int) -> None:
    found = rules["exploding_activations"].find(EXAMPLES[point])
    assert found is not None
    assert (found.layer, found.step, found.layers) == ("fc2", 10 * point, ["fc1", "fc2"])
    assert found.numbers == {"first_std": 1.0, "last_std": 101.0, "ratio": 101.0}


@pytest.mark.parametrize("std", [99.0, 1.0])
def test_within_the_bound_it_is_healthy(std: float) -> None:
    assert rules["exploding_activations"].find(layers(activation_std={"fc1": [1.0, 1.0], "fc2": [std, std]})) is None


def test_a_branch_that_starts_at_zero_is_no_signal() -> None:
    run = layers(branches=["fc2"], activation_std={"fc1": [1.0, 1.0], "fc2": [101.0, 101.0]})
    assert rules["exploding_activations"].find(run) is None
