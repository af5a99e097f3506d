"""Which numbers stand at a logarithmic axis."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from core.plots.drawing.frames import set_axis
from core.plots.drawing.log_ticks import log_ticks, symlog_ticks
from tests.core.plots.looking import assert_texts_apart


@pytest.mark.parametrize(
    ("low", "high", "numbers"),
    [
        (0.5, 200, [1, 10, 100]),
        (1e-5, 1, [1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1]),
        (1.1, 99, [2, 5, 10, 20, 50]),
        (0.09, 5.5, [0.1, 0.2, 0.5, 1, 2, 5]),
        (0.19, 0.9, [0.2, 0.3, 0.5, 0.7]),
        (2.1, 3.2, [2.25, 2.5, 2.75, 3.0]),
        (1e-30, 1e30, [1e-24, 1e-16, 1e-8, 1, 1e8, 1e16, 1e24]),
    ],
)
def test_there_are_enough_and_not_too_many(low: float, high: float, numbers: list[float]) -> None:
    assert log_ticks(low, high, 8)[0] == pytest.approx(numbers)


def test_where_there_is_little_room_there_are_fewer() -> None:
    assert log_ticks(0.09, 5.5, 4)[0] == pytest.approx([0.1, 0.3, 1, 3])
    assert log_ticks(1, 1e8, 4)[0] == pytest.approx([1, 100, 1e4, 1e6, 1e8])


def test_every_range_has_three_to_ten() -> None:
    random = np.random.default_rng(0)
    for low, ratio in zip(10 ** random.uniform(-30, 30, 500), 10 ** random.uniform(0.01, 40, 500), strict=True):
        ticks, _ = log_ticks(low, low * ratio, 8)
        assert 3 <= len(ticks) <= 10, (low, low * ratio)
        assert ticks == sorted(ticks)
        assert low * (1 - 1e-6) <= ticks[0]
        assert ticks[-1] <= low * ratio * (1 + 1e-6)


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize(
    "limits",
    [(1.0001e7, 1.0009e7), (0.20001, 0.20009), (1.01e-9, 1.09e-9), (123_456.001, 123_456.009), (0.2, 0.2 + 1e-9)],
)
def test_numbers_that_are_near_one_another_are_written_apart(limits: tuple[float, float], scale: str) -> None:
    axes = Figure().add_subplot()
    set_axis(axes, "y", {"label": "", "scale": scale, "kind": "number", "limits": limits})
    written = [axes.yaxis.get_major_formatter()(value, 0) for value in axes.yaxis.get_major_locator()()]
    assert len(set(written)) == len(written) >= 3


@pytest.mark.parametrize(
    ("low", "high", "within", "numbers"),
    [
        (-106, 100, 0.01, [-10, -0.1, 0, 0.1, 10]),
        (-0.2, 30, 1, [0, 1, 10]),
        (-1e6, 500, 0.1, [-1e6, -1e4, -100, -1, 0, 1, 100]),
        (-3, 3, 1, [-1, 0, 1]),
        (-1e30, 1e30, 1, [-1e23, -1e15, -1e7, 0, 1e7, 1e15, 1e23]),
    ],
)
def test_both_sides_of_zero_have_powers_of_ten_that_stand_apart(
    low: float, high: float, within: float, numbers: list[float]
) -> None:
    assert symlog_ticks(low, high, within, 8) == pytest.approx(numbers)
    figure = Figure(figsize=(3.6, 2))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.1, 0.3, 0.8, 0.6))
    for which in "xy":
        about = {"label": "", "scale": "symlog", "linear_within": within, "kind": "number", "limits": (low, high)}
        set_axis(axes, which, about)
    assert_texts_apart(figure)
