"""Pictures of a regression: squared errors and R² instead of cross-entropies and shares."""

from collections.abc import Callable
from typing import Any

import pytest

from core.plots import plots
from core.results import Results
from tests.core.plots.conftest import arms

MakeResults = Callable[..., Results]


def drawn(name: str, results: Results) -> Any:
    plot = plots[name].model_validate({}).build()
    data = plot.data(results)
    plot.draw(data)
    return data


@pytest.fixture
def regression(experiment: MakeResults) -> Callable[..., Results]:
    def make(losses: list[float], explained: list[float]) -> Results:
        return experiment(
            arms(*(f"arm {i}" for i in range(len(losses)))),
            {
                "train_loss": lambda a, _: [losses[a]] * 10,
                "valid_loss": lambda a, seed: [losses[a], losses[a] * (1 + seed / 10)],
                "train_r2": lambda _a, _: [0.5, 0.6],
                "valid_r2": lambda a, _: [explained[a], explained[a]],
            },
            task="regression",
        )

    return make


def test_the_comparison_is_of_the_validation_loss(regression: Callable[..., Results]) -> None:
    data = drawn("comparison", regression([0.5, 0.2], [0.4, 0.7]))
    assert [row["label"] for row in data["rows"]] == ["arm 1", "arm 0"]
    assert data["title"].startswith("Final validation loss")
    assert data["rows"][1]["difference"]["mean"] == pytest.approx((0.5 + 0.55 - 0.2 - 0.22) / 2, rel=1e-12)
    assert (data["x"]["label"], data["x"]["kind"], data["x"]["scale"]) == ("validation loss", "number", "linear")
    assert data["difference"]["label"] == "difference in validation loss"


def test_losses_that_lie_far_apart_get_a_logarithmic_axis(regression: Callable[..., Results]) -> None:
    x = drawn("comparison", regression([0.5, 5e4], [0.4, -9.0]))["x"]
    assert x["scale"] == "log"
    assert 0.1 < x["limits"][0] < 0.5
    assert x["limits"][1] > 5.5e4


def test_r2_takes_the_place_of_the_accuracy(regression: Callable[..., Results]) -> None:
    data = drawn("accuracy", regression([0.5, 0.2], [0.4, 0.7]))
    (panel,) = data["panels"]
    assert data["title"].startswith("R²")
    assert panel["y"]["kind"] == "number"
    assert [line["y"] for line in panel["lines"]] == [[0.4, 0.4], [0.7, 0.7], [0.5, 0.6], [0.5, 0.6]]
    assert "lie below the picture" not in data["caption"]


def test_a_network_that_explains_less_than_nothing_does_not_stretch_the_axis(
    regression: Callable[..., Results],
) -> None:
    data = drawn("accuracy", regression([0.5, 5e4], [0.4, -1e5]))
    assert -1.2 < data["panels"][0]["y"]["limits"][0] < -1
    assert "Values below −1 lie below the picture." in data["caption"]


def test_the_loss_is_a_squared_error(regression: Callable[..., Results]) -> None:
    panels = drawn("loss", regression([0.5, 0.2], [0.4, 0.7]))["panels"]
    assert {panel["y"]["label"] for panel in panels} == {"mean squared error"}


@pytest.mark.parametrize("name", ["accuracy", "generalization"])
def test_networks_of_which_each_explains_less_than_nothing_are_in_the_picture(
    experiment: MakeResults, name: str
) -> None:
    r2 = {f"{split}_r2": lambda a, s: [-1e5, -40.0 - a - s] for split in ("train", "valid")}
    data = drawn(name, experiment(arms("a", "b"), {"valid_loss": lambda *_: [1.0]} | r2, task="regression"))
    for panel in data["panels"]:
        low, high = panel["y"]["limits"]
        assert low < high
        assert all(low <= line["y"][-1] <= high for line in panel["lines"])
    assert "lie below the picture" in data["caption"]
