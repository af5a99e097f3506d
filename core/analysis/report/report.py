"""From the runs of an experiment to its report: outcomes, intervals, paired comparisons, a verdict and its limits."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.findings import findings
from core.analysis.outcomes import outcome_names, run_outcomes, values_of
from core.analysis.report.energy import energy
from core.analysis.report.kinds import of_its_kind
from core.analysis.report.saved import pruned_sentences, saved
from core.analysis.report.verdict import verdict
from core.analysis.report.warnings import warn
from core.analysis.statistics.chances import chance_of_best, rate, sign_flip
from core.analysis.statistics.factorial import factorial
from core.analysis.statistics.intervals import Floats, Summary, summaries
from core.analysis.statistics.judgement import Judgement, judge
from core.analysis.statistics.pruning import pruned_arms
from core.analysis.statistics.separation import separation
from core.analysis.wording import SHARED, direction
from core.errors import InvalidSpec
from core.registry import unknown
from core.results import Results, RunResult

ALL_PAIRS = 24
"""Arms up to which all their pairs are listed, 276 at most; beyond, those of the best arm."""

_STATISTICS = ("n", "mean", "sd", "median", "iqm", "ci_low", "ci_high", "interval")


def report(results: Results, metric: str | None = None) -> dict[str, Any]:
    """The comparison of the arms, and `findings`: what is wrong with an arm and why, as `findings` gives it.

    A range test has none: its rates rise until they are too large. Raises `InvalidSpec` as `compared` does.
    """
    found = [] if results.spec.lr_range is not None else findings(results)
    return compared(results, metric) | {"findings": found}


def compared(results: Results, metric: str | None = None) -> dict[str, Any]:
    """Every outcome of every run and arm, and whether the arms differ in the one called `metric`.

    Where none is asked for, the metric is the last validation accuracy, in regression the last validation loss.

    - `runs`: `run_id`, `arm`, `seed`, `status`, `outcome` and all that `run_outcomes` tells.
    - `arms`, in the spec's order: `n` finished runs with a value, their `mean`, `sd`, `median`, `iqm` and 95 % interval
      `ci_low`, `ci_high`, by Student's t or from ten runs on the BCa bootstrap, as `interval` says (see `summaries`;
      None below two runs); `p_best`, how often it is the best when seeds are drawn again. Of all `runs` how many
      `diverged` (they are in no mean), `failed`, are `unfinished` (queued, running or cancelled) or finished with no
      value (`not_finite`); a run that `stopped_early` counts with what it came to, and `pruned` are the runs of an arm
      that was given up, which has no values. `rates`, with Wilson intervals: of the finished runs those that
      `completed` without diverging, and where there is a target those that `reached_target`. `outcomes`: the same
      statistics for every outcome.
    - `comparisons` of one arm `a` with another `b`: `difference` a - b over the `n` seeds that both finished, its
      interval, the paired t test's `p`, `p_adjusted` by Holm, `effect_size` (see `compare`), `p_sign_flip` of the
      permutation test; `p_lost` and `p_lost_adjusted` where runs came to no value; `better`, the label of the arm that
      beats the other by the rule of `judge`, or None. First those of `reference`, best `b` first: the baseline, else
      the best arm. Without a baseline the data chose it, so the family that Holm corrects for is all pairs of arms,
      which follow, of up to 24 arms. With a baseline the family is its k - 1 comparisons.
    - `verdict`: `text`; `groups` of labels, best first, of the arms that have a mean. Without a baseline: the best
      arm with all that it neither beats nor is beaten by, then the same among the rest. With one: the arms that beat
      it, it and those like it, those it beats. `beats`: who beats whom, by how much. `detectable` and `seeds_needed`:
      see `separation`.
    - Time and energy are of runs that share them: they are told, not compared.
    - `factorial` of a grid of two or more fields: see `factorial`; else None.
    - `warnings`: sentences on what the numbers cannot carry.
    - `saved`: what was not trained, see `saved`; `energy`: what the rest took, see `energy`.
    - what the experiment's kind adds or puts in place of these: see `of_its_kind`.

    No number is ever NaN or infinite: what has no answer is None. Raises `InvalidSpec` for a metric that is no outcome.
    """
    names = outcome_names(results)
    metric = metric or names[0]
    if metric not in names:
        raise InvalidSpec([unknown("outcome", metric, names, "metric")])
    labels = [arm.label for arm in results.spec.expanded]
    baseline = results.spec.baseline
    outcomes = run_outcomes(results)
    every = values_of(results, outcomes, names)
    found = dict(zip(names, _by_arm(every), strict=True))
    values = every[names.index(metric)]
    gone = set(pruned_arms(results.rungs))
    lost = _finished(results, gone) & ~np.isfinite(values)
    judged = judge(values, lost, found[metric], metric, labels.index(baseline) if baseline is not None else None)
    runs: dict[str, list[RunResult]] = {label: [] for label in labels}
    for run in results.runs:
        runs[run.arm].append(run)
    best = chance_of_best(values, lost, direction(metric)) if metric not in SHARED else np.full(len(labels), np.nan)
    answer: dict[str, Any] = {
        "metric": metric,
        "baseline": baseline,
        "reference": None if judged.reference is None else labels[judged.reference],
        "arms": [
            _arm(label, i, found, metric, float(best[i]), runs[label], outcomes, pruned=label in gone)
            for i, label in enumerate(labels)
        ],
        "comparisons": [] if metric in SHARED else _comparisons(labels, judged, values, baseline is None),
        "factorial": factorial(results, values, found[metric]),
    }
    groups = [[labels[i] for i in group] for group in ([judged.order] if metric in SHARED else judged.groups) if group]
    answer["verdict"] = {
        "groups": groups,
        "beats": _beats(answer["comparisons"]),
        **separation(judged, values, labels, metric),
    }
    answer |= {"saved": saved(results), "energy": energy(results)}
    tried = [c for c in answer["comparisons"] if not gone.intersection((c["a"], c["b"]))]
    text = [verdict({**answer, "comparisons": tried}), *pruned_sentences(answer["saved"])]
    answer["verdict"]["text"] = " ".join(text)
    answer["warnings"] = warn(answer, results)
    answer["runs"] = [
        {"run_id": run.id, "arm": run.arm, "seed": run.seed, "status": run.status, "outcome": run.outcome}
        | outcomes[run.id]
        for run in results.runs
    ]
    return of_its_kind(answer, results, outcomes)


def final_values(results: Results, metric: str) -> Floats:
    """Last values (arms, seeds) in the spec's order; NaN where a run has not finished, diverged, or has no value.

    Pruned arms have none: what their runs had reached on the way is not what others have at their end. The runs of a
    range test have none either: they ended at a rate that nobody would train with.
    """
    arms = {arm.label: i for i, arm in enumerate(results.spec.expanded)}
    seeds = {seed: i for i, seed in enumerate(results.spec.seed_list)}
    values = np.full((len(arms), len(seeds)), np.nan)
    pruned = pruned_arms(results.rungs)
    for run in results.runs:
        if counts(run, metric) and run.arm not in pruned and results.spec.lr_range is None:
            values[arms[run.arm], seeds[run.seed]] = run.final[metric]
    return values


def counts(run: RunResult, metric: str) -> bool:
    """Whether a run's last value belongs to its arm's mean."""
    value = run.final.get(metric)
    return run.status == "succeeded" and run.outcome != "diverged" and value is not None and math.isfinite(value)


def finite(value: float) -> float | None:
    """The number, or None where it is NaN or infinite."""
    return float(value) if math.isfinite(value) else None


def _finished(results: Results, gone: Collection[str]) -> NDArray[np.bool_]:
    """Which runs (arms, seeds) have succeeded, of arms that are not gone: these were not to come to anything."""
    arms = {arm.label: i for i, arm in enumerate(results.spec.expanded)}
    seeds = {seed: i for i, seed in enumerate(results.spec.seed_list)}
    there = np.zeros((len(arms), len(seeds)), dtype=np.bool_)
    for run in results.runs:
        there[arms[run.arm], seeds[run.seed]] = run.status == "succeeded" and run.arm not in gone
    return there


def _by_arm(values: Floats) -> list[list[Summary]]:
    """The summaries of every outcome's every arm; `values` is (outcomes, arms, seeds)."""
    outcomes, arms, seeds = values.shape
    flat = summaries(values.reshape(-1, seeds))
    return [flat[i * arms : (i + 1) * arms] for i in range(outcomes)]


