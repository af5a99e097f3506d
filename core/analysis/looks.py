"""Looks at adaptive seeds: which comparisons are decided by now, and which arms more seeds are trained of."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.outcomes import final_values
from core.analysis.statistics.decisions import OPEN, DecisionRule
from core.analysis.statistics.intervals import Floats
from core.analysis.statistics.sequential import Course, course, look_levels
from core.analysis.statistics.sequential_decisions import LooksTaken, decide_pair
from core.design import Design
from core.finite import finite_or_none
from core.results import Results

Look = Mapping[str, Any]
"""One look, plain and JSON-able: the `seeds` until then, the `metric` judged, the two-sided `level` of each of so many
`comparisons`; the `pairs` that were open until then, each with its arms `a` and `b`, the `n` seeds of both, the
`difference` a - b with its interval at the level (`ci_low`, `ci_high`), `p`, `p_equivalence`, the `test` and the
`decision` of a against b; and the `arms` that are trained with the seeds up to the next look, none where this was the
last."""


def take_look(results: Results) -> Look:
    """Judge the comparisons that are still open, after the seeds of the next look; by the stored numbers alone.

    Each of the m comparisons of the design has the error `alpha` / m over all looks: it is decided at the level that
    `look_levels` gives to this one. What a look has decided is not asked again. A run that diverged is the worst there
    is; one that failed is in no comparison. An arm goes on while a comparison of it is open, and until the last look.

    The intervals of all looks together hold each true difference with the chance 1 - alpha / m (repeated confidence
    intervals, Jennison and Turnbull 1989, doi:10.1111/j.2517-6161.1989.tb01433.x), whenever the arms came to their end.
    Raises ValueError for a design without a further look.
    """
    design, before = results.design, results.looks
    if len(before) >= len(design.looks):
        raise ValueError("there is no further look")
    n = design.looks[len(before)]
    level = look_levels(tuple(design.looks), design.alpha / len(design.pairs))[len(before)]
    metric = design.primary
    values = final_values(results, metric.name)[:, :n]
    lost = _finished(results)[:, :n] & ~np.isfinite(values)
    rule = DecisionRule(sign=metric.sign, margin=design.margin, rounding=metric.rounding)
    judged = [_judge(design, pair, values, lost, rule, level) for pair in _open_pairs(design, before)]
    still = {label for one in judged if one["decision"] == OPEN for label in (one["a"], one["b"])}
    last = n == design.looks[-1]
    return {
        "seeds": n,
        "metric": metric.name,
        "level": level,
        "comparisons": len(design.pairs),
        "pairs": judged,
        "arms": [] if last else [label for label in design.labels if label in still],
    }


def looks_taken(results: Results) -> LooksTaken | None:
    """Return the looks of adaptive seeds, and how many of them each arm has come to; None where seeds are not."""
    if not results.design.looks:
        return None
    further = [set(look["arms"]) for look in results.looks[:-1]]
    reached = [
        sum(1 for k in range(len(results.looks)) if not k or label in further[k - 1]) for label in results.design.labels
    ]
    return LooksTaken(tuple(results.design.looks), np.array(reached))


def outline(look: Look) -> dict[str, Any]:
    """Return a look without its comparisons that are `open`, of which it has the number: few numbers for many arms."""
    decided = [one for one in look["pairs"] if one["decision"] != OPEN]
    about = {name: look[name] for name in ("seeds", "metric", "level", "comparisons", "arms")}
    return about | {"decided": decided, "open": len(look["pairs"]) - len(decided)}


def foresee(design: Design, effect: float) -> tuple[Course, float]:
    """Return the course of each comparison if all arms differ by so many standard deviations, and an arm's mean seeds.

    An arm is trained until the longest of its comparisons has ended.
    """
    pairs = design.pairs
    each = course(tuple(design.looks), design.alpha / len(pairs), effect)
    of_arm = Counter(arm for pair in pairs for arm in pair)
    return each, sum(each.seeds(number) for number in of_arm.values()) / len(of_arm)


def decided_by(looks: Sequence[Look]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return what became of every comparison, by its arms: as the look that decided it, or else the last, found it.

    Each is one of `pairs`, with the `seeds` and the `level` of its look.
    """
    return {
        (one["a"], one["b"]): {**one, "seeds": look["seeds"], "level": look["level"]}
        for look in looks
        for one in look["pairs"]
    }


def _open_pairs(design: Design, before: Sequence[Look]) -> list[tuple[int, int]]:
    if not before:
        return design.pairs
    places = {label: i for i, label in enumerate(design.labels)}
    return [(places[one["a"]], places[one["b"]]) for one in before[-1]["pairs"] if one["decision"] == OPEN]


def _judge(
    design: Design, pair: tuple[int, int], values: Floats, lost: NDArray[np.bool_], rule: DecisionRule, level: float
) -> dict[str, Any]:
    """Return one comparison as a look has it."""
    made = decide_pair(values[[*pair]], lost[[*pair]], rule, level)
    numbers = ("ci_low", "ci_high", "p", "p_equivalence")
    return {
        "a": design.labels[pair[0]],
        "b": design.labels[pair[1]],
        "n": int(made.found.n[0, 1]),
        "difference": finite_or_none(float(made.found.difference[0, 1])),
        **{name: finite_or_none(float(getattr(made, name)[0, 1])) for name in numbers},
        "test": str(made.test[0, 1]),
        "decision": str(made.decision[0, 1]),
    }


def _finished(results: Results) -> NDArray[np.bool_]:
    """Return which runs (arms, seeds) have succeeded."""
    ended = ((run.arm, run.seed, 1.0) for run in results.runs if run.status == "succeeded")
    return np.isfinite(results.design.matrix(ended))
