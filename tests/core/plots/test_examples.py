"""The examples on which arms disagree, as a picture."""

from dataclasses import replace
from typing import Any

import numpy as np

from core.plots import plots
from core.results import Results
from tests.core.plots.conftest import MakeResults, arms

RIGHT = {
    "a": [[1, 1, 1, 0], [1, 1, 1, 0]],
    "b": [[1, 0, 1, 0], [1, 0, 0, 0]],
}


def data_of(results: Results) -> dict[str, Any]:
    data: dict[str, Any] = plots.parse("examples").build().data(results)
    return data


def stored(results: Results) -> Results:
    bits = {run.id: np.array(RIGHT[run.arm][run.seed], dtype=np.bool_) for run in results.runs}
    return replace(results, correct=lambda: bits)


def test_columns_are_the_examples_on_which_arms_differ_the_hardest_first(experiment: MakeResults) -> None:
    values = {"valid_accuracy": lambda a, _: [0.75 - 0.25 * a]}
    data = data_of(stored(experiment(arms("b", "a"), values)))

    assert data["examples"] == [1, 2]
    assert {row["label"]: (row["n"], row["shares"]) for row in data["rows"]} == {
        "a": (2, [1.0, 1.0]),
        "b": (2, [0.0, 0.5]),
    }
    assert "Arms differ on 2 of 4 examples" in data["caption"]
    [axes] = plots.parse("examples").build().draw(data).axes
    np.testing.assert_array_equal(axes.images[0].get_array(), [row["shares"] for row in data["rows"]])


def test_without_them_it_says_why_there_is_nothing(experiment: MakeResults) -> None:
    values = {"valid_accuracy": lambda *_: [0.5]}
    assert "evaluate.examples" in data_of(experiment(arms("a", "b"), values))["empty"]
    assert "splits vary" in data_of(stored(experiment(arms("a", "b"), values, split="per_seed")))["empty"]
    same = experiment(arms("a", "b"), values)
    none = replace(same, correct=lambda: {run.id: np.array([True, False]) for run in same.runs})
    assert "disagree on none" in data_of(none)["empty"]
