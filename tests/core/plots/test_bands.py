"""Ends of intervals as pictures draw them: of two runs, of shares, and of bands on an axis."""

import itertools
import re
from typing import Any

import numpy as np
import pytest

from core.plots import plot_data, plots
from core.plots.drawing.bands import SHARE, ends, with_cut_bands
from core.results import Results
from tests.core.plots.conftest import MakeResults
from tests.core.plots.kinds import GRID, KINDS, arms, series, small


def drawn(results: Results, name: str) -> dict[str, Any]:
    return plot_data(plots.parse(name).build().data, results)


def test_of_two_runs_the_two_are_drawn_and_of_more_what_a_share_can_be() -> None:
    assert ends(np.array([0.2, np.nan, 0.4]), -1.0, 1.6, SHARE) == (0.2, 0.4)
    assert ends(np.array([0.9, 0.9, 0.99]), 0.8, 1.05, SHARE) == (0.8, 1.0)
    assert ends(np.array([0.9]), np.nan, np.nan, SHARE) == (None, None)


def test_no_picture_draws_shares_that_cannot_be(experiment: MakeResults) -> None:
    for seeds in (2, 3):
        scores = lambda a, s: [0.1, (0.02, 0.98)[a] + (-1) ** s * 0.015]  # noqa: E731
        measured = series(10, 2, valid_accuracy=scores)
        results = small(experiment)(arms("a", "b"), measured, seeds=seeds)
        data = drawn(results, "comparison")
        for row in data["rows"]:
            assert 0 <= row["ci_low"] <= row["ci_high"] <= 1
            if seeds == 2:
                assert (row["ci_low"], row["ci_high"]) == (min(row["values"]), max(row["values"]))
        said = "of two runs their range" if seeds == 2 else "within 0 and 100 %"
        assert said in data["caption"]
        for line in drawn(results, "accuracy")["panels"][0]["lines"]:
            assert all(0 <= v <= 1 for end in ("low", "high") for v in line[end] or [])


@pytest.mark.parametrize("name", ["loss", "accuracy", "convergence", "generalization", "metrics"])
def test_a_band_has_room_or_the_caption_says_that_it_goes_on(experiment: MakeResults, name: str) -> None:
    apart = lambda a, s: np.array([2.0, 1.0]) + (0.0, 40.0, 0.1)[s] * 0.02 * (a + 1)  # noqa: E731
    measured = series(2, 2, valid_loss=apart, train_loss=apart, valid_macro_f1=lambda _, s: [0.5, 0.51 + 0.1 * s])
    data = drawn(small(experiment)(arms("a", "b"), measured, seeds=3), name)
    cut = any(
        value is not None and not panel["y"]["limits"][0] <= value <= panel["y"]["limits"][1]
        for panel in data["panels"]
        for line in panel["lines"]
        for end in ("low", "high")
        for value in line[end] or []
    )
    assert ("goes on beyond it" in data["caption"]) == cut


def test_what_is_cut_is_said() -> None:
    line = {"low": [0.5], "high": [2.0]}
    data: dict[str, Any] = {
        "caption": "N = 1.",
        "panels": [{"y": {"scale": "linear", "limits": (0.0, 1.0)}, "lines": [line]}],
    }
    assert with_cut_bands(data)["caption"].endswith("A band that ends at the picture's edge goes on beyond it.")
    data["panels"][0]["y"]["limits"] = (0.0, 2.0)
    assert with_cut_bands(data) is data


@pytest.mark.parametrize("name", ["classification", "confusion", "roc", "precision_recall", "reliability", "examples"])
def test_where_every_run_diverged_no_setting_is_blamed(experiment: MakeResults, name: str) -> None:
    data = drawn(KINDS["all runs diverged at once"](experiment), name)
    assert data["empty"] == "Every run diverged: nothing was judged."


def test_names_of_one_way_to_start_are_what_its_cells_share(experiment: MakeResults) -> None:
    results = small(experiment)(None, series(10, 2), seeds=2, grid=GRID)
    assert [row["shown"] for row in drawn(results, "weights")["rows"]] == [
        ["he_normal"], ["zeros"], ["uniform(low=-0.5, high=0.5)"],
    ]  # fmt: skip


def test_long_names_that_differ_in_a_word_stay_apart_in_every_picture(experiment: MakeResults) -> None:
    choices = itertools.product(("adam", "sgd"), ("0.001", "0.01"))
    labels = [f"resnet-like mlp, width 256, dropout 0.1, {o}, lr {lr}, label smoothing 0.05" for o, lr in choices]
    results = small(experiment)(arms(*labels), series(10, 2), seeds=3)
    for name in ("forest", "comparison", "loss", "generalization", "ranks"):
        plot = plots.parse(name).build()
        figure = plot.draw(drawn(results, name))
        texts = [t.get_text() for axes in figure.axes for t in [*axes.texts, axes.title]] + [
            t.get_text() for t in figure.texts
        ]
        whole = re.sub(r"\s+", " ", " ".join(texts))
        assert "…" not in whole
        assert "sgd, lr 0.01" in whole.replace("sgd, lr 0.001", "")
