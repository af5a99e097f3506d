"""What a logarithmic axis shows of values over very many decades."""

from typing import Any

import numpy as np
import pytest

from core.plots import plot_data, plots
from core.plots.drawing.log_axes import log_axis
from core.results import Results
from tests.core.plots.conftest import MakeResults, arms
from tests.core.plots.kinds import looked_at


def line(*y: float, role: str = "main") -> dict[str, Any]:
    return {"role": role, "y": list(y), "raw": None}


def exploding(make: MakeResults) -> Results:
    """Arm a learns; the losses of b grow by ten decades, and its runs finish all the same."""

    def train(a: int, s: int) -> Any:
        return np.geomspace(2.3, 0.01, 50) if a == 0 else np.geomspace(2.3, 1e11 * (1 + s), 50)

    valid = lambda a, s: [1.0, 0.02] if a == 0 else [1e9, 6e11 * (1 + s)]  # noqa: E731
    return make(arms("a", "b"), {"train_loss": train, "valid_loss": valid, "valid_accuracy": lambda *_: [0.1, 0.2]})


@pytest.mark.parametrize("name", ["loss", "convergence", "stability"])
@pytest.mark.parametrize("log", [None, True])
def test_what_finished_runs_end_with_is_in_the_picture(experiment: MakeResults, name: str, log: bool | None) -> None:
    results = exploding(experiment)
    data = plot_data(plots.parse(name).build().data, results, log=log)
    for panel in data["panels"]:
        low, high = panel["y"]["limits"]
        ends = [one["y"][-1] for one in panel["lines"]]
        assert all(low < end < high for end in ends)
    assert "the picture" not in data["caption"]


def test_a_run_that_only_rises_is_there_from_its_beginning() -> None:
    about, note = log_axis([line(*np.geomspace(10, 6e11, 40).tolist()), line(2e11, 6e11)])
    assert (about["limits"][0] < 10, about["limits"][1] > 6e11, note) == (True, True, "")


@pytest.mark.parametrize(
    ("y", "limits", "said"),
    [
        ((2.0, 1e38, 0.5), (0.5, 2.0), "Losses above 2 lie above the picture."),
        ((1e300, 1.0, 0.5), (0.5, 1.0), "Losses above 1 lie above the picture."),
        ((2.0, 1e-300, 0.5), (0.5, 2.0), "Losses below 0.5 lie below the picture."),
        ((2.0, 0.0, 0.001), (0.001, 2.0), "Losses below 0.001 lie below the picture."),
        ((2.0, 5e7, 0.5), (0.5, 5e7), ""),
    ],
)
def test_a_spike_does_not_press_the_rest_together(y: Any, limits: tuple[float, float], said: str) -> None:
    about, note = log_axis([line(*y)], "Losses")
    assert note == said
    assert np.log10(about["limits"]) == pytest.approx(np.log10(limits), abs=0.4)


def test_diverged_runs_stretch_it_only_where_there_are_no_others() -> None:
    rising = line(2.0, 100.0, 1e30, role="diverged")
    beside, _ = log_axis([line(2.0, 0.01), rising])
    alone, note = log_axis([rising])
    assert beside["limits"][1] < 10
    assert alone["limits"][1] == pytest.approx(100, rel=0.3)
    assert note == "Values above 100 lie above the picture."


def test_differences_have_no_logarithm_but_a_picture_all_the_same(experiment: MakeResults) -> None:
    plot_data(plots.parse("looks").build().data, looked_at(experiment), log=True)
