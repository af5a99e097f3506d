"""Numbers as people write them."""

import math

import pytest

from core.numerals import plain


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"),
        (1.5, "1.5"),
        (12_345.0, "12,345"),
        (1.05e8, "105,000,000"),
        (0.00012, "0.00012"),
        (4.6e-7, "4.6·10⁻⁷"),
        (3e12, "3·10¹²"),
        (1e12, "10¹²"),
        (-1e-9, "-10⁻⁹"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (math.nan, "no number"),
    ],
)
def test_very_small_and_very_large_ones_have_a_power_of_ten(value: float, written: str) -> None:
    assert plain(value) == written


def test_as_many_digits_as_are_asked_for() -> None:
    assert [plain(x, digits=3) for x in (0.123456, 1234.5, 4.5678e11)] == ["0.123", "1,234", "4.57·10¹¹"]
    assert [plain(x, signed=True) for x in (0.5, 1e-9, -2e10)] == ["+0.5", "+10⁻⁹", "-2·10¹⁰"]
