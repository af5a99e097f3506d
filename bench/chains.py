"""How many of the changes that a chain of experiments keeps are no better, by the levels of a study and by others.

`python bench/chains.py` simulates chains of experiments with two arms, paired t tests and seeds as in a report, prints
per cent, and writes bench/records/chains.json. It measures no speed: other work on the machine does not matter.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import record
from numpy.typing import NDArray
from scipy.special import stdtr

from core.analysis.statistics.online import level

CHAINS, LENGTH, ALPHA = 2_000, 30, 0.05
EFFECTS = {5: 2.0, 10: 1.5, 30: 0.8}
"""Of real changes, in standard deviations of a paired difference, by seeds: what so many seeds may well show."""
RNG = np.random.default_rng(20_261_129)

Floats = NDArray[np.float64]
Rule = Callable[[int, Sequence[int]], float]


@cache
def _level(position: int, found: tuple[int, ...]) -> float:
    return level(position, found, ALPHA)


def study(position: int, found: Sequence[int]) -> float:
    return min(2 * _level(position, tuple(found)), ALPHA)


RULES: dict[str, Rule] = {
    "a study (LORD++)": study,
    "alpha over the length, known before": lambda _position, _found: 2 * ALPHA / LENGTH,
    "0.05 each time": lambda _position, _found: ALPHA,
}


def chain(seeds: int, real: float, *, shared: bool, keeps: bool, late: int, rule: Rule) -> tuple[int, int, int, int]:
    """Return how many were kept, how many of these are no better, and of the real changes how many there were and
    were kept.

    `shared`: all experiments have the same seeds, so that the baseline's runs are the same; `keeps`: what is kept is
    the next baseline. `late`: decisions are known so many posts later than at once.
    """
    base, wrong, there, right = RNG.normal(size=seeds), 0, 0, 0
    kept: list[int] = []
    for position in range(1, LENGTH + 1):
        if not shared:
            base = RNG.normal(size=seeds)
        better = bool(RNG.random() < real)
        candidate = RNG.normal(size=seeds) + better * EFFECTS[seeds] * np.sqrt(2)
        d = candidate - base
        t = d.mean() / d.std(ddof=1) * np.sqrt(seeds)
        known = [min(one + late, LENGTH) for one in kept if one + late < position]
        there += better
        if t > 0 and 2 * stdtr(seeds - 1, -t) < rule(position, known):
            kept.append(position)
            wrong, right = wrong + (not better), right + better
            if keeps and shared:
                base = candidate - better * EFFECTS[seeds] * np.sqrt(2)  # it is the new zero
    return len(kept), wrong, there, right


def main() -> None:
    rows = []
    for seeds in EFFECTS:
        for real in (0.0, 0.1, 0.3):
            for shared, keeps, late in ((False, False, 0), (True, False, 0), (True, True, 0), (False, False, 4)):
                for name, rule in RULES.items():
                    found = np.array(
                        [
                            chain(seeds, real, shared=shared, keeps=keeps, late=late, rule=rule)
                            for _ in range(CHAINS if not late or name.startswith("a study") else 0)
                        ]
                    )
                    if not len(found):
                        continue
                    kept, wrong, there, right = found.T
                    row = {
                        "rule": name,
                        "seeds": seeds,
                        "real changes": real,
                        "baseline": "new seeds" if not shared else "its winner" if keeps else "the same runs",
                        "known after": late,
                        "false discovery rate": round(100 * float((wrong / np.maximum(kept, 1)).mean()), 2),
                        "chains with a false one": round(100 * float((wrong > 0).mean()), 1),
                        "of real changes kept": round(100 * float(right.sum() / max(there.sum(), 1)), 1),
                    }
                    rows.append(row)
                    print(row, flush=True)
    record.write("chains", chains=CHAINS, length=LENGTH, alpha=ALPHA, rows=rows)


if __name__ == "__main__":
    main()
