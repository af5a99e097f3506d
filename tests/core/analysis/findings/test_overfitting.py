"""A validation loss that rises while the training split is fitted."""

import math

import pytest

from core.analysis.findings import Curves, rules
from tests.core.analysis.findings.evidence import curves

FITS, WORSE = (0.8, 0.9, 1.0), (0.7, 0.8, 0.75)
EXAMPLES = [
    curves(valid_loss=[1.0, 0.5, 0.6], train_score=FITS, valid_score=WORSE),
    curves(valid_loss=[1.0, 0.5, 0.6], train_score=FITS, valid_score=WORSE, regression=True),
]


@pytest.mark.parametrize(
    "run",
    [
        curves(valid_loss=[1.0, 0.5, 0.54], train_score=FITS),
        curves(valid_loss=[0.1, 0.05, 0.06], train_score=FITS),
        curves(valid_loss=[1.0, 0.5, 0.6], train_score=FITS, valid_score=(0.7, 0.8, 0.79), regression=True),
        curves(valid_loss=[1.0, 0.5, 0.6], train_score=(0.8, 0.9, 0.85)),
        curves(valid_loss=[1.0, 0.5, 0.6], train_score=(0.8, 0.9, math.nan)),
        curves(valid_loss=[0.5, 0.6], train_score=(0.8, 0.9)),
        curves(valid_loss=[math.inf, 0.5, 0.6], train_score=FITS),
        curves(valid_loss=[1.0, 0.5, 0.6], train_score=FITS, diverged=True),
        curves(valid_loss=[1.0, 0.5, 0.6], train_score=(), valid_score=WORSE),
        curves(valid_loss=[1.0, 0.5, 0.6], train_score=FITS, valid_score=(0.7,)),
    ],
    ids=[
        *("a tenth", "an amount", "R2", "not fitted", "not known", "few epochs", "not finite", "diverged"),
        *("no training score", "scores of some epochs"),
    ],
)
def test_within_the_bounds_it_is_healthy(run: Curves) -> None:
    assert rules["overfitting"].find(run) is None


def test_the_lowest_loss_and_the_last_are_told() -> None:
    found = rules["overfitting"].find(EXAMPLES[0])
    assert found is not None
    assert found.numbers == {
        "best_valid_loss": 0.5,
        "last_valid_loss": 0.6,
        "best_epoch": 1,
        "train": 1.0,
        "valid": 0.75,
    }
