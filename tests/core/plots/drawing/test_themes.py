"""Colours that can be read and told apart, in both themes and by every eye."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import Collection
from matplotlib.colors import to_hex, to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Annotation, Text

from core.plots import Look, picture, plots
from core.plots.drawing.styles import styled, themed
from core.plots.drawing.themes import LIGHT, THEMES, Theme
from tests.core.plots.conftest import MakeResults
from tests.core.plots.kinds import GRIDS, KINDS
from tests.core.plots.looking import written

Rgb = Any

# Machado, Oliveira & Fernandes 2009, doi:10.1109/TVCG.2009.113: severity 1.0, on linear RGB.
EYES = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "all cones": np.eye(3).tolist(),
}


def linear(colour: Any) -> Rgb:
    """IEC 61966-2-1."""
    c: Rgb = np.array(to_rgb(colour), dtype=np.float64)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(a: Any, b: Any) -> float:
    """WCAG 2.2, contrast ratio: (L1 + 0.05) / (L2 + 0.05)."""
    light, dark = sorted((linear(c) @ [0.2126, 0.7152, 0.0722] for c in (a, b)), reverse=True)
    return float((light + 0.05) / (dark + 0.05))


def lab(rgb: Rgb) -> Rgb:
    """CIE 1976 L*a*b* of linear RGB, D65."""
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    t = np.array(to_xyz) @ np.clip(rgb, 0, 1) / [0.95047, 1.0, 1.08883]
    x, y, z = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_the_contrast_is_that_of_the_standard() -> None:
    assert contrast("white", "black") == pytest.approx(21.0)
    assert contrast("#777777", "white") == pytest.approx(4.48, abs=0.005)  # the standard's well-known near miss


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_text_can_be_read_on_its_ground(theme: Theme) -> None:
    assert contrast(theme.ink, theme.paper) >= 7  # AAA
    assert contrast(theme.grey, theme.paper) >= 4.5  # AA


def test_in_the_dark_every_line_stands_out() -> None:
    assert min(contrast(colour, THEMES["dark"].paper) for colour in THEMES["dark"].colours) >= 4


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_every_two_colours_are_told_apart_by_every_eye(theme: Theme, eye: str) -> None:
    """A difference of 2.3 is just noticed (Mahy et al. 1994, doi:10.1002/col.5080190205); here it is four times."""
    seen = [lab(np.array(EYES[eye]) @ linear(colour)) for colour in theme.colours]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 4 * 2.3


@pytest.mark.slow
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", list(plots))
def test_every_text_of_every_picture_can_be_read(experiment: MakeResults, name: str, theme: str) -> None:
    plot = plots.parse(name).build()
    with themed(theme):
        figure = plot.draw(plot.data(GRIDS["a grid of two"](experiment)))

    for text in written(figure):
        assert contrast(text.get_color(), ground(text, figure)) >= 4.5, text.get_text()


def ground(text: Text, figure: Figure) -> Any:
    """The colour behind a text: that of the cell of a heat map it stands in, or the paper."""
    if isinstance(text, Annotation) and text.axes is not None and text.xycoords == "data":
        for patch in text.axes.patches:
            if patch.contains_point(tuple(text.axes.transData.transform(text.xy))):
                return to_rgb(patch.get_facecolor())
    return to_rgb(figure.get_facecolor())


@pytest.mark.parametrize("name", list(plots))
def test_nothing_of_the_light_theme_is_left_in_the_dark(experiment: MakeResults, name: str) -> None:
    plot = plots.parse(name).build()
    with themed("dark"):
        figure = plot.draw(plot.data(KINDS["one run diverged"](experiment)))

    left = {to_hex(colour) for colour in colours(figure)} & {*LIGHT[:-1], *LIGHT.colours}
    assert not left


def colours(figure: Figure) -> list[Any]:
    """Every visible colour of every artist."""
    found: list[Any] = []
    arrows = [text.arrow_patch for text in figure.findobj(Annotation) if text.arrow_patch is not None]
    for artist in [*figure.findobj(), *arrows]:
        if isinstance(artist, Text):
            found += [artist.get_color()] if artist.get_text() else []
        elif isinstance(artist, Line2D):
            found += [artist.get_color(), artist.get_markerfacecolor(), artist.get_markeredgecolor()]
        elif isinstance(artist, Patch):
            found += [artist.get_facecolor(), artist.get_edgecolor()]
        elif isinstance(artist, Collection):
            found += [*artist.get_facecolor(), *artist.get_edgecolor()]
    return [one for one in map(to_rgba, found) if one[3] > 0]


def test_the_light_theme_is_what_is_drawn() -> None:
    @styled
    def draw() -> Figure:
        figure = Figure(facecolor=LIGHT.paper)
        figure.text(0, 0, "a", color=LIGHT.ink)
        figure.text(0, 0, "b", color="#123456")
        return figure

    with themed("light"):
        light = draw()
    with themed("dark"):
        dark = draw()

    assert [text.get_color() for text in light.texts] == [LIGHT.ink, "#123456"]
    assert [to_hex(text.get_color()) for text in dark.texts] == [THEMES["dark"].ink, "#123456"]
    assert to_hex(dark.get_facecolor()) == THEMES["dark"].paper


@pytest.mark.parametrize("format", ["png", "svg"])
def test_the_ground_is_the_theme_s(
    experiment: MakeResults,
    format: Any,  # noqa: A002
    pixels: Callable[[bytes], Any],
) -> None:
    plot = plots.parse("accuracy").build()
    drawn = picture(plot.draw, plot.data(KINDS["two arms"](experiment)), format, Look(theme="dark"))

    if format == "svg":
        assert THEMES["dark"].paper.encode() in drawn
        assert not any(colour.encode() in drawn for colour in (LIGHT.ink, LIGHT.grey, LIGHT.paper))
    else:
        image = pixels(drawn)
        assert (image == np.round(np.array(to_rgb(THEMES["dark"].paper)) * 255)).all(axis=2).mean() > 0.7
