"""Rates that answer to what each run measures."""

from collections.abc import Callable

from core.plots import plots
from core.results import Results
from tests.core.plots.conftest import arms

MakeResults = Callable[..., Results]


def test_rates_that_differ_within_an_arm_are_said_to_be_one_runs(experiment: MakeResults) -> None:
    def rates(arm: int, seed: int) -> list[float]:
        return [0.1] * 5 + [0.1 if arm == 0 or seed == 0 else 0.01] * 5

    data = plots.parse("schedule").build().data(experiment(arms("still", "falling"), {"lr": rates}))
    assert "The rates of falling differ by run: drawn are those of seed 0." in data["caption"]
    assert "The rates of still" not in data["caption"]


def test_a_run_cut_short_has_the_same_rates(experiment: MakeResults) -> None:
    cut = experiment(arms("a"), {"lr": lambda _, seed: [0.1, 0.2, 0.3][: 3 - seed]}, outcomes={(0, 1): "diverged"})
    assert "differ by run" not in plots.parse("schedule").build().data(cut)["caption"]
