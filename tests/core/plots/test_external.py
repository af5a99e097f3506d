"""Pictures of what was trained elsewhere, of which nobody said how many updates an epoch has."""

from typing import Any

import numpy as np
import pytest

from core.external import ExternalSpec, external_results
from core.plots import plots
from core.results import Results, RunResult, Series

VALUES = [0.5, 0.6, 0.7, 0.65, 0.8, 0.75]


def trained_elsewhere(*metrics: dict[str, Any], **spec: Any) -> Results:
    """Return two arms of two seeds with the same points."""
    arms = [{"label": label} for label in ("adam", "sgd")]
    asked = {"kind": "external", "arms": arms, "seeds": 2, "metrics": list(metrics), **spec}
    runs = [
        RunResult(i, label, seed, "succeeded", "completed", {one["name"]: VALUES[-1] for one in metrics})
        for i, (label, seed) in enumerate((label, seed) for label in ("adam", "sgd") for seed in (0, 1))
    ]
    steps, values = np.arange(len(VALUES)), np.array(VALUES)

    def series(metric: str) -> list[Series]:
        of = [one for one in metrics if one["name"] == metric]
        return [Series(run.id, run.arm, run.seed, metric, steps, values, one["per"]) for run in runs for one in of]

    return external_results(ExternalSpec.model_validate(asked), runs=runs, series=series)


def data_of(name: str, results: Results) -> dict[str, Any]:
    plot = plots.parse(name).build()
    data: dict[str, Any] = plot.data(results)
    plot.draw(data)
    return data


def score(**changed: Any) -> dict[str, Any]:
    return {"name": "val_acc", "direction": "max", "per": "epoch", **changed}


@pytest.mark.parametrize(
    ("metric", "spec", "label", "x"),
    [
        (score(), {}, "epochs done", [1, 2, 3, 4, 5, 6]),
        (score(), {"steps_per_epoch": 10}, "update (from 0)", [9, 19, 29, 39, 49, 59]),
        (score(per="step"), {"steps_per_epoch": 10}, "update (from 0)", [0, 1, 2, 3, 4, 5]),
    ],
    ids=["epochs", "epochs of ten updates", "updates"],
)
def test_convergence_counts_what_is_known(metric: Any, spec: Any, label: str, x: list[int]) -> None:
    panel = data_of("convergence", trained_elsewhere(metric, outcome="val_acc", **spec))["panels"][0]
    assert panel["x"]["label"] == label
    assert panel["lines"][0]["x"] == x


def test_the_way_to_a_target_is_in_epochs_where_updates_are_not_known() -> None:
    target = {"metric": "val_acc", "value": 0.7}
    data = data_of("convergence", trained_elsewhere(score(), outcome="val_acc", target=target))
    assert (data["beside"]["title"], data["beside"]["x"]["label"]) == ("epochs to the target", "epochs")
    assert "Right: epochs until val acc reached 0.7" in data["caption"]
    assert data["beside"]["rows"][0]["mean"] == 3


def test_a_loss_by_epoch_lies_at_its_epochs() -> None:
    metric = {"name": "valid_loss", "direction": "min", "per": "epoch"}
    panel = data_of("loss", trained_elsewhere(metric, outcome="valid_loss"))["panels"][1]
    assert panel["x"]["label"] == "epochs done"
    assert panel["lines"][0]["x"] == [1, 2, 3, 4, 5, 6]


def test_nothing_is_claimed_of_how_a_metric_of_others_was_measured() -> None:
    data = data_of("accuracy", trained_elsewhere(score(), outcome="val_acc"))
    assert data["panels"][0]["title"] == "after each epoch"
    assert "validation" not in data["caption"].lower()
    assert "training" not in data["caption"].lower()
