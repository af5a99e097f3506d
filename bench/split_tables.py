"""Table of splits: arms that are equal in the population, and called different on what is held out of it."""

import math

import numpy as np
from accepted import COVERAGE, Row, row
from laws import RNG, RUNS, Floats
from scipy.special import stdtrit

from core.analysis import summaries
from core.analysis.statistics.intervals import BOOTSTRAP_FROM
from core.analysis.statistics.splits import over_splits, resampled_errors, two_way_error

EXPERIMENTS, EXAMPLES, ALPHA = 10_000, 360, 0.05
ACCEPTED = (0.0, 7.5)
HELD_OUT = 0.25
"""Examples held out over those trained on: overlapping splits then correlate by a fifth (Nadeau and Bengio 2003)."""


def of_splits() -> list[Row]:
    """False wins by seeds and examples of one split, and over splits that vary; and by seeds alone."""
    return [*_of_one_split(), *_of_varying_splits()]


def _of_one_split() -> list[Row]:
    rows = []
    for n in RUNS:
        by_both, by_seeds = [], []
        for _ in range(EXPERIMENTS):
            seeds, examples = RNG.normal(0, 0.01, (n, 1)), RNG.normal(0, 0.15, EXAMPLES)
            d = seeds + examples + RNG.normal(0, 0.3, (n, EXAMPLES))
            error = two_way_error(d)
            by_both.append(_apart(float(d.mean()), error.error, error.df))
            means = d.mean(axis=1)
            by_seeds.append(_apart(float(means.mean()), float(means.std(ddof=1)) / math.sqrt(n), n - 1))
        law = "normal, one split of 360 examples"
        rows.append(row("false wins by seeds and examples", law, n, np.array(by_both), arms=2, accepted=ACCEPTED))
        rows.append(row("false wins by seeds alone", law, n, np.array(by_seeds), arms=2))
    return rows


def _of_varying_splits() -> list[Row]:
    rows, rho = [], HELD_OUT / (1 + HELD_OUT)
    for n in RUNS:
        shared = RNG.normal(0, 1, (EXPERIMENTS, 1))
        d: Floats = math.sqrt(rho) * shared + math.sqrt(1 - rho) * RNG.normal(0, 1, (EXPERIMENTS, n))
        ratios = np.full(2, HELD_OUT)
        errors = [resampled_errors(np.stack([one, np.zeros(n)]), ratios) for one in d]
        corrected = np.array([_apart(one.mean(), e.error[0, 1], e.df[0, 1]) for one, e in zip(d, errors, strict=True)])
        plain = np.abs(d.mean(axis=1)) > stdtrit(n - 1, 1 - ALPHA / 2) * d.std(axis=1, ddof=1) / math.sqrt(n)
        law = "normal, a split for every seed, a fifth held out"
        rows.append(row("false wins of the corrected t", law, n, corrected, arms=2, accepted=ACCEPTED))
        rows.append(row("false wins of the plain t", law, n, plain, arms=2))
        own = over_splits(summaries(d), np.full(EXPERIMENTS, HELD_OUT))
        held = np.array([one.ci_low <= 0 <= one.ci_high for one in own])
        accepted = COVERAGE if n < BOOTSTRAP_FROM else None  # BCa's level is its own
        rows.append(row("an arm's own interval, corrected", law, n, held, accepted=accepted))
    return rows


def _apart(mean: float, error: float, freedom: float) -> bool:
    return bool(abs(mean) > stdtrit(freedom, 1 - ALPHA / 2) * error)
