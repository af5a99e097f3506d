"""The learning rates of a cohort's lanes, update by update."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from core.optimizers import Optimizer
from core.schedules import Curve, Reactive, State, bind
from core.training.recorder import Lane
from core.training.run_length import RunLength


@dataclass
class _Reacting:
    """One lane whose schedule answers to its own metric."""

    run: int
    lane: int
    column: int
    schedule: Reactive
    state: State


class Rates:
    """Lanes that share optimizer and schedule share one curve, unless the schedule answers to each lane's metric.

    `column[lane]` is the lane's curve.
    """

    def __init__(
        self, lanes: Sequence[Lane], length: RunLength, metrics: Sequence[str], states: Mapping[int, State]
    ) -> None:
        """Bind every lane's schedule.

        `metrics` are an epoch's, in the order in which `react` takes them; `states` are those of resumed runs whose
        schedules answer to a metric.
        """
        self.column: list[int] = []
        self._length = length
        self._metrics = metrics
        self._curves: list[Curve] = []
        self._reacting: list[_Reacting] = []
        shared: dict[object, int] = {}
        for i, lane in enumerate(lanes):
            treatment = lane.treatment
            key = (treatment.schedule, treatment.optimizer)
            if key not in shared:
                optimizer: Optimizer = treatment.optimizer.build()
                curve = bind(treatment.schedule, optimizer.hyper["lr"], length.updates, length.per_epoch)
                if isinstance(curve, Reactive):
                    reacting = _Reacting(lane.run, i, len(self._curves), curve, states.get(lane.run, curve.start))
                    self._reacting.append(reacting)
                    self._curves.append(lambda t, mine=reacting: mine.schedule.rate(mine.state, t))  # type: ignore[misc]
                    self.column.append(reacting.column)
                    continue
                shared[key] = len(self._curves)
                self._curves.append(curve)
            self.column.append(shared[key])

    @property
    def curves(self) -> int:
        """The count of curves."""
        return len(self._curves)

    def table(self, epoch: int) -> NDArray[np.float64]:
        """Return an epoch's learning rates, (updates, curves)."""
        steps = range(epoch * self._length.per_epoch, self._length.end(epoch))
        return np.array([[curve(step) for curve in self._curves] for step in steps])

    @property
    def states(self) -> dict[int, State]:
        """The states of the schedules that answer to a metric, by run."""
        return {one.run: one.state for one in self._reacting}

    def react(self, epoch: int, metrics: torch.Tensor) -> None:
        """Take an epoch's metrics, (metrics, lanes); waits for the device only where a schedule answers to them."""
        if not self._reacting:
            return
        values = metrics.cpu().numpy()
        for one in self._reacting:
            value = float(values[self._metrics.index(one.schedule.metric), one.lane])
            one.state = one.schedule.react(one.state, (epoch + 1) * self._length.per_epoch, value)
