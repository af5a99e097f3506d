"""What runs that train in this process came to at a look that may prune their arms."""

from collections.abc import Iterator, Mapping

import numpy as np

from core.analysis import RungValues
from core.design import Design
from core.training.recorder import Lane, MemoryRecorder

Lanes = Mapping[tuple[bool, int, int], Lane]
"""Lanes by whether they are second trainings, the arm's index and the seed."""


def values_at(rung: int, design: Design, metric: str, lanes: Lanes, measured: MemoryRecorder) -> RungValues:
    """Return a metric of the first trainings after so many epochs, of one that stopped early its last."""

    def found() -> Iterator[tuple[str, int, float | None]]:
        for (repeat, arm, seed), lane in lanes.items():
            points = np.concatenate(measured.blocks.get((lane.run, metric), [np.empty(0)]))
            outcome = measured.outcomes.get(lane.run)
            if repeat or (len(points) < rung and outcome not in ("stopped_early", "diverged")):
                continue
            diverged = outcome == "diverged" or not len(points)
            yield design.labels[arm], seed, None if diverged else float(points[min(rung, len(points)) - 1])

    return RungValues.of(design, found())
