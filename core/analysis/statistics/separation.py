"""The difference of the two foremost arms that their pairs could show, and the seeds that they want."""

from collections.abc import Sequence

import numpy as np

from core.analysis.shapes import Detectable, SeedsWanted, Separation
from core.analysis.statistics.decisions import ALPHA
from core.analysis.statistics.intervals import Floats, moments
from core.analysis.statistics.judgement import Judgement
from core.analysis.statistics.power import POWER, detectable
from core.analysis.statistics.seeds_wanted import planned_seeds, seeds_range
from core.metrics import Measure


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
    a range (see `seeds_range`). Both test at `level`: alpha over the factor that Holm gave to this comparison.
    """
    nothing: Separation = {"detectable": None, "seeds_wanted": None}
    second = next((i for i in judged.order if i != judged.reference), None)
    if judged.reference is None or second is None or measure.shared:
        return nothing
    pairs, mean, sd = (float(field[0]) for field in moments(values[[judged.reference]] - values[[second]]))
    n, p = int(pairs), judged.decisions.p[judged.reference, second]
    if n < 2 or not sd > 0 or judged.found.ci_low[judged.reference, second] == mean or not np.isfinite(p):
        return nothing
    level = alpha / _factor(judged, float(p))
    a, b = labels[judged.reference], labels[second]
    wanted = SeedsWanted(
        a=a, b=b, n=n, sd=sd, level=level, power=POWER, margin=margin, seeds=None, fewest=None, most=None
    )
    if margin is None:
        wanted["fewest"], wanted["most"] = seeds_range(mean / sd, n, level)
    else:
        wanted["seeds"] = planned_seeds(margin, sd, n, level)
    shown = detectable(n, level) * sd
    return {
        "detectable": Detectable(a=a, b=b, sd=sd, level=level, power=POWER, n=n, difference=shown),
        "seeds_wanted": wanted,
    }


def _factor(judged: Judgement, p: float) -> int:
    """Return Holm's factor of p: the number of questions of the family that were not answered before it."""
    asked = judged.adjusted[np.triu_indices(len(judged.adjusted), k=1)]
    family = judged.decisions.p[np.triu_indices(len(judged.adjusted), k=1)][np.isfinite(asked)]
    return max(1, int((family >= p).sum()))
