"""Activations near their bounds: a layer's share of them."""

from core.analysis.findings import rules
from tests.core.analysis.findings.evidence import layers

EXAMPLES = [
    layers(activation_saturated={"fc1": [0.5, 0.0], "fc2": [0.9, 0.0]}),
    layers(activation_saturated={"fc1": [0.49, 0.5]}),
]


def test_the_worst_layer_is_named_at_the_first_point_that_shows_it() -> None:
    found = [rules["saturation"].find(run) for run in EXAMPLES]
    assert [(one.layer, one.step, one.numbers, one.layers) for one in found if one is not None] == [
        ("fc2", 0, {"activation_saturated": 0.9}, ["fc1", "fc2"]),
        ("fc1", 10, {"activation_saturated": 0.5}, ["fc1"]),
    ]


def test_below_the_bound_it_is_healthy() -> None:
    assert rules["saturation"].find(layers(activation_saturated={"fc1": [0.49, 0.49]})) is None
