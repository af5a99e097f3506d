"""XGBoost: `train(..., evals=[(d, "valid")], callbacks=[RunCallback(run)])`, and so its estimators."""

from collections.abc import Mapping
from typing import Any

from xgboost.callback import TrainingCallback

from initlab.integrations.selection import Selection
from initlab.tracking.run import Run


class RunCallback(TrainingCallback):  # type: ignore[misc]  # not looked at by the type checker
    """Logs each round into a run, a round as an epoch: metric `auc` of the data `valid` is `valid_auc`.

    `names` gives the experiment's metric of such a name; without it they are called alike. Training stops where the
    server wants no more.
    """

    def __init__(self, run: Run, names: Mapping[str, str] | None = None) -> None:
        self._selection = Selection(run, names)

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Mapping[str, Any]]) -> bool:  # noqa: ARG002
        """Log a round; returns whether to stop."""
        last = {f"{data}_{name}": values[-1] for data, found in evals_log.items() for name, values in found.items()}
        means = {name: value[0] if isinstance(value, tuple) else value for name, value in last.items()}
        self._selection.log(epoch, means, "epoch")
        self._selection.check()
        return self._selection.run.stop_requested
