"""Every plot draws every kind of experiment, without a warning, from JSON alone."""

import itertools
import json
import re
import threading
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from scipy import stats

from core.initializers import Layer, initializers, preview
from core.plots import draw_initializer_preview, draw_schedule_preview, plots, render
from core.results import Results

MakeResults = Callable[..., Results]


def losses(steps: int) -> Callable[[int, int], Any]:
    return lambda a, s: (2.3 + s / 10) * np.exp(-(a + 1) * np.arange(steps) / steps)


def accuracies(epochs: int) -> Callable[[int, int], Any]:
    return lambda a, s: 1 - 0.9 * np.exp(-(a + 1 + s / 10) * np.arange(1, epochs + 1) / epochs)


def series(steps: int, epochs: int, **other: Any) -> dict[str, Any]:
    whole = {"train_loss": losses(steps), "lr": lambda *_: np.full(steps, 0.1)}
    each = {"valid_loss": losses(epochs), "train_accuracy": accuracies(epochs), "valid_accuracy": accuracies(epochs)}
    return whole | each | other


def arms(*labels: str) -> list[dict[str, Any]]:
    laws = itertools.cycle(["he_normal", "zeros", "ones", "torch_default"])
    return [{"label": label, "initializer": law} for label, law in zip(labels, laws, strict=False)]


KINDS: dict[str, Callable[[MakeResults], Results]] = {
    "two arms": lambda make: make(arms("a", "b"), series(10, 2), seeds=5),
    "one arm, one seed, one update": lambda make: make(arms("a"), series(1, 1), seeds=1, epochs=1),
    "many arms": lambda make: make(arms(*map(str, range(24))), series(50, 5), epochs=5, seeds=3),
    "more arms than are drawn": lambda make: make(arms(*map(str, range(40))), series(5, 1), epochs=1),
    "long run": lambda make: make(arms("a", "b"), series(20_000, 250), epochs=250, seeds=3),
    "labels of any kind": lambda make: make(
        arms("x" * 120, "word " * 24, "$a_1^$ \\frac", "<b>&amp;|", "初期化 🎉", "שלום", "-->"),
        series(10, 2),
        name="x" * 120,
    ),
    "one run diverged": lambda make: make(
        arms("a", "b"),
        series(10, 2, train_loss=lambda a, s: [1.0, 1e38, np.nan] if (a, s) == (0, 0) else np.ones(10)),
        outcomes={(0, 0): "diverged"},
    ),
    "all runs diverged at once": lambda make: make(
        arms("a", "b"),
        {"train_loss": lambda *_: [np.nan], "lr": lambda *_: [0.1]},
        outcomes=dict.fromkeys(itertools.product((0, 1), (0, 1)), "diverged"),
    ),
    "nothing measured": lambda make: make(
        arms("a", "b"), {}, statuses=dict.fromkeys(itertools.product((0, 1), (0, 1)), "queued")
    ),
    "everything constant": lambda make: make(
        arms("a", "b"), series(5, 2) | dict.fromkeys(series(5, 2), lambda *_: [0.0, 0.0]), seeds=5
    ),
    "huge losses": lambda make: make(arms("a", "b"), series(5, 2, train_loss=lambda *_: [1e300, 1e-300, 0.0])),
    "not finite in the middle": lambda make: make(
        arms("a", "b"), series(5, 2, valid_loss=lambda *_: [np.inf, 1.0], train_loss=lambda *_: [1, np.nan, 2])
    ),
}


@pytest.mark.parametrize("name", list(plots))
@pytest.mark.parametrize("kind", KINDS)
def test_every_plot_draws_every_kind_of_experiment(experiment: MakeResults, kind: str, name: str) -> None:
    plot = plots.parse(name).build()

    data = plot.data(KINDS[kind](experiment))
    figure = plot.draw(json.loads(json.dumps(data, allow_nan=False)))

    assert "N = " in data["caption"]
    assert "diverged" in data["caption"]
    assert render(figure, "png").startswith(b"\x89PNG")
    assert_texts_apart(figure)


def assert_texts_apart(figure: Figure) -> None:
    """No two of title, caption, names of lines, and axes with their headings lie over one another or leave the page."""
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    boxes = [text.get_window_extent(renderer).padded(-1.5) for text in figure.texts if text.get_text()]
    areas = [box for axes in figure.axes for box in (axes.get_window_extent(renderer), *headings(axes, renderer))]
    for a, b in [*itertools.combinations(boxes, 2), *itertools.product(boxes, areas)]:
        assert not a.overlaps(b)
    page = figure.bbox.padded(1)
    assert all(page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1 for box in boxes)


def headings(axes: Axes, renderer: Any) -> list[Any]:
    texts = [
        child for child in (*axes.get_children(), axes.xaxis.label) if isinstance(child, Text) and child.get_text()
    ]
    return [
        text.get_window_extent(renderer).padded(-1.5) for text in texts if text.axes is axes and not inside(text, axes)
    ]


def inside(text: Text, axes: Axes) -> bool:
    """An annotation: it belongs to the lines and not to the page."""
    return text in axes.texts


@pytest.mark.parametrize("name", list(plots))
def test_lines_have_at_most_a_thousand_points(experiment: MakeResults, name: str) -> None:
    data = plots.parse(name).build().data(KINDS["long run"](experiment))

    for panel in data.get("panels", []):
        assert all(len(line["x"]) <= 1_000 for line in panel["lines"])


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
    assert render(draw_schedule_preview({"lr": rates}), "png").startswith(b"\x89PNG")


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

    assert render(draw_initializer_preview(data), "png").startswith(b"\x89PNG")


def test_a_uniform_law_s_density_has_the_sample_s_area() -> None:
    data = preview(initializers.parse({"name": "uniform", "low": -3.0, "high": -2.0}), Layer((64, 64)), seed=0, bins=16)

    [axes] = draw_initializer_preview(data).axes
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

    [axes] = draw_initializer_preview(data).axes
    line = next(line for line in axes.lines if "law" in str(line.get_label()))
    edges = np.array(data["histogram"]["edges"])

    expected = law.pdf(np.asarray(line.get_xdata())) * 64 * 64 * (edges[1] - edges[0])
    assert np.asarray(line.get_ydata()) == pytest.approx(expected, rel=1e-9)