def _statistics(summary: Summary) -> dict[str, Any]:
    found = {name: getattr(summary, name) for name in _STATISTICS}
    return {name: finite(value) if isinstance(value, float) else value for name, value in found.items()}


def _arm(
    label: str,
    index: int,
    found: Mapping[str, Sequence[Summary]],
    metric: str,
    p_best: float,
    mine: Sequence[RunResult],
    outcomes: Mapping[int, Mapping[str, float | None]],
    *,
    pruned: bool,
) -> dict[str, Any]:
    over = [run for run in mine if run.status == "succeeded"]
    diverged = sum(run.outcome == "diverged" for run in over)
    failed = sum(run.status == "failed" for run in mine)
    ended = [] if pruned else over
    without = sum(outcomes[run.id][metric] is None for run in ended if run.outcome != "diverged")
    rates = {"completed": rate(len(ended) - diverged if ended else 0, len(ended))}
    if "steps_to_target" in found:
        reached = sum(outcomes[run.id]["steps_to_target"] is not None for run in ended)
        rates["reached_target"] = rate(reached, len(ended))
    return {
        "label": label,
        **_statistics(found[metric][index]),
        "p_best": finite(p_best),
        "runs": len(mine),
        "diverged": diverged,
        "failed": failed,
        "unfinished": len(mine) - len(over) - failed,
        "stopped_early": sum(run.outcome == "stopped_early" for run in over),
        "pruned": len(over) - diverged if pruned else 0,
        "not_finite": without,
        "rates": rates,
        "outcomes": {name: _statistics(one[index]) for name, one in found.items()},
    }


