"""LightGBM: `train(..., valid_names=["valid"], callbacks=[RunCallback(run)])`, and so its estimators."""

from collections.abc import Mapping
from typing import Any

from lightgbm.callback import EarlyStopException

from initlab.integrations.selection import Selection
from initlab.tracking.run import Run


class RunCallback:
    """Logs each round into a run, a round as an epoch: metric `auc` of the data `valid` is `valid_auc`.

    `names` gives the experiment's metric of such a name; without it they are called alike. Training stops where the
    server wants no more.
    """

    order = 20
    """Its place among LightGBM's callbacks: before early stopping, which is at 30."""

    def __init__(self, run: Run, names: Mapping[str, str] | None = None) -> None:
        self._selection = Selection(run, names)

    def __call__(self, env: Any) -> None:
        """Log a round."""
        found = {f"{one[0]}_{one[1]}": one[2] for one in env.evaluation_result_list}
        self._selection.log(env.iteration, found, "epoch")
        self._selection.check()
        if self._selection.run.stop_requested:
            raise EarlyStopException(env.iteration, env.evaluation_result_list)
