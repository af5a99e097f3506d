"""Rows of the table of methods: what came out in simulated experiments, and what is accepted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from laws import Floats
from numpy.typing import NDArray

COVERAGE = (94.5, 95.7)
"""Per cent of the experiments in which an interval at 95 % should hold the truth."""
AT_LEAST = (94.5, 100.0)
ERROR = (0.0, 5.5)
"""Per cent of the experiments with any false claim, at the level .05."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One method on one law: `per_cent` of `experiments`, and the bounds within which it is accepted, if any."""

    method: str
    law: str
    runs: int
    per_cent: float
    experiments: int
    arms: int | None = None
    accepted: tuple[float, float] | None = None

    @property
    def held(self) -> bool | None:
        """Whether it is accepted; None: it is only told."""
        return None if self.accepted is None else self.accepted[0] <= self.per_cent <= self.accepted[1]

    def told(self) -> dict[str, object]:
        """Return the row as the record has it."""
        kept = {key: value for key, value in vars(self).items() if value is not None}
        return kept | ({} if self.held is None else {"accepted": list(self.accepted or ()), "held": self.held})

    def __str__(self) -> str:
        arms = "" if self.arms is None else f", {self.arms} arms"
        bounds = "" if self.accepted is None else f"   accepted {self.accepted[0]:g} to {self.accepted[1]:g}"
        mark = {True: "", False: "   NOT HELD", None: ""}[self.held]
        return f"{self.per_cent:6.1f} %  {self.method} | {self.law}, n = {self.runs}{arms}{bounds}{mark}"


def row(
    method: str,
    law: str,
    n: int,
    hits: object,
    *,
    arms: int | None = None,
    accepted: tuple[float, float] | None = None,
) -> Row:
    """Return the row of a method on experiments of `n` runs, by its hit or its share of hits in each of them."""
    counted = np.asarray(hits, dtype=np.float64)
    share = per_cent(counted)
    return Row(method=method, law=law, runs=n, arms=arms, per_cent=share, experiments=len(counted), accepted=accepted)


def per_cent(hits: Floats | NDArray[np.bool_] | Sequence[bool]) -> float:
    """Return the share of hits in per cent, to a tenth."""
    return round(100 * float(np.mean(hits)), 1)


Table = Callable[[], list[Row]]
