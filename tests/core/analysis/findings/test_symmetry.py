"""Alike neurons: in all layers at the start, or in some to the end."""

from core.analysis.findings import rules
from tests.core.analysis.findings.evidence import layers

ALIKE, DIFFERENT, PARTED = [1.0, 0.995], [0.1, 0.1], [1.0, 0.5]
EXAMPLES = [
    layers(neuron_cosine={"fc1": ALIKE, "fc2": ALIKE, "fc3": ALIKE}),
    layers(neuron_cosine={"fc1": PARTED, "fc2": PARTED, "fc3": PARTED}),
    layers(neuron_cosine={"fc1": DIFFERENT, "fc2": ALIKE, "fc3": DIFFERENT}),
]


def test_it_is_seen_at_the_start_where_all_layers_are_so_and_else_at_the_end() -> None:
    found = [rules["symmetry"].find(run) for run in EXAMPLES]
    assert [(one.layer, one.step, one.numbers["neuron_cosine"]) for one in found if one is not None] == [
        ("fc1", 0, 1.0),
        ("fc1", 0, 1.0),
        ("fc2", 10, 0.995),
    ]


def test_layers_that_part_from_each_other_or_may_do_so_are_healthy() -> None:
    assert rules["symmetry"].find(layers(neuron_cosine={"fc1": PARTED})) is None
    assert rules["symmetry"].find(layers(steps=[0], neuron_cosine={"fc1": ALIKE})) is None
    assert rules["symmetry"].find(layers(neuron_cosine={"fc3": ALIKE})) is None
