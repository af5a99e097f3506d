from collections.abc import Callable

import pytest

from core.plots.comparison import data
from core.results import Results

FINALS = ([0.7, 0.72, 0.71], [0.9, 0.91, 0.93], [0.8, 0.83, 0.79], [0.5, 0.52, 0.56])


def test_differences_are_those_from_the_reference_whatever_else_was_compared(
    experiment: Callable[..., Results],
) -> None:
    arms = [{"label": label, "initializer": "zeros"} for label in "abcd"]
    drawn = data(experiment(arms, {"valid_accuracy": lambda a, seed: [FINALS[a][seed]]}, seeds=3))

    assert drawn["reference"] == "b"
    for row in drawn["rows"]:
        if row["label"] != "b":
            mine = FINALS["abcd".index(row["label"])]
            assert row["difference"]["mean"] == pytest.approx(100 * (sum(mine) - sum(FINALS[1])) / 3)
