"""A loss that hardly moves from its start to its end."""

from dataclasses import replace

import pytest

from core.analysis.findings import Curves, rules
from tests.core.analysis.findings.evidence import CLASSES, curves

EXAMPLES = [curves([1.0] * 12), curves([1.0, 1.0, 1.0, 0.995, 0.995, 0.995])]


@pytest.mark.parametrize(
    "run",
    [
        curves([1.0] * 4 + [0.98] * 8),
        curves([1.15, 0.95, 0.95, 0.95] + [1.0] * 8),
        curves([1.0] * 12, valid_loss=[1.0]),
        curves([1.0] * 2),
        curves([1.0] * 12, diverged=True),
    ],
    ids=["it moves between epochs", "it moved in the first updates", "one epoch", "no whole epoch", "diverged"],
)
def test_what_moves_or_cannot_be_judged_is_healthy(run: Curves) -> None:
    assert rules["lr_too_small"].find(run) is None


@pytest.mark.parametrize("diagnosed", [True, False])
def test_where_layers_were_not_measured_it_says_what_would_tell_more(diagnosed: bool) -> None:
    measured = replace(CLASSES, diagnosed=diagnosed)
    numbers = {"start_loss": 1.0, "last_loss": 1.0, "largest_lr": 0.1}
    assert ("`diagnostics`" in rules["lr_too_small"].explain(numbers, None, 0, measured)) != diagnosed
