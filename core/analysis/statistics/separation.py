"""The difference of the two foremost arms that their pairs could show, and the seeds that they want."""

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from core.analysis.shapes import Detectable, SeedsWanted, Separation
from core.analysis.statistics.decisions import ALPHA
from core.analysis.statistics.intervals import Floats, moments
from core.analysis.statistics.judgement import Judgement
from core.analysis.statistics.power import POWER, detectable
from core.analysis.statistics.seeds_wanted import planned_seeds, seeds_range
from core.metrics import Measure

_NOTHING = 1e-6
"""A floor below this part of sd is rounding: the error is that of the seeds alone."""

NO_SEPARATION: Separation = {"detectable": None, "seeds_wanted": None}
"""The answer where nothing can be said, or is to be planned: adaptive seeds plan themselves."""


def separation(
    judged: Judgement,
    values: Floats,
    labels: Sequence[str],
    measure: Measure,
    *,
    margin: float | None = None,
    alpha: float = ALPHA,
) -> Separation:
    """Return `detectable` and `seeds_wanted` of the two foremost arms `a` and `b`, each None where it cannot be said.

    They are the two best, or the baseline and the best other arm. `detectable.difference` is the smallest true
    difference that their `n` pairs show with 80 % power, if the measured `sd` of the differences is the true one.
    `seeds_wanted` are the pairs that would tell them apart: planned on the margin (see `planned_seeds`), or without one
    a range (see `seeds_range`). Both test at `level`: alpha over the factor that Holm gave to this comparison, and by
    the standard error that the verdict has: `floor` is the part of it that no number of seeds takes away, as what the
    splits of one data set, or the examples that are judged, have in common.
    """
    second = next((i for i in judged.order if i != judged.reference), None)
    if judged.reference is None or second is None or measure.shared or not judged.paired:
        return NO_SEPARATION
    pairs, mean, sd = (float(field[0]) for field in moments(values[[judged.reference]] - values[[second]]))
    n, p = int(pairs), judged.decisions.p[judged.reference, second]
    if n < 2 or not 0 < sd < np.inf or judged.found.ci_low[judged.reference, second] == mean or not np.isfinite(p):
        return NO_SEPARATION
    level = alpha / _factor(judged, float(p))
    df = judged.found.df[judged.reference, second]
    error = (judged.found.ci_high[judged.reference, second] - mean) / -stdtrit(df, alpha / 2)
    floor = float(np.sqrt(max(0.0, (error / sd) ** 2 - 1 / n)))
    floor = floor if _NOTHING < floor < np.inf else 0.0
    a, b = labels[judged.reference], labels[second]
    wanted = SeedsWanted(
        a=a,
        b=b,
        n=n,
        sd=sd,
        level=level,
        power=POWER,
        margin=margin,
        floor=floor * sd,
        seeds=None,
        fewest=None,
        most=None,
    )
    if margin is None:
        wanted["fewest"], wanted["most"] = seeds_range(mean / sd, n, level, floor)
    else:
        wanted["seeds"] = planned_seeds(margin, sd, n, level, floor)
    shown = detectable(n, level, floor)
    shown = None if shown is None or not np.isfinite(shown * sd) else shown * sd
    return {
        "detectable": None
        if shown is None
        else Detectable(a=a, b=b, sd=sd, level=level, power=POWER, n=n, difference=shown),
        "seeds_wanted": wanted,
    }


def _factor(judged: Judgement, p: float) -> int:
    """Return Holm's factor of p: the number of questions of the family that were not answered before it."""
    asked = judged.adjusted[np.triu_indices(len(judged.adjusted), k=1)]
    family = judged.decisions.p[np.triu_indices(len(judged.adjusted), k=1)][np.isfinite(asked)]
    return max(1, int((family >= p).sum()))
