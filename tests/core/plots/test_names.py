"""What arms are called in pictures, which of very many are drawn, and how numbers stand at an axis."""

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from core.plots import plots
from core.plots.drawing.curves import arms_drawn
from core.plots.drawing.frames import set_axis
from core.plots.drawing.names import in_full, joined, short_names
from core.plots.drawing.text import wrap
from core.results import Results
from tests.core.plots.conftest import MakeResults, arms
from tests.core.plots.looking import assert_drawn, assert_texts_apart


def gridded(make: MakeResults, **grid: Any) -> Results:
    return make(None, {"valid_accuracy": lambda a, s: [0.5 + a / 100 + s / 1000]}, seeds=3, grid=grid)


def test_a_cell_of_a_grid_is_called_by_what_others_have_otherwise(experiment: MakeResults) -> None:
    results = gridded(
        experiment, initializer=["he_normal", "glorot_normal"], batch_size=[32, 128], **{"optimizer.lr": [0.1]}
    )

    assert list(short_names(results.design).values()) == [
        "he_normal · batch_size=32", "he_normal · batch_size=128",
        "glorot_normal · batch_size=32", "glorot_normal · batch_size=128",
    ]  # fmt: skip
    data = plots.parse("comparison").build().data(results)
    assert (data["rows"][0]["shown"], data["reference_shown"]) == (("glorot_normal · batch_size=128",) * 2)
    assert data["rows"][0]["label"] == "initializer=glorot_normal, batch_size=128, optimizer.lr=0.1"


def test_arms_that_somebody_named_keep_their_names(experiment: MakeResults) -> None:
    assert short_names(experiment(arms("a, b", "c"), {}).design) == {"a, b": "a, b", "c": "c"}


def test_names_that_have_commas_are_not_joined_by_them() -> None:
    assert joined(["step_size=3, gamma=0.1", "b"], 5) == "step_size=3, gamma=0.1 = b"
    assert joined(["a", "b"], 2) == "all 2 arms"
    assert joined([*"abcd"], 9) == "a = b and 2 more"


def test_a_caption_says_how_many_names_it_has_not() -> None:
    names = [f"arm {i}" for i in range(40)]
    told = in_full([names, ["a", "b"], names[:24]])
    assert told.startswith("In full: arm 0 = arm 1 = ")
    assert " = arm 23 and 16 more; arm 0 = " in told
    assert told.endswith(" = arm 23.")


def test_long_names_are_wrapped_at_their_parts() -> None:
    lines = wrap("initializer=he_normal_with_a_long_name", 9, 1.2)

    assert "".join(lines) == "initializer=he_normal_with_a_long_name"
    assert all(line.endswith(("=", "_")) for line in lines[:-1])


def test_the_only_arm_that_differs_is_drawn_however_bad(experiment: MakeResults) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.01, (40, 10))
    results = experiment(
        arms(*map(str, range(40))),
        {"valid_accuracy": lambda a, s: [(0.3 if a == 7 else 0.9) + noise[a, s]]},
        seeds=10,
    )

    found = arms_drawn(results)

    assert "7" in found.labels
    assert len(found.labels) == 24
    assert "23 best of 40 arms" in found.note
    assert [row["label"] for row in plots.parse("forest").build().data(results)["rows"]].count("7") == 1


@pytest.mark.parametrize(
    ("limits", "scale", "values", "written"),
    [
        ((1e-5, 1.0), "log", [1e-4, 0.01, 1.0], ["10⁻⁴", "10⁻²", "10⁰"]),
        ((0.01, 100.0), "log", [0.01, 1.0], ["0.01", "1"]),
        ((0.0, 0.002), "linear", [0.0, 0.0005, 0.001], ["0", "0.0005", "0.001"]),
        ((0.0, 4e-7), "linear", [0.0, 1e-7, 4e-7], ["0", "1·10⁻⁷", "4·10⁻⁷"]),
        ((0.0, 2e6), "linear", [500000.0, 1500000.0], ["0.5·10⁶", "1.5·10⁶"]),
    ],
)
def test_the_numbers_of_an_axis_have_one_notation(
    limits: tuple[float, float], scale: str, values: list[float], written: list[str]
) -> None:
    axes = Figure().add_subplot()
    set_axis(axes, "y", {"label": "", "scale": scale, "limits": limits})

    assert [axes.yaxis.get_major_formatter()(value, 0) for value in values] == written


def test_more_than_six_schedules_stand_apart(experiment: MakeResults) -> None:
    given = [{"label": f"arm {i}", "schedule": {"name": "exponential", "gamma": 1 - i / 100}} for i in range(8)]
    results = experiment(given, {"lr": lambda a, _s: (1 - a / 100) ** np.arange(10)})
    plot = plots.parse("schedule").build()

    apart, together = plot.data(results), plot.data(results.of_arms([f"arm {i}" for i in range(6)]))

    assert [panel["title"] for panel in apart["panels"]] == [f"arm {i}" for i in range(8)]
    assert apart["panels"][3]["note"] == "exponential(gamma=0.97)"
    assert len({str(panel["y"]) for panel in apart["panels"]}) == 1
    assert len(together["panels"]) == 1
    assert together["arms"][3]["note"] == "exponential(gamma=0.97)"
    for data in (apart, together):
        figure = plot.draw(data)
        assert_drawn(figure)
        assert_texts_apart(figure)
