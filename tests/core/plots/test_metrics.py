"""The picture of the metrics beside loss and score."""

import numpy as np
import pytest

from core.metrics import Task
from core.plots import plots, suitable
from tests.core.plots.conftest import MakeResults
from tests.core.plots.test_data import data_of, two


def test_each_further_metric_has_a_panel_with_the_means_over_seeds(experiment: MakeResults) -> None:
    values = {(0, 0): [0.2, 0.4], (0, 1): [0.4, 0.8], (1, 0): [0.1, 0.1], (1, 1): [0.3, 0.5]}
    results = experiment(
        two({}, {}),
        {
            "valid_accuracy": lambda *_: [0.5, 0.5],
            "train_accuracy": lambda *_: [0.5, 0.5],
            "valid_loss": lambda *_: [1.0, 1.0],
            "valid_top5_accuracy": lambda *_: [1.0, 1.0],
            "valid_macro_f1": lambda a, s: values[a, s],
        },
    )

    top5, f1 = data_of("metrics", results)["panels"]

    assert (top5["title"], top5["y"]["kind"]) == ("validation top-5 accuracy", "share")
    assert (f1["title"], f1["y"]["kind"]) == ("validation macro-F1", "number")
    for line, mean in zip(f1["lines"], ([0.3, 0.6], [0.2, 0.3]), strict=True):
        np.testing.assert_allclose(line["y"], mean)


@pytest.mark.parametrize(
    ("task", "metrics", "panels"),
    [
        ("regression", ("valid_r2", "train_r2", "valid_loss", "valid_rmse"), ["validation RMSE"]),
        ("binary", ("valid_accuracy", "train_accuracy", "valid_log_loss", "valid_auc"), ["AUC", "log loss"]),
    ],
)
def test_those_of_the_task_are_drawn(
    experiment: MakeResults, task: Task, metrics: tuple[str, ...], panels: list[str]
) -> None:
    results = experiment(two({}, {}), {metric: lambda *_: [0.5, 0.6] for metric in metrics}, task=task)
    titles = [panel["title"] for panel in data_of("metrics", results)["panels"]]
    assert [title.removeprefix("validation ") for title in titles] == [
        panel.removeprefix("validation ") for panel in panels
    ]


def test_the_test_split_has_a_point_and_no_curve(experiment: MakeResults) -> None:
    series = {"valid_accuracy": lambda *_: [0.5, 0.6], "test_accuracy": lambda *_: [0.7]}
    results = experiment(two({}, {}), series, dataset={"name": "digits", "test_fraction": 0.2})
    assert (results.design.primary.name, results.design.curve.name) == ("test_accuracy", "valid_accuracy")
    assert "metrics" not in suitable(results.design)
    for plot in ("convergence", "stability"):
        lines = data_of(plot, results)["panels"][0]["lines"]
        assert {tuple(line["y"]) for line in lines} == {(0.5, 0.6)}


def test_an_experiment_that_has_none_is_not_offered_it(experiment: MakeResults) -> None:
    """As all of before they were measured."""
    results = experiment(two({}, {}), {"valid_accuracy": lambda *_: [0.5], "train_loss": lambda *_: [1.0]})
    assert "metrics" not in suitable(results.design)
    assert "metrics" in plots
    assert data_of("metrics", results)["panels"][0]["lines"] == []
