"""The part of a report that compares arms in pairs."""

from collections.abc import Sequence

import numpy as np

from core.analysis.shapes import Beats, Comparison
from core.analysis.statistics.chances import sign_flip
from core.analysis.statistics.intervals import Floats
from core.analysis.statistics.judgement import Judgement
from core.finite import finite_or_none

ALL_PAIRS = 24
"""Arms up to which all their pairs are listed, 276 at most; beyond, those of the best arm."""


def comparisons(labels: Sequence[str], judged: Judgement, values: Floats, *, all_pairs: bool) -> list[Comparison]:
    """Return the reference's comparisons, best other arm first, and with `all_pairs` those of the others."""
    if judged.reference is None:
        return []
    order = [*judged.order, *(i for i in range(len(labels)) if i not in set(judged.order))]
    rest = [i for i in order if i != judged.reference]
    pairs = [(judged.reference, i) for i in rest]
    if all_pairs and len(labels) <= ALL_PAIRS:
        pairs += [(a, b) for k, a in enumerate(rest) for b in rest[k + 1 :]]
    if not pairs:
        return []
    a, b = np.array(pairs).T
    flipped = sign_flip(values[a] - values[b])
    return [_comparison(labels, judged, i, j, float(flipped[k])) for k, (i, j) in enumerate(pairs)]


def _comparison(labels: Sequence[str], judged: Judgement, i: int, j: int, p_sign_flip: float) -> Comparison:
    found = judged.found
    return {
        "a": labels[i],
        "b": labels[j],
        "n": int(found.n[i, j]),
        "difference": finite_or_none(found.difference[i, j]),
        "ci_low": finite_or_none(found.ci_low[i, j]),
        "ci_high": finite_or_none(found.ci_high[i, j]),
        "p": finite_or_none(found.p[i, j]),
        "effect_size": finite_or_none(found.effect_size[i, j]),
        "p_adjusted": finite_or_none(judged.adjusted[i, j]),
        "p_sign_flip": finite_or_none(p_sign_flip),
        "lost": [int(judged.lost[i]), int(judged.lost[j])],
        "finished": [int(judged.finished[i]), int(judged.finished[j])],
        "p_lost": finite_or_none(judged.p_lost[i, j]),
        "p_lost_adjusted": finite_or_none(judged.adjusted_lost[i, j]),
        "better": labels[i] if judged.beats[i, j] else labels[j] if judged.beats[j, i] else None,
    }


def beats(listed: Sequence[Comparison]) -> list[Beats]:
    """Return the listed comparisons that are decided, seen from the winner."""
    return [_beats(c, turned=c["better"] == c["b"]) for c in listed if c["better"] is not None]


def _beats(c: Comparison, *, turned: bool) -> Beats:
    low, high = (c["ci_high"], c["ci_low"]) if turned else (c["ci_low"], c["ci_high"])
    return {
        "winner": c["b"] if turned else c["a"],
        "loser": c["a"] if turned else c["b"],
        "n": c["n"],
        "difference": _seen(c["difference"], turned=turned),
        "ci_low": _seen(low, turned=turned),
        "ci_high": _seen(high, turned=turned),
        "p_adjusted": c["p_adjusted"],
        "p_lost_adjusted": c["p_lost_adjusted"],
    }


def _seen(value: float | None, *, turned: bool) -> float | None:
    return -value if turned and value is not None else value
