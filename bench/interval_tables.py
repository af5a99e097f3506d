"""Tables of intervals: how often they hold the truth."""

import math
from collections.abc import Callable

import numpy as np
from accepted import AT_LEAST, COVERAGE, ERROR, Row, row
from claims import percentile_interval, verdicts
from laws import HARD, HARD_ARMS, NORMAL, RUNS, Floats, Law, correlated
from numpy.typing import NDArray
from scipy import stats

from core.analysis import summaries
from core.analysis.statistics.intervals import BOOTSTRAP_FROM, bca
from core.analysis.statistics.robust import LEAST, signed_rank

EXPERIMENTS, FEWER = 10_000, 1_000
Bounds = tuple[Floats, Floats]
Held = NDArray[np.bool_]


def of_report(x: Floats, confidence: float = 0.95) -> Bounds:
    """The interval of an arm in the report."""
    found = summaries(x, 1 - confidence)
    return np.array([s.ci_low for s in found]), np.array([s.ci_high for s in found])


def students(x: Floats) -> Bounds:
    """Student's t."""
    half = stats.t.ppf(0.975, x.shape[1] - 1) * x.std(axis=1, ddof=1) / math.sqrt(x.shape[1])
    return x.mean(axis=1) - half, x.mean(axis=1) + half


def normal(x: Floats) -> Bounds:
    """Mean and 1.96 standard errors: what many a tool draws."""
    half = -stats.norm.ppf(0.025) * x.std(axis=1, ddof=1) / math.sqrt(x.shape[1])
    return x.mean(axis=1) - half, x.mean(axis=1) + half


def plain_bca(x: Floats) -> Bounds:
    """BCa as scipy has it; in parts, as the resamples of all experiments at once would take gigabytes."""
    varied = x.std(axis=1) > 0
    low, high = x.mean(axis=1), x.mean(axis=1)
    found = [bca(part, float(-stats.norm.ppf(0.025))) for part in np.array_split(x[varied], 20)]
    low[varied], high[varied] = (np.concatenate(side) for side in zip(*found, strict=True))
    return low, high


INTERVALS: dict[str, Callable[[Floats], Bounds]] = {
    "an arm's interval": of_report,
    "Student's t": students,
    "BCa, not expanded": plain_bca,
    "mean ± 1.96 standard errors": normal,
}


def of_one_arm() -> list[Row]:
    """The interval of an arm's mean, beside those not taken."""
    rows = []
    for law in (NORMAL, *HARD):
        for n in RUNS:
            x = law.draw((EXPERIMENTS if law is NORMAL else 2 * FEWER, n))
            for name, bounds in INTERVALS.items():
                if name.startswith("BCa") and n < BOOTSTRAP_FROM:
                    continue
                strict = law is NORMAL and name in ("an arm's interval", "Student's t")
                held = _holds(*bounds(x), law.mean)
                rows.append(row(name, law.name, n, held, accepted=COVERAGE if strict else None))
            low, high = percentile_interval(x[:FEWER])
            held = _holds(low, high, _interquartile_mean(law))
            rows.append(row("interquartile mean, percentile (rliable)", law.name, n, held))
    return rows


def of_equal_arms() -> list[Row]:
    """Experiments of equal arms: false wins, and the intervals of a pair, of all pairs together, and robust ones."""
    rows = []
    for arms in (2, 7):
        for n in RUNS:
            x = correlated((EXPERIMENTS, arms, n), 0.5)
            rows += [*_of_pairs(x, "normal, correlation 0.5", strict=True), _leader(x)]
    for law in HARD_ARMS:
        for n in RUNS:
            rows += _of_pairs(law.draw((EXPERIMENTS, 2, n)), law.name, strict=False)
    return rows


def _of_pairs(x: Floats, law: str, *, strict: bool) -> list[Row]:
    _, arms, n = x.shape
    found, upper = verdicts(x), (slice(None), *np.triu_indices(arms, k=1))

    def told(method: str, held: Held, accepted: tuple[float, float]) -> Row:
        return row(method, law, n, held, arms=arms, accepted=accepted if strict else None)

    low, high = found.low[upper], found.high[upper]
    alone = _holds(found.own_low[:, 0, 1], found.own_high[:, 0, 1], 0.0)
    rows = [
        told("false wins", np.asarray(found.beats.any(axis=(1, 2))), ERROR),
        told("a pair's own interval", alone, COVERAGE),
        told(
            "intervals of all pairs together",
            np.asarray((_holds(low, high, 0.0) | np.isnan(low)).all(axis=1)),
            AT_LEAST,
        ),
    ]
    if n >= LEAST:
        limits = [signed_rank(d, 0.05) for d in x[:, 0] - x[:, 1]]
        held = [one is None or one.ci_low - 1e-12 <= 0 <= one.ci_high + 1e-12 for one in limits]
        rows.append(told("signed-rank limits (robust)", np.array(held), AT_LEAST))
    return rows


def _leader(x: Floats) -> Row:
    """The interval of the arm that the data chose, at 1 - .05 / k; its mean is that of all."""
    _, arms, n = x.shape
    best = np.take_along_axis(x, x.mean(axis=2).argmax(axis=1)[:, None, None], axis=1)[:, 0]
    held = _holds(*of_report(best, 1 - 0.05 / arms), 0.0)
    accepted = AT_LEAST if n < BOOTSTRAP_FROM else None  # BCa is rough so far out: it is only told
    return row("the best arm's interval", "normal, correlation 0.5", n, held, arms=arms, accepted=accepted)


def _holds(low: Floats, high: Floats, truth: float) -> Held:
    return np.asarray((low <= truth + 1e-12) & (truth - 1e-12 <= high))


def _interquartile_mean(law: Law) -> float:
    drawn = np.sort(law.draw((1_000_000,)))
    return float(drawn[250_000:750_000].mean())
