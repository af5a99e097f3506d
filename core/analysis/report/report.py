"""Builds an experiment's report from its runs: outcomes, intervals, paired comparisons, a verdict and its limits."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.analysis.findings import findings
from core.analysis.looks import looks_taken, outline
from core.analysis.outcomes import measures, run_outcomes, values_of
from core.analysis.report.arms import ArmContext, arm_reports, runs_by_arm
from core.analysis.report.comparisons import beats, comparisons, decided_pairs, open_pairs
from core.analysis.report.data import data_notes
from core.analysis.report.datasets_text import datasets_headline, datasets_verdict, set_headline
from core.analysis.report.energy import energy
from core.analysis.report.headline import headline
from core.analysis.report.judged import judged_sentence, judging, own_intervals
from core.analysis.report.kinds import of_its_kind
from core.analysis.report.looks import goes_on, looks_sentences
from core.analysis.report.over_datasets import OverDatasets, over_datasets
from core.analysis.report.rounding import rounding
from core.analysis.report.saved import pruned_sentences, saved
from core.analysis.report.study import study_of, study_ruling, study_sentence
from core.analysis.report.variance import variance, vary_sentence
from core.analysis.report.verdict import verdict
from core.analysis.report.warnings import said, warn
from core.analysis.shapes import Comparison, Report, Separation, Verdict
from core.analysis.statistics.best import chance_of_best
from core.analysis.statistics.factorial import factorial
from core.analysis.statistics.intervals import Floats, Summary, summaries
from core.analysis.statistics.judgement import Judgement, judge
from core.analysis.statistics.paired import PairErrors
from core.analysis.statistics.pruning import pruned_arms
from core.analysis.statistics.separation import NO_SEPARATION, separation
from core.errors import InvalidSpec, warned
from core.metrics import Measure
from core.registry import unknown
from core.results import Results


def build_report(
    results: Results, metric: str | None = None, *, margin: float | None = None, alpha: float | None = None
) -> Report:
    """Return the comparison of the arms with `findings`: what is wrong with an arm and why, as `findings` gives it.

    A range test and a coordinate check have none: they are to show what happens. Raises `InvalidSpec` as `compare_arms`
    does.
    """
    report = compare_arms(results, metric, margin=margin, alpha=alpha)
    report["findings"] = findings(results) if results.design.ranks else []
    return report


def compare_arms(
    results: Results, metric: str | None = None, *, margin: float | None = None, alpha: float | None = None
) -> Report:
    """Return every outcome of every run and arm, and whether the arms differ in the one called `metric`.

    Where none is asked for, the metric is the design's first outcome: of ours the last accuracy, in regression the last
    loss, on the test split where there is one, else on the validation split. `margin`, the largest difference that does
    not matter, and `alpha`, the error that is allowed, are the design's where none are given; a design's margin is one
    of its first outcome alone.

    - `runs`: `run_id`, `arm`, `seed`, `status`, `outcome` and all that `run_outcomes` tells.
    - `arms`, in the design's order: `n` finished runs with a value, their `mean`, `sd`, `median`, `iqm` and 95 %
      interval `ci_low`, `ci_high`, by Student's t or from ten runs on the BCa bootstrap, as `interval` says (see
      `summaries`; None below two runs), wider where every seed has its own split (`over_splits`); `simultaneous`, at
      1 - alpha over the number of arms: also the interval of the best arm, which the data chose, holds so; `rank_low`
      and `rank_high`, the places that the decisions leave to it; `p_best`, its chance to be the best (see
      `chance_of_best`). Of all `runs` how many `diverged` (they are in no mean), `failed`, are `unfinished` (queued,
      running or cancelled) or finished with no value (`not_finite`); `lost` are those that finished without a value,
      diverged ones among them; a run that `stopped_early` counts with what it came to, and `pruned` are the runs of
      an arm that was given up, which has no values. `rates`, with Wilson intervals: of the finished runs those that
      `completed` without diverging, and where there is a target those that `reached_target`. `unseen_at_most`: see
      there. `outcomes`: the same statistics for every outcome.
    - `comparisons` of one arm `a` with another `b`: `decision` of a against b ("better", "worse", "equivalent",
      "open"; see `decide`) and `better`, the label of the arm that beats the other, or None. `difference` a - b over
      the `n` seeds on which both came to a value; `ci_low` and `ci_high` hold for all pairs of the family together,
      at 1 - alpha, and are None where t does not decide; `individual` holds for this pair alone. `p` is the paired t
      test's, or of differences that do not vary the one of `test`; `p_ranks` that of the ranks, which decide where a
      run was lost; `p_adjusted` is the deciding one's by Holm; `p_equivalence` that of the two one-sided tests, by
      Holm, with a margin. `effect_size` (see `compare`), `p_sign_flip` of the permutation test and `robust`, the
      Hodges-Lehmann estimate with signed-rank limits, are second opinions; `p_lost` and `p_lost_adjusted` compare the
      shares of lost runs and decide nothing. First those of `reference`, best `b` first: the baseline, else the arm
      that comes first. Without a baseline the data chose it, so the family is all pairs of arms, which follow, of up
      to 24 arms. With a baseline the family is its k - 1 comparisons.
    - `verdict`: `headline`, `text`; of the listed pairs those `decided` and `open`; the `order` of the arms that have
      a mean, and their `groups`, which contradict no win (see `judge`). `beats`: who beats whom, by how much.
      `detectable` and `seeds_wanted`: see `separation`.
    - `study`: what it decides about the change that it tries (see `study_ruling`), where it is one of a chain.
    - `shares`: the metrics and outcomes whose values are shares, which people read in percent.
    - `split` that the outcome is of, and its number of `examples`; `scope`: "split"; "splits" where every seed has its
      own, and p and intervals are by the corrected resampled t; "examples" where they are by the two-way model of seeds
      and examples, as it is of an accuracy whose correct examples are stored. `margin` and `alpha`: see above.
    - Time and energy are of runs that share them: they are told, not compared.
    - `datasets` of a grid over data sets, each of which is a block: see `over_datasets`; else None. Then only arms of
      one data set are compared with one another, their places are among those, and there is no `reference`.
    - `factorial` of a grid of two or more fields: see `factorial`; else None.
    - `warnings`, `path` and `message`: what the spec probably does not mean, and with an empty path what the numbers
      cannot carry.
    - `notes`: how users' data was read.
    - `looks`: those at adaptive seeds, see `outline`. There a pair is decided at a look alone, and its numbers are
      those of that look, or of its last: see `decide_at_looks`.
    - `saved`: what was not trained, see `saved`; `energy`: what the rest took, see `energy`.
    - `environments` of its attempts, where they are known.
    - `rounding`: how far the second trainings are from the first, see `rounding`; they count nowhere else.
    - `variance`: what each source of randomness that varies makes of the spread, see there.
    - what the experiment's kind adds or puts in place of these: see `of_its_kind`. `findings` are left empty.

    No number is ever NaN or infinite: what has no answer is None. Raises `InvalidSpec` for a metric that is no outcome.
    """
    design, known = results.design, measures(results)
    measure = known[_judged(metric, known)]
    outcomes = run_outcomes(results)
    every = values_of(results, outcomes, [*known])
    named = zip(known, _by_arm(every, [one.rounding for one in known.values()]), strict=True)
    found = {name: own_intervals(design, known[name], summarized) for name, summarized in named}
    values = every[[*known].index(measure.name)]
    gone = set(pruned_arms(results.rungs))
    lost = _finished(results, gone) & ~np.isfinite(values)
    baseline = None if design.baseline is None else design.labels.index(design.baseline)
    alpha = design.alpha if alpha is None else alpha
    margin = design.margin if margin is None and measure.name == design.primary.name else margin
    on, errors = judging(results, measure, values)
    taken = looks_taken(results)
    judged = judge(
        values,
        lost,
        found[measure.name],
        measure,
        baseline,
        margin=margin,
        alpha=alpha,
        taken=taken,
        paired=not design.independent,
        errors=errors,
    )
    listed = (
        [] if measure.shared else comparisons(design.labels, judged, values, alpha=alpha, all_pairs=baseline is None)
    )
    over = over_datasets(
        design, values, lost, found[measure.name], measure, margin=margin, alpha=alpha, errors=errors, taken=taken
    )
    if over is not None:
        judged, listed = over.judged, over.listed
    tried = [c for c in listed if not gone.intersection((c["a"], c["b"]))]
    asked = (
        NO_SEPARATION
        if design.looks
        else separation(judged, values, design.labels, measure, margin=margin, alpha=alpha)
    )
    context = ArmContext(
        measure=measure.name,
        found=found,
        outcomes=outcomes,
        gone=gone,
        chances=_chances(values, lost, measure, judged, errors) if over is None else over.chances,
        judged=judged,
        compared=not measure.shared,
        together=own_intervals(
            design, measure, summaries(values, alpha / max(1, len(judged.order)), rounding=measure.rounding)
        ),
    )
    report: Report = {
        "metric": measure.name,
        "shares": [name for name, one in {**design.metrics, **known}.items() if one.share],
        "split": on["split"],
        "examples": on["examples"],
        "scope": on["scope"],
        "margin": margin,
        "alpha": alpha,
        "baseline": design.baseline,
        "study": study_of(design, measure, margin=margin, alpha=alpha),
        "reference": None if judged.reference is None else design.labels[judged.reference],
        "arms": arm_reports(design.labels, runs_by_arm(results), context),
        "comparisons": listed,
        "datasets": None if over is None else over.report,
        "factorial": factorial(design, values, found[measure.name]),
        "verdict": _verdict(judged, tried, design.labels, measure, asked),
        "looks": [outline(look) for look in results.looks],
        "saved": saved(results),
        "energy": energy(results),
        "environments": [dict(one) for one in results.environments],
        "rounding": rounding(results, measure, values, found[measure.name]),
        "variance": variance(results, measure, values),
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
    if report["study"] is not None and not goes_on(results):
        ruled = study_ruling(report)
        report["study"] = {**report["study"], "decision": ruled.decision, "arm": ruled.arm}
    first, text = _words({**report, "comparisons": tried}, measure, over)
    report["verdict"]["headline"] = first
    more = [*pruned_sentences(report["saved"], design), *looks_sentences(results, alpha)]
    more += [*judged_sentence(on, measure), *vary_sentence(design)] if listed else []
    more += study_sentence(report)
    report["verdict"]["text"] = " ".join([text, *more])
    report["warnings"] = said(warn(report, results, known))
    report = of_its_kind(report, results, outcomes)
    report["warnings"] = [*warned(design.warnings), *report["warnings"]]
    return report


def _words(report: Report, measure: Measure, over: OverDatasets | None) -> tuple[str | None, str]:
    """Return the verdict in one sentence, if anything is compared, and in full."""
    if over is None:
        return headline(report, measure) or None, verdict(report, measure)
    for one, listed in zip(over.report["sets"], over.by_set, strict=True):
        names = dict(zip(one["arms"], (t["label"] for t in over.report["treatments"]), strict=True))
        one["headline"] = set_headline(listed, names, measure)
    return datasets_headline(over.report, measure), datasets_verdict(
        over.report, measure, alpha=report["alpha"], margin=report["margin"]
    )


def _judged(metric: str | None, known: Mapping[str, Measure]) -> str:
    if metric is not None and metric not in known:
        raise InvalidSpec([unknown("outcome", metric, known, "metric")])
    return metric or next(iter(known))


def _by_arm(values: Floats, rounding: Sequence[float]) -> list[list[Summary]]:
    """Return the summaries of every outcome's every arm; `values` is (outcomes, arms, seeds)."""
    outcomes, arms, seeds = values.shape
    flat = summaries(values.reshape(-1, seeds), rounding=np.repeat(rounding, arms))
    return [flat[i * arms : (i + 1) * arms] for i in range(outcomes)]


def _finished(results: Results, gone: set[str]) -> NDArray[np.bool_]:
    """Return which runs (arms, seeds) have succeeded; none of arms that are gone, as they were pruned."""
    ended = results.design.matrix(
        (run.arm, run.seed, 1.0) for run in results.runs if run.status == "succeeded" and run.arm not in gone
    )
    return np.isfinite(ended)


def _chances(
    values: Floats, lost: NDArray[np.bool_], measure: Measure, judged: Judgement, errors: PairErrors | None
) -> Floats:
    if measure.shared:
        return np.full(len(values), np.nan)
    return chance_of_best(values, lost & (not measure.describes), measure.sign, judged=judged, errors=errors)


def _verdict(
    judged: Judgement, listed: list[Comparison], labels: Sequence[str], measure: Measure, found: Separation
) -> Verdict:
    groups = [judged.order] if measure.shared else judged.groups
    return {
        "headline": None,
        "decided": decided_pairs(listed),
        "open": open_pairs(listed),
        "order": [labels[i] for i in judged.order],
        "groups": [[labels[i] for i in group] for group in groups if group],
        "beats": beats(listed),
        "detectable": found["detectable"],
        "seeds_wanted": found["seeds_wanted"],
        "text": None,
    }
