"""How often Student's t over data sets holds the true scaled difference, and calls equal arms different.

`python bench/blocks.py` draws grids over data sets whose outcomes differ in spread, prints per cent, and writes
bench/records/blocks.json. The formulas are those of `core.analysis.statistics.blocks` for values that are all there, of
all experiments at once; its tests hold the two together. It measures no speed: other work on the machine does not
matter.
"""

import itertools

import numpy as np
import record
from numpy.typing import NDArray
from scipy.special import gammaln, stdtr, stdtrit

EXPERIMENTS, EFFECT = 20_000, 0.5
"""The true mean difference of the first two arms, in standard deviations of a paired difference."""
RNG = np.random.default_rng(20_261_130)

Floats = NDArray[np.float64]


def values(law: str, sets: int, arms: int, seeds: int) -> tuple[Floats, Floats]:
    """Return outcomes (experiments, sets, arms, seeds) without any effect, and the spread of each set."""
    own = RNG.standard_normal((EXPERIMENTS, sets, arms, seeds))
    if law == "lognormal":
        own = (np.exp(own) - np.exp(0.5)) / np.sqrt((np.e - 1) * np.e)
    spread = np.exp(RNG.standard_normal((EXPERIMENTS, sets)))
    luck = RNG.standard_normal((EXPERIMENTS, sets, 1, seeds))
    return (own + luck) * spread[..., None, None], spread


def scaled(x: Floats) -> Floats:
    """Return the difference of the first two arms on each set, in that set's scale."""
    _, _, arms, seeds = x.shape
    mean = x.mean(axis=3, keepdims=True)
    rest = x - mean - x.mean(axis=2, keepdims=True) + x.mean(axis=(2, 3), keepdims=True)
    scale = np.sqrt(2 * (rest**2).sum(axis=(2, 3)) / ((arms - 1) * (seeds - 1)))
    return np.asarray((mean[:, :, 0, 0] - mean[:, :, 1, 0]) / scale)


def main() -> None:
    rows = []
    grid = itertools.product(("normal", "lognormal"), (3, 5, 10), (3, 5, 10), (2, 4), (0.0, 0.5))
    for law, sets, seeds, arms, varies in grid:
        x, spread = values(law, sets, arms, seeds)
        differs = varies * RNG.standard_normal((EXPERIMENTS, sets))
        unit = np.sqrt(2) * spread[..., None]
        freedom = (arms - 1) * (seeds - 1) / 2
        unbiased = np.exp(gammaln(freedom) - gammaln(freedom - 0.5)) / np.sqrt(freedom)
        x[:, :, 0] += differs[..., None] * unit
        null = scaled(x)
        t = null.mean(axis=1) / null.std(axis=1, ddof=1) * np.sqrt(sets)
        x[:, :, 0] += EFFECT * unit
        found = scaled(x) * unbiased
        half = stdtrit(sets - 1, 0.975) * found.std(axis=1, ddof=1) / np.sqrt(sets)
        row: dict[str, object] = {"law": law, "sets": sets, "seeds": seeds, "arms": arms, "effect varies by": varies}
        row["called different"] = round(100 * float((2 * stdtr(sets - 1, -np.abs(t)) < 0.05).mean()), 1)
        row["interval holds the effect"] = round(100 * float((np.abs(found.mean(axis=1) - EFFECT) <= half).mean()), 1)
        rows.append(row)
        print(row, flush=True)
    record.write("blocks", experiments=EXPERIMENTS, rows=rows)


if __name__ == "__main__":
    main()
