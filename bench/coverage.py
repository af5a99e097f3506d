"""How often the report's 95 % intervals hold the true mean, beside the intervals that were not taken.

`python bench/coverage.py` draws experiments of n runs, prints per cent, and writes bench/records/coverage.json. It
measures no speed: other work on the machine does not matter.
"""

import math
from collections.abc import Callable

import numpy as np
import record
from numpy.typing import NDArray
from scipy import stats

from core.analysis import summaries
from core.analysis.statistics.intervals import BOOTSTRAP_FROM, bca

EXPERIMENTS = 10_000
RUNS = (3, 5, 10, 20, 30)
RNG = np.random.default_rng(20_261_125)

Floats = NDArray[np.float64]
Bounds = tuple[Floats, Floats]

LAWS: dict[str, tuple[Callable[[tuple[int, int]], Floats], float]] = {
    "normal": (lambda shape: RNG.normal(0, 1, shape), 0.0),
    "Student's t, 5 degrees of freedom": (lambda shape: RNG.standard_t(5, shape), 0.0),
    "accuracy on 360 examples, 0.97": (lambda shape: RNG.binomial(360, 0.97, shape) / 360, 0.97),
    "accuracy on 360 examples, 0.995": (lambda shape: RNG.binomial(360, 0.995, shape) / 360, 0.995),
    "lognormal, sigma 0.5": (lambda shape: RNG.lognormal(0, 0.5, shape), math.exp(0.125)),
    "lognormal, sigma 1": (lambda shape: RNG.lognormal(0, 1, shape), math.exp(0.5)),
    "one run in ten stuck: 0.6 instead of 0.95": (
        lambda shape: np.where(RNG.random(shape) < 0.1, RNG.normal(0.6, 0.05, shape), RNG.normal(0.95, 0.01, shape)),
        0.915,
    ),
}


def of_report(x: Floats) -> Bounds:
    found = summaries(x)
    return np.array([s.ci_low for s in found]), np.array([s.ci_high for s in found])


def students(x: Floats) -> Bounds:
    half = stats.t.ppf(0.975, x.shape[1] - 1) * x.std(axis=1, ddof=1) / math.sqrt(x.shape[1])
    return x.mean(axis=1) - half, x.mean(axis=1) + half


def normal(x: Floats) -> Bounds:
    """Mean and 1.96 standard errors: what many a tool draws."""
    half = -stats.norm.ppf(0.025) * x.std(axis=1, ddof=1) / math.sqrt(x.shape[1])
    return x.mean(axis=1) - half, x.mean(axis=1) + half


def in_parts(bounds: Callable[[Floats], Bounds]) -> Callable[[Floats], Bounds]:
    """Resamples of all experiments at once would take gigabytes."""

    def whole(x: Floats) -> Bounds:
        varied = x.std(axis=1) > 0
        low, high = x.mean(axis=1), x.mean(axis=1)
        found = [bounds(part) for part in np.array_split(x[varied], 20)]
        low[varied], high[varied] = (np.concatenate(side) for side in zip(*found, strict=True))
        return low, high

    return whole


INTERVALS: dict[str, Callable[[Floats], Bounds]] = {
    "the report's": of_report,
    "Student's t": students,
    "BCa, not expanded": in_parts(lambda x: bca(x, float(-stats.norm.ppf(0.025)))),
    "normal": normal,
}


def main() -> None:
    rows = []
    for law, (draw, truth) in LAWS.items():
        for n in RUNS:
            x = draw((EXPERIMENTS, n))
            row: dict[str, object] = {"law": law, "runs": n}
            for name, bounds in INTERVALS.items():
                if name.startswith("BCa") and n < BOOTSTRAP_FROM:
                    continue
                low, high = bounds(x)
                row[name] = round(100 * float(np.mean((low <= truth + 1e-12) & (truth - 1e-12 <= high))), 1)
            rows.append(row)
            print(row)
    record.write("coverage", experiments=EXPERIMENTS, nominal=95, rows=rows)


if __name__ == "__main__":
    main()
