"""Early stopping of a cohort's lanes."""

from collections.abc import Mapping, Sequence

import torch

from core.spec import Patience
from core.training.recorder import Lane


class Stopping:
    """The state of early stopping of every lane whose treatment has it."""

    def __init__(self, lanes: Sequence[Lane], metrics: Sequence[str], states: Mapping[int, Patience]) -> None:
        """Take every lane's rule.

        `metrics` are an epoch's, in the order in which `react` takes them; `states` are those of
        resumed runs.
        """
        self._metrics = metrics
        self._rules = {lane.run: rule for lane in lanes if (rule := lane.treatment.early_stopping) is not None}
        self._states = {run: states.get(run, Patience()) for run in self._rules}

    def states(self, runs: Sequence[int]) -> dict[int, Patience]:
        """Return the states of these runs, of those with early stopping."""
        return {run: self._states[run] for run in runs if run in self._states}

    def react(self, lanes: Sequence[Lane], measured: torch.Tensor) -> None:
        """Take an epoch's metrics, (metrics, lanes); waits for the device only where a lane has early stopping."""
        if self._rules.keys().isdisjoint(lane.run for lane in lanes):
            return
        values = measured.cpu().numpy()
        for i, lane in enumerate(lanes):
            rule = self._rules.get(lane.run)
            if rule is not None:
                value = float(values[self._metrics.index(rule.metric), i])
                self._states[lane.run] = rule.after(self._states[lane.run], value)

    def ending(self, lanes: Sequence[Lane], epochs: int) -> set[int]:
        """Return the runs that end with the last of so many epochs, by their states: the same after a resumption."""
        runs = (lane.run for lane in lanes)
        return {run for run in runs if run in self._rules and self._rules[run].ends(self._states[run], epochs)}
