"""A loss that ends above its start, or as no number."""

import math
from dataclasses import replace

import pytest

from core.analysis.findings import Curves, rules
from tests.core.analysis.findings.evidence import CLASSES, curves

EXAMPLES = [
    curves([1.0] * 18 + [1.3] * 2),
    curves([1.0, 5.0, math.inf, math.nan], diverged=True),
    curves([math.nan], diverged=True),
]


@pytest.mark.parametrize(
    ("run", "last", "words"),
    [
        (EXAMPLES[0], 1.3, "ends at 1.3, above its start of 1:"),
        (EXAMPLES[1], 5.0, "infinite or no number after 4 updates"),
        (curves([2.0] * 18 + [4.5e11] * 2), 4.5e11, "ends at 4.5·10¹¹, above its start of 2:"),
        (EXAMPLES[2], math.nan, "infinite or no number after 1 updates"),
    ],
)
def test_the_last_finite_loss_is_told(run: Curves, last: float, words: str) -> None:
    found = rules["lr_too_large"].find(run)
    assert found is not None
    assert found.numbers["last_loss"] == pytest.approx(last, nan_ok=True)
    assert found.numbers["largest_lr"] == 0.1
    assert words in rules["lr_too_large"].explain(found.numbers, None, found.step, CLASSES)


@pytest.mark.parametrize(("lr", "advice"), [(10.0, "Try a tenth of it."), (11.0, "the optimizer's default, 0.1.")])
@pytest.mark.parametrize("diagnosed", [True, False])
def test_its_advice_is_a_tenth_or_the_default_where_a_tenth_is_too_large_as_well(
    lr: float, advice: str, diagnosed: bool
) -> None:
    found = rules["lr_too_large"].find(curves([1.0] * 18 + [1.3] * 2, lr=lr))
    assert found is not None
    text = rules["lr_too_large"].explain(found.numbers, None, found.step, replace(CLASSES, diagnosed=diagnosed))
    assert advice in text
    assert ("`diagnostics`" in text) != diagnosed


def test_a_spike_or_a_run_that_has_hardly_begun_is_healthy() -> None:
    find = rules["lr_too_large"].find
    assert find(curves([1.0] * 29 + [99.0])) is None
    assert find(curves([1.0] * 18 + [1.19] * 2)) is None
    assert find(curves([1.0] * 8 + [1.3])) is None
    assert find(curves([0.0] * 18 + [1.3] * 2)) is None
