"""Tables of what else is said of few seeds: chances, plans, looks on the way, the fields of grids."""

import numpy as np
from accepted import ERROR, Row, row
from laws import NORMAL, RUNS, Floats, correlated
from scipy import stats

from core.analysis import Decision, RungRule, RungValues, decide_rung, pruned_arms, summarize
from core.analysis.statistics.best import chance_of_best
from core.analysis.statistics.factorial import factorial
from core.analysis.statistics.power import seeds_needed
from core.analysis.statistics.seeds_wanted import planned_seeds
from core.analysis.statistics.splits import resampled_errors
from core.datasets import DatasetPaths
from core.spec import parse
from core.training.designs import design_of

EXPERIMENTS, FEWER = 10_000, 1_000
HELD_OUT = 0.25
"""Examples held out over those trained on."""
NOTHING = summarize(np.zeros(3))


def of_chances() -> list[Row]:
    """Two equal arms of which one is called the best with more than .95: 10 % is right."""
    rows = []
    ratios, rho = np.full(2, HELD_OUT), HELD_OUT / (1 + HELD_OUT)
    for n in RUNS:
        none = np.zeros((2, n), dtype=bool)
        sure = [chance_of_best(x, none, 1).max() > 0.95 for x in correlated((EXPERIMENTS, 2, n), 0.5)]
        rows.append(row("p_best above .95", "normal, two equal arms", n, sure, arms=2, accepted=(8.7, 11.5)))
        shared = np.sqrt(rho) * NORMAL.draw((EXPERIMENTS, 2, 1)) + np.sqrt(1 - rho) * NORMAL.draw((EXPERIMENTS, 2, n))
        errors = [resampled_errors(x, ratios) for x in shared]
        sure = [chance_of_best(x, none, 1, errors=e).max() > 0.95 for x, e in zip(shared, errors, strict=True)]
        law = "normal, two equal arms, a split for every seed"
        rows.append(row("p_best above .95", law, n, sure, arms=2, accepted=(0.0, 14.0)))
    return rows


def of_plans() -> list[Row]:
    """Pilots whose plan has at least 80 % power at the margin of half a spread: 80 % is right."""
    enough = seeds_needed(0.5, 0.05)
    assert enough is not None
    rows = []
    for n in RUNS:
        spreads = NORMAL.draw((EXPERIMENTS, n)).std(axis=1, ddof=1)
        planned = [planned_seeds(0.5, float(sd), n, 0.05) for sd in spreads]
        held = [seeds is None or seeds >= enough for seeds in planned]
        rows.append(row("seeds wanted have their power", "normal, margin 0.5 sd", n, held, accepted=(79.0, 82.5)))
        naive = [seeds is None or seeds >= enough for seeds in (seeds_needed(0.5 / float(sd), 0.05) for sd in spreads)]
        rows.append(row("the measured spread as the true one", "normal, margin 0.5 sd", n, naive))
    rows.append(_followed())
    return rows


def _followed() -> Row:
    """Equal arms at five seeds, of which the measured difference asked for more; who trains those, once, and tests."""
    n, false = 5, []
    for d in NORMAL.draw((EXPERIMENTS, n)):
        more = seeds_needed(float(d.mean() / d.std(ddof=1)), 0.05) or 0
        whole = np.concatenate([d, NORMAL.draw((min(max(0, more - n), 2_000),))])
        false += [any(_p(part) < 0.05 for part in (d, whole))]
    return row("false wins of who follows the measured difference", "normal, two equal arms", n, false, arms=2)


def _p(d: Floats) -> float:
    return float(2 * stats.t.sf(abs(d.mean()) / (d.std(ddof=1) / len(d) ** 0.5), len(d) - 1))


def of_looks() -> list[Row]:
    """Four equal arms, looked at three times while they learn, of which any is pruned."""
    arms = [{"label": f"arm {i}"} for i in range(4)]
    spec = parse({"arms": arms, "seeds": 3, "epochs": 16, "pruning": {}})
    rows = []
    for n in RUNS:
        design = design_of(parse(spec.canonical() | {"seeds": n}), task="multiclass", paths=DatasetPaths())
        for share in (0.0, 0.1):
            wrong: list[bool] = []
            for _ in range(FEWER):
                values, looks = correlated((1, 4, n), 0.5)[0], list[Decision]()
                lost = np.zeros(values.shape, dtype=bool)
                for epoch in (4, 8, 12):
                    values = values + 0.5 * correlated((1, 4, n), 0.5)[0]
                    lost = lost | (np.random.default_rng(epoch + len(wrong)).random(values.shape) < share / 3)
                    seen = RungValues(np.where(lost, np.nan, values), lost)
                    rule = RungRule(metric="valid_accuracy", looks=3, level=0.05)
                    looks.append(decide_rung(design, rule, epoch=epoch, measured=seen, before=looks))
                wrong.append(bool(pruned_arms(looks)))
            law = "normal, learning" + (f", {100 * share:.0f} % of runs lost" if share else "")
            rows.append(row("false prunings over three looks", law, n, wrong, arms=4, accepted=(0.0, 6.0)))
    return rows


def of_grids() -> list[Row]:
    """Grids of 5 x 5 cells without any effect: effects found, and the mean share of the variation, corrected."""
    sizes, rates = [8, 16, 32, 64, 128], [0.1, 0.2, 0.3, 0.4, 0.5]
    rows = []
    for n in RUNS:
        spec = parse({"grid": {"batch_size": sizes, "optimizer.lr": rates}, "seeds": n})
        design = design_of(spec, task="multiclass", paths=DatasetPaths())
        found, shares = [], []
        for cells in correlated((EXPERIMENTS, 25, n), 0.5):
            told = factorial(design, cells, [NOTHING] * 25)
            assert told is not None
            found.append(any((one["p_adjusted"] or 1.0) < 0.05 for one in told["effects"]))
            shares.append([(one["share"] or 0.0, one["share_corrected"] or 0.0) for one in told["terms"]])
        law = "normal, 5 x 5 cells without an effect"
        rows.append(row("false effects of a grid", law, n, found, arms=25, accepted=ERROR))
        for name, pair in zip(("first field", "second field", "interaction"), np.mean(shares, axis=0), strict=True):
            for what, share in zip(("as measured", "less chance"), pair, strict=True):
                rows.append(row(f"share of the {name}, {what}", law, n, [share] * EXPERIMENTS, arms=25))
    return rows
