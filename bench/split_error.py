"""False wins on one split and on splits that vary: seeds alone, the two-way model, the corrected t.

`python bench/split_error.py` prints a table; deterministic, numpy alone, about a minute.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from core.analysis.statistics.splits import MeanError, resampled_factor, two_way_error

Floats = NDArray[np.float64]
LEVEL = 0.05


class Law(NamedTuple):
    """Two arms equal in the population: spreads of the latent score by seed, by example and arm, and of the rest."""

    seeds: float
    examples: float
    rest: float


LAWS = {
    "split dominates": Law(seeds=0.02, examples=0.6, rest=0.3),
    "both": Law(seeds=0.1, examples=0.4, rest=0.5),
    "seeds dominate": Law(seeds=0.3, examples=0.1, rest=0.5),
    "no split effect": Law(seeds=0.2, examples=0.0, rest=0.6),
}


def correctness(law: Law, random: np.random.Generator, n: int, m: int) -> NDArray[np.int8]:
    """Return the differences of two arms' correctness, (seeds, examples): -1, 0, 1. Both are right in about 84 %."""

    def arm(shared: Floats) -> NDArray[np.bool_]:
        own = law.examples * random.standard_normal(m) + law.seeds * random.standard_normal((n, 1))
        return np.asarray(1 + shared + own + law.rest * random.standard_normal((n, m)) > 0)

    hard = random.standard_normal(m)
    return arm(hard).astype(np.int8) - arm(hard).astype(np.int8)


def centroid_differences(random: np.random.Generator, n: int, examples: int, share: float) -> Floats:
    """Return differences in accuracy (n,) of two learners on n random splits of one drawn data set.

    Nearest centroids on one half of the features and on the other: equal over data sets, as the halves have one law.
    """
    half = 5
    y = random.integers(0, 2, examples)
    x = random.standard_normal((examples, 2 * half)) + 0.35 * (2 * y[:, None] - 1)
    held_out = round(share * examples)
    found = np.empty(n)
    for seed in range(n):
        order = random.permutation(examples)
        test, train = order[:held_out], order[held_out:]
        sides = [x[train][y[train] == label].mean(axis=0) for label in (0, 1)]
        away = [(x[test] - side) ** 2 for side in sides]
        right = [
            (away[0][:, part].sum(1) > away[1][:, part].sum(1)) == y[test] for part in (slice(half), slice(half, None))
        ]
        found[seed] = right[0].mean() - right[1].mean()
    return found


def seeds_alone(d: Floats) -> MeanError:
    """Return the error that the paired t has."""
    return MeanError(float(d.std(ddof=1) / np.sqrt(len(d))), len(d) - 1.0)


def rejected(mean: float, by: MeanError) -> bool:
    """Return whether the two-sided t test calls a mean different from 0."""
    return by.error > 0 and 2 * stats.t.sf(abs(mean) / by.error, by.df) < LEVEL


def false_wins(law: Law, n: int, m: int, experiments: int, seed: int = 0) -> tuple[float, float]:
    """Return the shares of experiments in which equal arms are called different, by seeds alone and by two ways."""
    random = np.random.default_rng(seed)
    hits = np.zeros(2)
    for _ in range(experiments):
        d = correctness(law, random, n, m)
        of_seeds = d.mean(axis=1)
        hits += [rejected(of_seeds.mean(), seeds_alone(of_seeds)), rejected(of_seeds.mean(), two_way_error(d))]
    return float(hits[0] / experiments), float(hits[1] / experiments)


def false_wins_of_splits(n: int, examples: int, share: float, experiments: int, seed: int = 0) -> tuple[float, float]:
    """Return the same of splits that vary, by the plain and the corrected t."""
    random = np.random.default_rng(seed)
    hits = np.zeros(2)
    held_out = round(share * examples)
    for _ in range(experiments):
        d = centroid_differences(random, n, examples, share)
        plain = seeds_alone(d)
        wider = plain._replace(error=plain.error * float(resampled_factor(n, held_out, examples - held_out)))
        hits += [rejected(d.mean(), plain), rejected(d.mean(), wider)]
    return float(hits[0] / experiments), float(hits[1] / experiments)


def table(experiments: int) -> Iterator[str]:
    """Yield the lines of the table."""

    def line(case: str, found: tuple[float, float]) -> str:
        return f"{case:44} {100 * found[0]:6.1f} % {100 * found[1]:6.1f} %"

    yield f"{'equal arms called different':44}    seeds   two ways"
    for name, law in LAWS.items():
        for n in (3, 5, 10, 20):
            yield line(f"{name}, {n} seeds, 360 examples", false_wins(law, n, 360, experiments))
    yield f"{'splits that vary':44}    plain  corrected"
    for n in (3, 5, 10, 20):
        yield line(f"200 examples, a fifth held out, {n} seeds", false_wins_of_splits(n, 200, 0.2, experiments))


if __name__ == "__main__":
    for text in table(2000):
        print(text, flush=True)
