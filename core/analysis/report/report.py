"""Builds an experiment's report from its runs: outcomes, intervals, paired comparisons, a verdict and its limits."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.analysis.findings import findings
from core.analysis.outcomes import measures, run_outcomes, values_of
from core.analysis.report.arms import ArmContext, arm_reports, runs_by_arm
from core.analysis.report.comparisons import beats, comparisons
from core.analysis.report.data import data_notes
from core.analysis.report.energy import energy
from core.analysis.report.judged import judged_on, judged_sentence
from core.analysis.report.kinds import of_its_kind
from core.analysis.report.rounding import rounding
from core.analysis.report.saved import pruned_sentences, saved
from core.analysis.report.verdict import verdict
from core.analysis.report.warnings import said, warn
from core.analysis.shapes import Comparison, Report, Verdict
from core.analysis.statistics.chances import chance_of_best
from core.analysis.statistics.factorial import factorial
from core.analysis.statistics.intervals import Floats, Summary, summaries
from core.analysis.statistics.judgement import Judgement, judge
from core.analysis.statistics.pruning import pruned_arms
from core.analysis.statistics.separation import separation
from core.errors import InvalidSpec, warned
from core.metrics import Measure
from core.registry import unknown
from core.results import Results


def build_report(results: Results, metric: str | None = None) -> Report:
    """Return the comparison of the arms with `findings`: what is wrong with an arm and why, as `findings` gives it.

    A range test and a coordinate check have none: they are to show what happens. Raises `InvalidSpec` as `compare_arms`
    does.
    """
    report = compare_arms(results, metric)
    report["findings"] = findings(results) if results.design.ranks else []
    return report


def compare_arms(results: Results, metric: str | None = None) -> Report:
    """Return every outcome of every run and arm, and whether the arms differ in the one called `metric`.

    Where none is asked for, the metric is the design's first outcome: of ours the last accuracy, in regression the last
    loss, on the test split where there is one, else on the validation split.

    - `runs`: `run_id`, `arm`, `seed`, `status`, `outcome` and all that `run_outcomes` tells.
    - `split` that the metric is of, and its number of `examples`; the metric of a design with a test split is of that.
    - `arms`, in the design's order: `n` finished runs with a value, their `mean`, `sd`, `median`, `iqm` and 95 %
      interval `ci_low`, `ci_high`, by Student's t or from ten runs on the BCa bootstrap, as `interval` says (see
      `summaries`; None below two runs); `p_best`, how often it is the best when seeds are drawn again. Of all `runs`
      how many `diverged` (they are in no mean), `failed`, are `unfinished` (queued, running or cancelled) or finished
      with no value (`not_finite`); a run that `stopped_early` counts with what it came to, and `pruned` are the runs of
      an arm that was given up, which has no values. `rates`, with Wilson intervals: of the finished runs those that
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
    - `warnings`, `path` and `message`: what the spec probably does not mean, and with an empty path what the numbers
      cannot carry.
    - `notes`: how users' data was read.
    - `saved`: what was not trained, see `saved`; `energy`: what the rest took, see `energy`.
    - `rounding`: how far the second trainings are from the first, see `rounding`; they count nowhere else.
    - what the experiment's kind adds or puts in place of these: see `of_its_kind`. `findings` are left empty.

    No number is ever NaN or infinite: what has no answer is None. Raises `InvalidSpec` for a metric that is no outcome.
    """
    design, known = results.design, measures(results)
    measure = known[_judged(metric, known)]
    outcomes = run_outcomes(results)
    every = values_of(results, outcomes, [*known])
    found = dict(zip(known, _by_arm(every), strict=True))
    values = every[[*known].index(measure.name)]
    gone = set(pruned_arms(results.rungs))
    lost = _finished(results, gone) & ~np.isfinite(values)
    baseline = None if design.baseline is None else design.labels.index(design.baseline)
    judged = judge(values, lost, found[measure.name], measure, baseline)
    listed = [] if measure.shared else comparisons(design.labels, judged, values, all_pairs=baseline is None)
    context = ArmContext(
        measure=measure.name, found=found, outcomes=outcomes, gone=gone, chances=_chances(values, lost, measure)
    )
    on = judged_on(results, measure)
    report: Report = {
        "metric": measure.name,
        "split": on["split"],
        "examples": on["examples"],
        "baseline": design.baseline,
        "reference": None if judged.reference is None else design.labels[judged.reference],
        "arms": arm_reports(design.labels, runs_by_arm(results), context),
        "comparisons": listed,
        "factorial": factorial(design, values, found[measure.name]),
        "verdict": _verdict(judged, values, listed, design.labels, measure),
        "saved": saved(results),
        "energy": energy(results),
        "rounding": rounding(results, measure, values, found[measure.name]),
        "warnings": [],
        "notes": data_notes(results),
        "runs": [
            {"run_id": run.id, "arm": run.arm, "seed": run.seed, "status": run.status, "outcome": run.outcome}
            | outcomes[run.id]
            for run in results.runs
        ],
        "lr_range": None,
        "batch_size": None,
        "coordinate_check": None,
        "findings": [],
    }
    tried = [c for c in listed if not gone.intersection((c["a"], c["b"]))]
    text = [verdict({**report, "comparisons": tried}, measure), *pruned_sentences(report["saved"], design)]
    text += judged_sentence(on, measure) if listed else []
    report["verdict"]["text"] = " ".join(text)
    report["warnings"] = said(warn(report, results, known))
    report = of_its_kind(report, results, outcomes)
    report["warnings"] = [*warned(design.warnings), *report["warnings"]]
    return report


def _judged(metric: str | None, known: Mapping[str, Measure]) -> str:
    if metric is not None and metric not in known:
        raise InvalidSpec([unknown("outcome", metric, known, "metric")])
    return metric or next(iter(known))


def _by_arm(values: Floats) -> list[list[Summary]]:
    """Return the summaries of every outcome's every arm; `values` is (outcomes, arms, seeds)."""
    outcomes, arms, seeds = values.shape
    flat = summaries(values.reshape(-1, seeds))
    return [flat[i * arms : (i + 1) * arms] for i in range(outcomes)]


def _finished(results: Results, gone: set[str]) -> NDArray[np.bool_]:
    """Return which runs (arms, seeds) have succeeded; none of arms that are gone, as they were pruned."""
    ended = results.design.matrix(
        (run.arm, run.seed, 1.0) for run in results.runs if run.status == "succeeded" and run.arm not in gone
    )
    return np.isfinite(ended)


def _chances(values: Floats, lost: NDArray[np.bool_], measure: Measure) -> Floats:
    return np.full(len(values), np.nan) if measure.shared else chance_of_best(values, lost, measure.sign)


def _verdict(
    judged: Judgement, values: Floats, listed: list[Comparison], labels: Sequence[str], measure: Measure
) -> Verdict:
    groups = [judged.order] if measure.shared else judged.groups
    found = separation(judged, values, labels, measure)
    return {
        "groups": [[labels[i] for i in group] for group in groups if group],
        "beats": beats(listed),
        "detectable": found["detectable"],
        "seeds_needed": found["seeds_needed"],
        "text": None,
    }
