"""A loss that hardly moves from its start to its end, at any rate."""

from dataclasses import replace

import pytest

from core.analysis.findings import rules
from tests.core.analysis.findings.evidence import CLASSES, curves

EXAMPLES = [curves([1.0] * 12), curves([1.0, 1.0, 1.0, 0.995, 0.995, 0.995], lr=1e-9)]


def test_what_moves_is_healthy() -> None:
    assert rules["flat_loss"].find(curves([1.0] * 4 + [0.98] * 8)) is None
    assert rules["flat_loss"].find(curves([1.15, 0.95, 0.95, 0.95] + [1.0] * 8)) is None


@pytest.mark.parametrize("diagnosed", [True, False])
def test_no_reason_is_named_where_several_fit(diagnosed: bool) -> None:
    measured = replace(CLASSES, diagnosed=diagnosed)
    numbers = {"start_loss": 1.0, "last_loss": 1.0, "largest_lr": 0.1, "usual_lr": 0.1}
    text = rules["flat_loss"].explain(numbers, None, 0, measured)
    assert ("`diagnostics`" in text) != diagnosed
    assert "rate" in text
    assert "ten times" not in text
