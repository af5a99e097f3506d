"""A picture has the size that was asked for, and is no less readable."""

import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import InvalidSpec
from core.plots import Look, picture, plots, render
from core.plots.drawing.fit import _stretch, fit
from core.plots.drawing.render import pixels
from tests.core.plots.conftest import MakeResults
from tests.core.plots.kinds import GRIDS, KINDS, arms, series
from tests.core.plots.looking import assert_texts_apart

pytestmark = pytest.mark.slow


def drawn(results: Any, name: str, look: Look, format: Any = "png") -> bytes:  # noqa: A002
    plot = plots.parse(name).build()
    return picture(plot.draw, plot.data(results), format, look)


def size(png: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(png)).size


@pytest.mark.parametrize(
    ("name", "width", "height"),
    [*((name, 1920, 1080) for name in plots), *((name, 700, 1400) for name in ("convergence", "forest", "heatmap"))],
)
def test_width_and_height_are_exact_and_nothing_comes_to_overlap(
    experiment: MakeResults, name: str, width: int, height: int
) -> None:
    plot = plots.parse(name).build()
    figure = plot.draw(plot.data(GRIDS["a grid of two"](experiment)))

    natural = figure.get_size_inches()

    fit(figure, width, height)

    assert (figure.get_size_inches() >= natural).all()
    assert pixels(figure) == (width, height)
    figure.set_dpi(72)  # what is apart at one resolution is apart at each
    render(figure, "png")  # places what stands at axes
    assert_texts_apart(figure)


def test_what_is_drawn_takes_all_of_the_growth() -> None:
    """Of ten inches four are axes, in two parts; with fourteen they have eight, and each margin what it had."""
    move = _stretch(10.0, 14.0, [(0.1, 0.4), (0.5, 0.6)])

    inches = 14 * move(np.array([0.0, 0.1, 0.4, 0.5, 0.6, 1.0]))

    assert np.diff(inches) == pytest.approx([1.0, 6.0, 1.0, 2.0, 4.0])


@pytest.mark.parametrize(("width", "height"), [(333, 222), (1111, 1234)])
def test_no_pixel_is_lost(experiment: MakeResults, width: int, height: int) -> None:
    assert size(drawn(KINDS["two arms"](experiment), "accuracy", Look(width=width, height=height))) == (width, height)


def test_with_one_of_them_the_proportions_stay(experiment: MakeResults) -> None:
    results = KINDS["two arms"](experiment)
    natural = size(drawn(results, "loss", Look()))

    wide, tall = size(drawn(results, "loss", Look(width=1000))), size(drawn(results, "loss", Look(height=1000)))

    assert (wide[0], tall[1]) == (1000, 1000)
    assert wide[1] / wide[0] == pytest.approx(natural[1] / natural[0], abs=1e-3)
    assert tall[1] / tall[0] == pytest.approx(natural[1] / natural[0], abs=1e-3)


def test_the_resolution_scales_all_but_a_size_in_pixels(experiment: MakeResults) -> None:
    results = KINDS["two arms"](experiment)

    fine, coarse = (drawn(results, "loss", Look(dpi=dpi)) for dpi in (200, 100))
    fixed = drawn(results, "loss", Look(width=800, dpi=300))

    assert size(fine) == pytest.approx([2 * n for n in size(coarse)], abs=2)
    assert size(fixed)[0] == 800
    assert Image.open(io.BytesIO(fixed)).info["dpi"] == pytest.approx((300, 300), rel=1e-3)


def test_an_svg_says_its_size_in_pixels_and_keeps_its_shape(experiment: MakeResults) -> None:
    svg = drawn(KINDS["two arms"](experiment), "loss", Look(width=1200, height=500), "svg").decode()

    width, height, wide, high = (
        float(n)
        for n in re.search(r'width="([\d.]+)" height="([\d.]+)" viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()  # type: ignore[union-attr]
    )
    assert (width, height) == (1200, 500)
    assert wide / high == pytest.approx(1200 / 500, rel=1e-4)


def test_too_many_pixels_are_refused_with_what_would_do(experiment: MakeResults) -> None:
    results = experiment(arms(*map(str, range(24))), series(5, 1))

    with pytest.raises(InvalidSpec) as refused:
        drawn(results, "weights", Look(dpi=600))

    [problem] = refused.value.problems
    assert problem.path == "dpi"
    most = int(re.search(r"can have (\d+)$", problem.message).group(1))  # type: ignore[union-attr]
    assert drawn(results, "weights", Look(dpi=most), "svg").startswith(b"<?xml")
    with pytest.raises(InvalidSpec):
        drawn(results, "weights", Look(dpi=most + 1))


def test_a_tall_picture_of_a_great_width_is_refused_too(experiment: MakeResults) -> None:
    results = experiment(arms(*map(str, range(24))), series(5, 1), model={"name": "mlp", "hidden": []})

    with pytest.raises(InvalidSpec) as refused:
        drawn(results, "weights", Look(width=4000))

    assert refused.value.problems[0].path == "width"
