"""A loss that hardly moves from its start to its end, at a rate far below the optimizer's default of 0.1."""

import pytest

from core.analysis.findings import Curves, rules
from tests.core.analysis.findings.evidence import CLASSES, curves

EXAMPLES = [curves([1.0] * 12, lr=0.001), curves([1.0, 1.0, 1.0, 0.995, 0.995, 0.995], lr=1e-9)]


@pytest.mark.parametrize(
    "run",
    [
        curves([1.0] * 4 + [0.98] * 8, lr=0.001),
        curves([1.15, 0.95, 0.95, 0.95] + [1.0] * 8, lr=0.001),
        curves([1.0] * 12, valid_loss=[1.0], lr=0.001),
        curves([1.0] * 2, lr=0.001),
        curves([1.0] * 12, diverged=True, lr=0.001),
        curves([1.0] * 12, lr=0.0011),
    ],
    ids=[
        "it moves between epochs",
        "it moved in the first updates",
        "one epoch",
        "no whole epoch",
        "diverged",
        "a rate that others train with",
    ],
)
def test_what_moves_or_cannot_be_judged_is_healthy(run: Curves) -> None:
    assert rules["lr_too_small"].find(run) is None


def test_it_tells_the_rate_to_begin_with() -> None:
    numbers = {"start_loss": 1.0, "last_loss": 1.0, "largest_lr": 1e-9, "usual_lr": 0.1}
    text = rules["lr_too_small"].explain(numbers, None, 0, CLASSES)
    assert "far below the optimizer's default of 0.1, and too small: begin there" in text
