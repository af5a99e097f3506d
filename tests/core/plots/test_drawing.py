"""Promises that all pictures share: few points, the same bytes, safe labels, threads, and previews."""

import re
import threading
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from scipy import stats

from core.initializers import Layer, initializers, preview
from core.plots import plots, render
from core.plots.previews import draw_initializer, draw_schedule
from tests.core.plots.conftest import MakeResults
from tests.core.plots.kinds import KINDS, arms, series
from tests.core.plots.looking import assert_drawn, assert_texts_apart

SVG = "http://www.w3.org/2000/svg"


@pytest.mark.parametrize("name", list(plots))
def test_lines_have_at_most_a_thousand_points(experiment: MakeResults, name: str) -> None:
    data = plots.parse(name).build().data(KINDS["long run"](experiment))

    for panel in data.get("panels", []):
        assert all(len(line["x"]) <= 1_000 for line in panel.get("lines", []))


@pytest.mark.parametrize("format", ["png", "svg"])
def test_the_same_data_give_the_same_bytes(experiment: MakeResults, format: Any) -> None:  # noqa: A002
    plot = plots.parse("loss").build()
    data = plot.data(KINDS["two arms"](experiment))

    assert render(plot.draw(data), format) == render(plot.draw(data), format)


def test_a_label_cannot_put_elements_into_the_svg(experiment: MakeResults) -> None:
    results = experiment(arms("--><script>alert(1)</script>", "b"), series(5, 1), epochs=1)

    plot = plots.parse("accuracy").build()
    svg = render(plot.draw(plot.data(results)), "svg").decode()

    assert not re.search("<script", re.sub("<!--.*?-->", "", svg, flags=re.DOTALL))
    texts = ["".join(one.itertext()) for one in ET.fromstring(svg).iter(f"{{{SVG}}}text")]  # noqa: S314 it is ours
    assert "--><script>alert(1)</script>" in texts


def test_matplotlib_s_settings_stay_as_they_were(experiment: MakeResults) -> None:
    plot = plots.parse("comparison").build()

    with mpl.rc_context({"axes.edgecolor": "red", "text.parse_math": True, "axes.grid": False}):
        before = dict(mpl.rcParams)
        render(plot.draw(plot.data(KINDS["two arms"](experiment))), "svg")
        assert dict(mpl.rcParams) == before


def test_threads_do_not_disturb_each_other(experiment: MakeResults) -> None:
    plot = plots.parse("accuracy").build()
    data = plot.data(KINDS["two arms"](experiment))
    alone = render(plot.draw(data), "svg")
    found: list[bytes] = []

    threads = [threading.Thread(target=lambda: found.append(render(plot.draw(data), "svg"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [alone] * 4


@pytest.mark.parametrize("rates", [[0.1], [0.1] * 5, list(0.1 * 0.9 ** np.arange(20_000)), [0.0, 0.0], []])
def test_a_schedule_s_preview_is_drawn(rates: list[float]) -> None:
    assert_drawn(draw_schedule({"lr": rates}))


@pytest.mark.parametrize(
    "entry",
    [
        "zeros",
        "ones",
        "he_normal",
        "he_uniform",
        {"name": "uniform", "low": 0.0, "high": 1.0},
        {"name": "uniform", "low": -3.0, "high": -2.0},
        {"name": "normal", "mean": 2.0, "std": 0.1},
        {"name": "normal", "mean": 0.0, "std": 0.0},
        *("truncated_normal", "orthogonal", "identity", "zero_init", "lsuv"),
    ],
)
def test_an_initializer_s_preview_is_drawn(entry: Any) -> None:
    data = preview(initializers.parse(entry), Layer((32, 16)), seed=0, bins=20)

    assert_drawn(draw_initializer(data))


def test_a_uniform_law_s_density_has_the_sample_s_area() -> None:
    data = preview(initializers.parse({"name": "uniform", "low": -3.0, "high": -2.0}), Layer((64, 64)), seed=0, bins=16)

    [axes] = draw_initializer(data).axes
    law = next(line for line in axes.lines if "law" in str(line.get_label()))
    x, y = np.asarray(law.get_xdata()), np.asarray(law.get_ydata())

    assert (x[0], x[-1]) == pytest.approx((-3.0, -2.0), abs=0.01)
    assert y.max() == pytest.approx(64 * 64 / 16, rel=0.01)


@pytest.mark.parametrize(
    ("entry", "law"),
    [
        ({"name": "normal", "mean": 0.0, "std": 0.1}, stats.norm(0, 0.1)),
        ({"name": "truncated_normal", "mean": -1.0, "std": 0.1}, stats.truncnorm(-2, 2, -1.0, 0.1)),
    ],
)
def test_a_normal_law_s_density_is_scipy_s(entry: Any, law: Any) -> None:
    data = preview(initializers.parse(entry), Layer((64, 64)), seed=0, bins=16)

    [axes] = draw_initializer(data).axes
    line = next(line for line in axes.lines if "law" in str(line.get_label()))
    edges = np.array(data["histogram"]["edges"])

    expected = law.pdf(np.asarray(line.get_xdata())) * 64 * 64 * (edges[1] - edges[0])
    assert np.asarray(line.get_ydata()) == pytest.approx(expected, rel=1e-9)


def test_schedules_that_are_compared_are_named_and_the_same_ones_together() -> None:
    step = {"name": "step", "step_size": 3}
    compared = [
        {"schedule": step | {"gamma": 0.5}, "lr": [0.1, 0.05]},
        {"schedule": step | {"gamma": 0.1}, "lr": [0.1, 0.01]},
        {"schedule": {"name": "lambda"}, "lr": [0.1, 0.1]},
    ]

    figure = draw_schedule({"schedule": {"name": "constant"}, "lr": [0.1, 0.1], "compared": compared})

    texts = {text.get_text() for text in figure.texts}
    assert {"constant = lambda", "step(gamma=0.5)", "step(gamma=0.1)"} <= texts
    assert_drawn(figure)
    assert_texts_apart(figure)


def test_arms_whose_lines_are_the_same_take_turns(experiment: MakeResults) -> None:
    """Networks that begin with zeros or ones do not learn: one line would hide the other."""
    stuck = {"valid_loss": lambda a, s: [2.3, 2.3, 2.3] if a < 2 else [2.3, 1.0 + s, 0.5]}
    data = plots.parse("loss").build().data(experiment(arms("zeros", "ones", "he"), stuck, epochs=3))
    axes = plots.parse("loss").build().draw(data).axes[1]
    first, second, third = [line for line in axes.lines if len(line.get_xdata()) == 3 and line.get_linewidth() > 1]
    (start, (dash, gap)), (other, pattern) = (line._unscaled_dash_pattern for line in (first, second))
    assert (gap, pattern) == (dash, (dash, gap))
    assert abs(other - start) == dash, "one is drawn where the other is not"
    assert third.get_linestyle() == "-"


def test_a_long_name_is_wrapped_and_nothing_of_it_is_cut(experiment: MakeResults) -> None:
    name = " ".join(f"WWWW{i}" for i in range(17))
    data = plots.parse("loss").build().data(experiment(arms(name, "b"), series(5, 1), epochs=1))
    figure = plots.parse("loss").build().draw(data)
    texts = [text.get_text() for text in figure.texts]
    assert not any("…" in text for text in texts)
    assert name.split() == [word for text in texts for word in text.split() if word.startswith("WWWW")]
