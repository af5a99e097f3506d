"""Tables of claims: how often the verdict, and others, claim what is not so, and find what is."""

import numpy as np
from accepted import AT_LEAST, ERROR, Row, row
from claims import PEERS, decisions, verdicts
from laws import RNG, RUNS, correlated

from core.analysis.statistics.decisions import DecisionRule
from core.analysis.statistics.unpaired import decide_unpaired

EXPERIMENTS, FEWER = 10_000, 1_000
STEP = 0.5
"""The difference of neighbours on the staircase, in spreads of a run."""


def of_places() -> list[Row]:
    """Staircases of five arms: the places hold every arm's true one, and no place contradicts a win."""
    rows, truth = [], np.array([5, 4, 3, 2, 1])
    for n in RUNS:
        x = correlated((EXPERIMENTS, 5, n), 0.5) + STEP * np.arange(5)[:, None]
        beats = verdicts(x).beats
        low, high = 1 + beats.sum(axis=1), 5 - beats.sum(axis=2)
        law = "normal staircase, steps of 0.5 sd"
        rows.append(row("places", law, n, ((low <= truth) & (truth <= high)).all(axis=1), arms=5, accepted=AT_LEAST))
        contradicted = (beats & (low[:, :, None] > low[:, None, :])).any(axis=(1, 2))
        rows.append(row("a place contradicts a win", law, n, contradicted, arms=5, accepted=(0.0, 0.0)))
    return rows


def of_margins() -> list[Row]:
    """Two arms that are as far apart as the margin and called equivalent; and two equal ones that are."""
    rows = []
    for n in RUNS:
        apart = correlated((EXPERIMENTS, 2, n), 0.5) + np.array([[1.0], [0.0]])
        false = verdicts(apart, margin=1.0).equivalent[:, 0, 1]
        rows.append(row("false equivalence", "normal, apart by the margin of 1 sd", n, false, arms=2, accepted=ERROR))
        named = verdicts(correlated((EXPERIMENTS, 2, n), 0.5), margin=2.0).equivalent[:, 0, 1]
        rows.append(row("equivalence found", "normal, equal, a margin of 2 sd", n, named, arms=2))
    return rows


def of_unpaired_runs() -> list[Row]:
    """Arms whose runs have nothing in common, of one spread and of two: Welch's t, and its intervals."""
    rows, rule = list[Row](), DecisionRule(sign=1)
    for wide in (1.0, 3.0):
        for n in RUNS:
            x = correlated((EXPERIMENTS, 2, n), 0.0) * np.array([[1.0], [wide]])
            nothing = np.zeros((2, n), dtype=bool)
            found = [decide_unpaired(one, nothing, rule) for one in x]
            law = f"normal, not paired, the second arm {wide:g} times as wide"
            false = [one.beats.any() for one in found]
            rows.append(row("false wins, unpaired", law, n, false, arms=2, accepted=ERROR))
            held = [one.ci_low[0, 1] <= 0 <= one.ci_high[0, 1] for one in found]
            rows.append(row("intervals, unpaired", law, n, held, arms=2, accepted=AT_LEAST))
    return rows


def of_lost_runs() -> list[Row]:
    """Arms that lose runs: equal ones called different, and one that is better by 10 sd and loses one run in twenty."""
    rows = []
    for n in (3, 5, 6, 10, 20, 30):
        for share, experiments in ((0.1, EXPERIMENTS), (0.3, 2 * FEWER)):
            shape = (experiments, 2, n)
            lost = RNG.random(shape) < share
            x = np.where(lost, np.nan, correlated(shape, 0.5))
            false = [one.beats.any() for one in decisions(x, lost)]
            law = f"normal, {100 * share:.0f} % of runs lost"
            accepted = ERROR if share == 0.1 else (0.0, 6.5)
            rows.append(row("false wins", law, n, false, arms=2, accepted=accepted))
        shape = (FEWER, 2, n)
        lost = (RNG.random(shape) < 0.05) & (np.arange(2) == 0)[:, None]
        x = np.where(lost, np.nan, correlated(shape, 0.5) + np.array([[10.0], [0.0]]))
        won = [one.beats[0, 1] for one in decisions(x, lost)]
        rows.append(row("wins found", "better by 10 sd, 5 % of its runs lost", n, won, arms=2))
    return rows


def of_peers() -> list[Row]:
    """The same runs judged by others: false claims about equal arms, and how often the better arm is found."""
    rows = []
    for rho in (0.0, 0.5):
        for arms in (2, 7):
            for n in RUNS:
                equal, law = correlated((FEWER, arms, n), rho), f"normal, correlation {rho:g}"
                best = equal.copy()
                best[:, 0] += 1.0
                for name, claims in PEERS.items():
                    false = claims(equal).any(axis=(1, 2))
                    rows.append(row(f"false claims: {name}", f"{law}, equal arms", n, false, arms=arms))
                    found = claims(best)[:, 0, 1:].mean(axis=1)
                    rows.append(row(f"pairs found: {name}", f"{law}, one better by 1 sd", n, found, arms=arms))
    return rows
