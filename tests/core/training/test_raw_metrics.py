"""Arms that keep a mean of their weights beside arms that keep none: compared by the metrics of averaged weights."""

import numpy as np
import pytest

from core.analysis import build_report, run_outcomes
from core.datasets import DatasetPaths
from core.results import Results
from core.spec import parse
from core.training import train

SPEC = {
    "model": {"name": "mlp", "hidden": [8]},
    "optimizer": {"name": "sgd", "lr": 0.5},
    "epochs": 2,
    "seeds": [3, 1, 4],
    "arms": [{"label": "raw"}, {"label": "mean", "ema_decay": 0.9}, {"label": "small", "batch_size": 500}],
    "target": {"metric": "valid_accuracy_ema", "value": 0.5},
}


@pytest.fixture(scope="module")
def results() -> Results:
    return train(parse(SPEC), DatasetPaths())


def test_an_arm_without_a_mean_counts_by_its_own_weights(results: Results) -> None:
    for run in results.runs:
        for raw in ("valid_accuracy", "valid_loss"):
            assert (run.final[f"{raw}_ema"] == run.final[raw]) == (run.arm != "mean")
    series = [*results.series("valid_loss_ema")]
    assert [one.run_id for one in series] == [run.id for run in results.runs], "in the order of the runs"
    assert {one.metric for one in series} == {"valid_loss_ema"}
    of_weights = {one.run_id: one.values for one in results.series("valid_loss")}
    for one in series:
        assert np.array_equal(one.values, of_weights[one.run_id]) == (one.arm != "mean")


def test_the_report_compares_them_and_says_what_it_compares(results: Results) -> None:
    report = build_report(results, "valid_accuracy_ema")
    assert [arm["n"] for arm in report["arms"]] == [3, 3, 3]
    assert all(arm["outcomes"]["valid_accuracy_ema"]["n"] == 3 for arm in report["arms"])
    label = results.design.metrics["valid_accuracy_ema"].label
    assert label == "validation accuracy, averaged weights where kept"


def test_a_target_of_averaged_weights_is_timed_in_every_arm(results: Results) -> None:
    found = run_outcomes(results)
    reached = {run.arm for run in results.runs if found[run.id]["steps_to_target"] is not None}
    assert {"raw", "mean"} <= reached


def test_nothing_is_said_where_all_arms_keep_one_or_none_does() -> None:
    for given in ({"ema_decay": 0.9}, {}):
        spec = {key: value for key, value in SPEC.items() if key not in ("arms", "target")} | given
        found = train(parse(spec), DatasetPaths())
        assert all("where kept" not in metric.label for metric in found.design.metrics.values())
        assert ("valid_loss_ema" in found.runs[0].final) == bool(given)
