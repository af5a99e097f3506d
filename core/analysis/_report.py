"""From the runs of an experiment to its report: intervals, paired comparisons, a verdict and what to beware of."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis._kinds import of_its_kind
from core.analysis._numbers import direction
from core.analysis._paired import Comparisons, Floats, Summary, compare, holm, summarize
from core.analysis._verdict import verdict
from core.analysis._warnings import warn
from core.errors import InvalidSpec
from core.registry import unknown
from core.results import Results, RunResult

LEVEL = 0.05


def report(results: Results, metric: str | None = None) -> dict[str, Any]:
    """The last value of `metric` of every arm, and whether the arms differ.

    Where none is asked for, the metric is the validation accuracy, in regression the validation loss.

    - `arms`, in the spec's order: `n` finished runs with a finite last value, their `mean`, `sd` and 95 % Student t
      interval `ci_low`, `ci_high` (None below two runs); of all `runs` how many `diverged` (their values are in no
      mean), `failed`, are `unfinished` (queued, running or cancelled) or finished with no finite value (`not_finite`).
    - `comparisons` of one arm `a` with each other arm `b`: `difference` a - b over the `n` seeds that both finished,
      its interval, the paired t test's `p`, `p_adjusted` by Holm, `effect_size` (see `compare`). Best `b` first.
      Without a baseline `a` is the arm with the best mean of two or more runs. The data chose it, so the family that
      Holm corrects for is all pairs of arms: whichever had come out on top, its comparisons are covered. With a
      baseline `a` is the baseline, named before the data, and the family is its k - 1 comparisons.
    - `verdict`: `text`, and `groups` of labels, best first, of the arms that have a mean. Without a baseline: the best
      arm with all that cannot be told apart from it (adjusted p of 0.05 or more, or no test possible), then the same
      among the rest. With one: the arms better than it, it and those that cannot be told apart from it, the worse.
    - `warnings`: sentences on what the numbers cannot carry.
    - what the experiment's kind adds or puts in place of these: see `of_its_kind`.

    No number is ever NaN or infinite: what has no answer is None. Raises `InvalidSpec` for a metric that is no outcome.
    """
    metric = metric or results.outcomes[0]
    if metric not in results.outcomes:
        raise InvalidSpec([unknown("outcome", metric, results.outcomes, "metric")])
    labels = [arm.label for arm in results.spec.expanded]
    values = final_values(results, metric)
    summaries = [summarize(row) for row in values]
    order = best_first(summaries, metric)
    found = compare(values)
    baseline = results.spec.baseline
    reference = labels.index(baseline) if baseline is not None else order[0] if order else None
    adjusted = _adjusted(found, reference if baseline is not None else None)
    if baseline is not None and reference in order:
        groups = _around(order, np.where(adjusted[reference] < LEVEL, found.difference[reference], 0.0), metric)
    else:
        groups = _peeled(order, adjusted < LEVEL)
    answer: dict[str, Any] = {
        "metric": metric,
        "baseline": baseline,
        "arms": [_arm(label, s, results.runs) for label, s in zip(labels, summaries, strict=True)],
        "comparisons": _comparisons(labels, found, adjusted, reference, order),
    }
    labelled = [[labels[i] for i in group] for group in groups]
    answer["verdict"] = {"text": verdict(answer, labelled), "groups": labelled}
    answer["warnings"] = warn(answer, results)
    return of_its_kind(answer, results)


def final_values(results: Results, metric: str) -> Floats:
    """Last values (arms, seeds) in the spec's order; NaN where a run has not finished, diverged, or has no value."""
    arms = {arm.label: i for i, arm in enumerate(results.spec.expanded)}
    seeds = {seed: i for i, seed in enumerate(results.spec.seed_list)}
    values = np.full((len(arms), len(seeds)), np.nan)
    for run in results.runs:
        if counts(run, metric):
            values[arms[run.arm], seeds[run.seed]] = run.final[metric]
    return values


def counts(run: RunResult, metric: str) -> bool:
    """Whether a run's last value belongs to its arm's mean."""
    value = run.final.get(metric)
    return run.status == "succeeded" and run.outcome != "diverged" and value is not None and math.isfinite(value)


def best_first(summaries: Sequence[Summary], metric: str) -> list[int]:
    """The arms that have a mean, best first; those with one run come after those with more. Ties keep their order."""
    ranked = [i for i, s in enumerate(summaries) if s.n > 0]
    return sorted(ranked, key=lambda i: (summaries[i].n < 2, -direction(metric) * summaries[i].mean))


def _arm(label: str, summary: Summary, runs: Sequence[RunResult]) -> dict[str, Any]:
    mine = [run for run in runs if run.arm == label]
    over = [run for run in mine if run.status == "succeeded"]
    diverged = sum(run.outcome == "diverged" for run in over)
    failed = sum(run.status == "failed" for run in mine)
    return {
        "label": label,
        "n": summary.n,
        **{name: finite(getattr(summary, name)) for name in ("mean", "sd", "ci_low", "ci_high")},
        "runs": len(mine),
        "diverged": diverged,
        "failed": failed,
        "unfinished": len(mine) - len(over) - failed,
        "not_finite": len(over) - diverged - summary.n,
    }


def _adjusted(found: Comparisons, baseline: int | None) -> Floats:
    """Adjusted p (arms, arms): over all pairs, or, with a baseline, over the comparisons with it alone."""
    adjusted = np.full(found.p.shape, np.nan)
    if baseline is not None:
        family = found.p[baseline].copy()
        family[baseline] = np.nan
        adjusted[baseline] = adjusted[:, baseline] = holm(family)
    else:
        pairs = np.triu_indices(len(adjusted), k=1)
        adjusted[pairs] = holm(found.p[pairs])
        adjusted.T[pairs] = adjusted[pairs]
    return adjusted


def _peeled(order: list[int], differ: NDArray[np.bool_]) -> list[list[int]]:
    """The best arm and all that do not differ from it, then the same among the rest."""
    groups = []
    while order:
        groups.append([i for i in order if i == order[0] or not differ[order[0], i]])
        order = [i for i in order if i not in groups[-1]]
    return groups


def _around(order: list[int], lead: Floats, metric: str) -> list[list[int]]:
    """The arms better than the baseline, like it, worse; `lead` is baseline less arm, 0 where they do not differ."""
    sign = direction(metric)
    thirds = [[i for i in order if np.sign(sign * lead[i]) == side] for side in (-1, 0, 1)]
    return [group for group in thirds if group]


def _comparisons(
    labels: Sequence[str], found: Comparisons, adjusted: Floats, reference: int | None, order: Sequence[int]
) -> list[dict[str, Any]]:
    if reference is None:
        return []
    others = [*order, *(i for i in range(len(labels)) if i not in order)]
    return [
        {
            "a": labels[reference],
            "b": labels[i],
            "n": int(found.n[reference, i]),
            **{
                name: finite(getattr(found, name)[reference, i])
                for name in ("difference", "ci_low", "ci_high", "p", "effect_size")
            },
            "p_adjusted": finite(adjusted[reference, i]),
        }
        for i in others
        if i != reference
    ]


def finite(value: float) -> float | None:
    """The number, or None where it is NaN or infinite."""
    return float(value) if math.isfinite(value) else None
