"""The part of a report that compares arms in pairs."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from core.analysis.shapes import (
    Beats,
    Comparison,
    Decided,
    DecidedPair,
    DecidingTest,
    OpenPair,
)
from core.analysis.statistics.chances import sign_flip
from core.analysis.statistics.intervals import Floats
from core.analysis.statistics.judgement import Judgement
from core.analysis.statistics.robust import Robust, signed_rank
from core.finite import finite_or_none

ALL_PAIRS = 24
"""Arms up to which all their pairs are listed, 276 at most; beyond, those of the best arm."""


def comparisons(
    labels: Sequence[str], judged: Judgement, values: Floats, *, alpha: float, all_pairs: bool
) -> list[Comparison]:
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
    d = values[a] - values[b] if judged.paired else np.full((len(pairs), 1), np.nan)
    if judged.paired and judged.decisions.until is not None:  # a second opinion is on what the first was on
        d[np.arange(d.shape[1]) >= judged.decisions.until[a, b][:, None]] = np.nan
    flipped = sign_flip(d)
    return [
        _comparison(labels, judged, i, j, float(flipped[k]), signed_rank(d[k], alpha)) for k, (i, j) in enumerate(pairs)
    ]


def _comparison(
    labels: Sequence[str], judged: Judgement, i: int, j: int, p_sign_flip: float, robust: Robust | None
) -> Comparison:
    found, decisions = judged.found, judged.decisions
    test = cast(DecidingTest | None, str(decisions.test[i, j]) or None)
    by_ranks = test == "ranks"
    p = found.p if test is None or by_ranks else decisions.p
    return {
        "a": labels[i],
        "b": labels[j],
        "n": int(found.n[i, j]),
        "paired": judged.paired,
        "difference": finite_or_none(found.difference[i, j]),
        "ci_low": finite_or_none(decisions.ci_low[i, j]),
        "ci_high": finite_or_none(decisions.ci_high[i, j]),
        "individual": {
            "ci_low": finite_or_none(found.ci_low[i, j]),
            "ci_high": finite_or_none(found.ci_high[i, j]),
        },
        "p": finite_or_none(p[i, j]),
        "effect_size": finite_or_none(found.effect_size[i, j]),
        "test": test,
        "p_adjusted": finite_or_none(decisions.p_adjusted[i, j]),
        "p_ranks": finite_or_none(decisions.p[i, j]) if by_ranks else None,
        "p_equivalence": finite_or_none(decisions.p_equivalence[i, j]),
        "p_sign_flip": finite_or_none(p_sign_flip),
        "robust": None
        if robust is None
        else {"estimate": robust.estimate, "ci_low": robust.ci_low, "ci_high": robust.ci_high},
        "lost": [int(judged.lost[i]), int(judged.lost[j])],
        "finished": [int(judged.finished[i]), int(judged.finished[j])],
        "p_lost": finite_or_none(judged.p_lost[i, j]),
        "p_lost_adjusted": finite_or_none(judged.adjusted_lost[i, j]),
        "decision": cast(Decided, str(decisions.decision[i, j])),
        "better": labels[i] if judged.beats[i, j] else labels[j] if judged.beats[j, i] else None,
    }


def decided_pairs(listed: Sequence[Comparison]) -> list[DecidedPair]:
    """Return the listed pairs that are decided, the better arm first."""
    found: list[DecidedPair] = []
    for c in listed:
        if c["decision"] == "equivalent":
            found.append({"a": c["a"], "b": c["b"], "decision": "equivalent"})
        elif c["decision"] != "open":
            a, b = (c["a"], c["b"]) if c["decision"] == "better" else (c["b"], c["a"])
            found.append({"a": a, "b": b, "decision": "better"})
    return found


def open_pairs(listed: Sequence[Comparison]) -> list[OpenPair]:
    """Return the listed pairs that are not decided."""
    return [{"a": c["a"], "b": c["b"]} for c in listed if c["decision"] == "open"]


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
