"""Table of adaptive seeds: equal arms of which a look decides, and what is found with how many seeds."""

import numpy as np
from accepted import ERROR, Row, row
from laws import Floats, correlated
from numpy.typing import NDArray

from core.analysis.statistics.decisions import DecisionRule
from core.analysis.statistics.paired import paired_t
from core.analysis.statistics.sequential import look_levels
from core.analysis.statistics.sequential_decisions import LooksTaken, decide_at_looks

EXPERIMENTS, ALPHA = 10_000, 0.05
LOOKS = ((5, 10, 15, 20), (3, 6, 10), (5, 30))


def of_adaptive_seeds() -> list[Row]:
    """Wins at any look, at the levels of the looks and at .05 each; the seeds that were trained."""
    rows = []
    for looks in LOOKS:
        law, most = f"normal, looks after {', '.join(map(str, looks))}", looks[-1]

        for arms in (2, 4):
            x = correlated((EXPERIMENTS, arms, most), 0.5)
            pairs = arms * (arms - 1) // 2
            at = _first(x, looks, look_levels(looks, ALPHA / pairs))
            _check(x[:20], looks, at[:20] < len(looks))
            rows.append(
                row("false wins of adaptive seeds", law, most, (at < len(looks)).any(axis=1), arms=arms, accepted=ERROR)
            )
            plain = _first(x, looks, (ALPHA / pairs,) * len(looks))
            rows.append(row("false wins at looks of .05 each", law, most, (plain < len(looks)).any(axis=1), arms=arms))
        x = correlated((EXPERIMENTS, 2, most), 0.5) + np.array([[1.0], [0.0]])
        at = _first(x, looks, look_levels(looks, ALPHA))[:, 0]
        rows.append(row("wins found by adaptive seeds, better by 1 sd", law, most, at < len(looks), arms=2))
        rows.append(row("seeds trained for it, of the most", law, most, np.array([*looks, most])[at] / most, arms=2))
        rows.append(
            row("wins found by the most seeds at once", law, most, _first(x, looks[-1:], (ALPHA,))[:, 0] < 1, arms=2)
        )
    return rows


def _first(x: Floats, looks: tuple[int, ...], levels: tuple[float, ...]) -> NDArray[np.int64]:
    """Return the first look that decides each pair, (experiments, pairs), the number of looks where none does."""
    experiments, arms, _ = x.shape
    i, j = np.triu_indices(arms, k=1)
    found = np.full((experiments, len(i)), len(looks))
    for k, (n, level) in reversed([*enumerate(zip(looks, levels, strict=True))]):
        d = (x[:, i, :n] - x[:, j, :n]).reshape(-1, n)
        p = paired_t(d, np.abs(d).max(axis=1))[4].reshape(experiments, -1)
        found[p < level] = k
    return found


def _check(x: Floats, looks: tuple[int, ...], won: NDArray[np.bool_]) -> None:
    """Raise where the report's function decides otherwise."""
    arms = x.shape[1]
    taken = LooksTaken(looks, np.full(arms, len(looks)))
    none = np.zeros(x.shape[1:], dtype=bool)
    for one, mine in zip(x, won, strict=True):
        beats = decide_at_looks(one, none, DecisionRule(sign=1, alpha=ALPHA), taken).beats
        if ((beats | beats.T)[np.triu_indices(arms, k=1)] != mine).any():
            raise AssertionError(f"decide_at_looks says otherwise of {one}")
