"""One notation for a mean and its interval."""

from typing import Any

import pytest

from core.plots.drawing.estimates import Ends, estimate


@pytest.mark.parametrize(
    ("mean", "ends", "written"),
    [
        (-4.05e-4, (-0.0515, 0.0507), "−0.0004 (−0.0515 to 0.0507)"),
        (0.3123, (0.2987, 0.3259), "0.312 (0.299 to 0.326)"),
        (500.0, (499.987, 500.013), "500.000 (499.987 to 500.013)"),
        (1234.5, (1111.1, 1358.0), "1,234 (1,111 to 1,358)"),
        (3.2e11, (-1e9, 6.1e11), "3.20·10¹¹ (−0.01·10¹¹ to 6.10·10¹¹)"),
        (-2e-7, (-3e-7, -1e-7), "−2.00·10⁻⁷ (−3.00·10⁻⁷ to −1.00·10⁻⁷)"),
        (0.0, (0.0, 0.0), "0 (0 to 0)"),
        (0.25, (None, None), "0.250"),
        (1e-20, (-1.0, 1.0), "0.00 (−1.00 to 1.00)"),
    ],
)
def test_all_of_them_are_written_alike(mean: float, ends: Ends, written: str) -> None:
    assert estimate(mean, ends) == written


def test_shares_have_the_decimals_that_they_have_elsewhere() -> None:
    about: Any = {"unit": 100, "decimals": 1}
    assert estimate(0.012, (-0.001, 0.025), **about) == "1.2 (−0.1 to 2.5)"
    assert estimate(0.012, (-0.001, 0.025), signed=True, **about) == "+1.2 (−0.1 to +2.5)"
