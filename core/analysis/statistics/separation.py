"""The difference of the two foremost arms that their pairs could show, and the seeds that would decide it."""

from collections.abc import Sequence

import numpy as np

from core.analysis.shapes import Detectable, SeedsNeeded, Separation
from core.analysis.statistics.intervals import Floats, moments
from core.analysis.statistics.judgement import LEVEL, Judgement
from core.analysis.statistics.power import POWER, detectable, seeds_needed
from core.metrics import Measure


def separation(judged: Judgement, values: Floats, labels: Sequence[str], measure: Measure) -> Separation:
    """Return `detectable` and `seeds_needed` of the two foremost arms `a` and `b`, each None where it cannot be said.

    They are the two best, or the baseline and the best other arm. `detectable.difference` is the smallest true
    difference that their `n` pairs show with 80 % power, `seeds_needed.seeds` how many pairs show the measured
    `difference` so (None: more than 10,000). Both take the measured `sd` of the differences for the true one, and test
    at `level`: 0.05 over the factor that Holm gave to this comparison. With few pairs the spread, and so both, is
    itself known only roughly.
    """
    nothing: Separation = {"detectable": None, "seeds_needed": None}
    second = next((i for i in judged.order if i != judged.reference), None)
    if judged.reference is None or second is None or measure.shared or not judged.paired:
        return nothing
    n, mean, sd = (float(field[0]) for field in moments(values[[judged.reference]] - values[[second]]))
    p = judged.found.p[judged.reference, second]
    if n < 2 or not sd > 0 or judged.found.ci_low[judged.reference, second] == mean or not np.isfinite(p):
        return nothing
    level = LEVEL / _factor(judged, float(p))
    a, b = labels[judged.reference], labels[second]
    seeds = seeds_needed(abs(mean) / sd, level)
    shown = detectable(int(n), level) * sd
    return {
        "detectable": Detectable(a=a, b=b, sd=sd, level=level, power=POWER, n=int(n), difference=shown),
        "seeds_needed": SeedsNeeded(a=a, b=b, sd=sd, level=level, power=POWER, difference=abs(mean), seeds=seeds),
    }


def _factor(judged: Judgement, p: float) -> int:
    """Return Holm's factor of p: the number of questions of the family that were not answered before it."""
    asked = judged.adjusted[np.triu_indices(len(judged.adjusted), k=1)]
    family = judged.found.p[np.triu_indices(len(judged.adjusted), k=1)][np.isfinite(asked)]
    return max(1, int((family >= p).sum()))