def _comparisons(labels: Sequence[str], judged: Judgement, values: Floats, free: bool) -> list[dict[str, Any]]:
    if judged.reference is None:
        return []
    order = [*judged.order, *(i for i in range(len(labels)) if i not in set(judged.order))]
    pairs = [(judged.reference, i) for i in order if i != judged.reference]
    if free and len(labels) <= ALL_PAIRS:
        rest = [i for i in order if i != judged.reference]
        pairs += [(a, b) for k, a in enumerate(rest) for b in rest[k + 1 :]]
    if not pairs:
        return []
    a, b = np.array(pairs).T
    flipped = sign_flip(values[a] - values[b])
    found = judged.found
    return [
        {
            "a": labels[i],
            "b": labels[j],
            "n": int(found.n[i, j]),
            **{
                name: finite(getattr(found, name)[i, j])
                for name in ("difference", "ci_low", "ci_high", "p", "effect_size")
            },
            "p_adjusted": finite(judged.adjusted[i, j]),
            "p_sign_flip": finite(flipped[k]),
            "lost": [int(judged.lost[i]), int(judged.lost[j])],
            "finished": [int(judged.finished[i]), int(judged.finished[j])],
            "p_lost": finite(judged.p_lost[i, j]),
            "p_lost_adjusted": finite(judged.adjusted_lost[i, j]),
            "better": labels[i] if judged.beats[i, j] else labels[j] if judged.beats[j, i] else None,
        }
        for k, (i, j) in enumerate(pairs)
    ]


def _beats(comparisons: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Who beats whom: the listed comparisons that are decided, seen from the winner."""
    found = []
    for c in comparisons:
        if c["better"] is None:
            continue
        turned = c["better"] == c["b"]
        low, high = ("ci_high", "ci_low") if turned else ("ci_low", "ci_high")
        ends = {name: c[key] for name, key in (("difference", "difference"), ("ci_low", low), ("ci_high", high))}
        if turned:
            ends = {name: None if value is None else -value for name, value in ends.items()}
        found.append(
            {"winner": c["better"], "loser": c["a"] if turned else c["b"], "n": c["n"], **ends}
            | {key: c[key] for key in ("p_adjusted", "p_lost_adjusted")}
        )
    return found
