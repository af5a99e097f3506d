"""XGBoost's and LightGBM's own `train` log into a run, and stop when they are to."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from initlab import ClientError, Run
from initlab.external_parts import Metrics
from tests.initlab.integrations.conftest import Logged, load

xgboost, lightgbm = load("xgboost"), load("lightgbm")
of_xgboost, of_lightgbm = load("initlab.integrations.xgboost"), load("initlab.integrations.lightgbm")

X = np.random.default_rng(0).normal(size=(200, 3))
Y = X.sum(axis=1)
Trained = list[float]


def by_xgboost(run: Run, names: dict[str, str] | None, rounds: int) -> Trained:
    found: dict[str, Any] = {}
    data = xgboost.DMatrix(X, Y)
    xgboost.train(
        {"eval_metric": "rmse", "nthread": 1}, data, rounds, evals=[(data, "valid")], evals_result=found,
        callbacks=[of_xgboost.RunCallback(run, names)], verbose_eval=False,
    )  # fmt: skip
    return list(found["valid"]["rmse"])


def by_lightgbm(run: Run, names: dict[str, str] | None, rounds: int) -> Trained:
    found: dict[str, Any] = {}
    data = lightgbm.Dataset(X, Y)
    lightgbm.train(
        {"metric": "rmse", "num_threads": 1, "verbosity": -1}, data, rounds, valid_sets=[data], valid_names=["valid"],
        callbacks=[of_lightgbm.RunCallback(run, names), lightgbm.record_evaluation(found)],
    )  # fmt: skip
    return list(found["valid"]["rmse"])


LIBRARIES = pytest.mark.parametrize("train", [by_xgboost, by_lightgbm])


@LIBRARIES
def test_rounds_are_logged(train: Any, run_of: Callable[[Metrics], Run], logged: Callable[[], Logged]) -> None:
    with run_of({"error": "min"}) as run:
        found = train(run, {"valid_rmse": "error"}, 5)
    assert len(found) == 5
    assert logged() == {"error": [(i, pytest.approx(value, abs=1e-5)) for i, value in enumerate(found)]}


@LIBRARIES
@pytest.mark.usefixtures("stopping")
def test_it_stops(train: Any, run_of: Callable[[Metrics], Run]) -> None:
    with run_of({"valid_rmse": "min"}) as run:
        train(run, None, 50)
        assert run.next_step == 3


@LIBRARIES
def test_names_that_fit_nothing_are_told_after_a_round(train: Any, run_of: Callable[[Metrics], Run]) -> None:
    with pytest.raises(ClientError, match=r"what is measured \(valid_rmse\)"), run_of({"accuracy": "max"}) as run:
        train(run, None, 9)
