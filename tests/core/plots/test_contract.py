"""Every plot draws every kind of experiment, without a warning, from JSON alone, and data of some kind at least."""

import json

import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from core.plots import Look, Plot, picture, pictures
from tests.core.entries import of, parse
from tests.core.plots.conftest import MakeResults
from tests.core.plots.kinds import GRIDS, KINDS
from tests.core.plots.looking import assert_drawn, assert_texts_apart
from tests.thorough import EVERY

ALL_KINDS = KINDS | GRIDS
DRAWN: set[str] = set()
"""Sentences in the place of data: a picture of one is much like the next, and nearly half of all have one."""


@pytest.mark.thin(4)
@pytest.mark.slow  # `make quick` draws what suits, in the test below
@of("plot")
@pytest.mark.parametrize("kind", ALL_KINDS)
def test_every_plot_draws_every_kind_of_experiment(experiment: MakeResults, kind: str, name: str) -> None:
    plot: Plot = parse("plot", name).build()

    data = plot.data(ALL_KINDS[kind](experiment))

    assert "N = " in data["caption"]
    assert "diverged" in data["caption"]
    why_empty = data.get("empty", "")
    if why_empty in DRAWN and not EVERY:
        return
    figure = plot.draw(json.loads(json.dumps(data, allow_nan=False)))
    assert_drawn(figure)
    assert_texts_apart(figure)
    if why_empty:
        DRAWN.add(why_empty)


@of("plot")
def test_every_plot_draws_data_of_some_kind_of_experiment(experiment: MakeResults, name: str) -> None:
    plot: Plot = parse("plot", name).build()
    applies = False
    for make in ALL_KINDS.values():
        results = make(experiment)
        if plot.applies(results.design):
            applies = True
            if shows_data(plot.draw(plot.data(results))):
                return
    assert applies, f"{name!r} applies to no kind of experiment: add one to tests/core/plots/kinds.py"
    pytest.fail(f"{name!r} draws no line, area, bar or image of any kind in tests/core/plots/kinds.py")


@pytest.mark.thorough
@of("plot")
@pytest.mark.parametrize("look", [Look(), Look("dark", width=900)], ids=["usual", "dark"])
def test_both_formats_of_one_drawing_are_those_of_two(experiment: MakeResults, name: str, look: Look) -> None:
    plot: Plot = parse("plot", name).build()
    results = next(made for kind in ALL_KINDS.values() if plot.applies((made := kind(experiment)).design))
    data = plot.data(results)
    one = pictures(plot.draw, data, look=look)
    assert one == {form: picture(plot.draw, data, form, look) for form in ("png", "svg")}


def shows_data(figure: Figure) -> bool:
    """Return whether a line, area, bar or image lies in the coordinates of the data, along both axes."""
    return any(_is_of_data(artist, axes) for axes in figure.axes for artist in axes.get_children())


def _is_of_data(artist: Artist, axes: Axes) -> bool:
    if isinstance(artist, AxesImage):
        return True
    if isinstance(artist, Collection):  # axes.transData too for points, whose own transform is that of their marker
        return bool(np.isfinite(artist.get_datalim(axes.transData).get_points()).all())
    if not isinstance(artist, Line2D | Patch):
        return False
    if artist.get_transform().contains_branch_seperately(axes.transData) != (True, True):
        return False  # a rule across the axes, a spine, the paper
    vertices = artist.get_xydata() if isinstance(artist, Line2D) else artist.get_path().vertices
    return bool(np.isfinite(np.asarray(vertices)).all(axis=1).any())


@pytest.mark.parametrize("drawn", ["page", "axes", "rules", "nan"])
def test_a_figure_without_data_shows_none(drawn: str) -> None:
    figure = Figure()
    if drawn != "page":
        axes = figure.add_subplot()
        axes.text(0.5, 0.5, "nothing measured")
    if drawn == "rules":
        axes.axhline(0)
        axes.axvline(0)
    if drawn == "nan":
        axes.plot([0, 1], [np.nan, np.nan])
        axes.plot([], [])
    assert not shows_data(figure)
