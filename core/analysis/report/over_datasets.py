"""Judges a grid over data sets: each set by itself, and all together with the set as a block."""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from core.analysis.report.comparisons import comparisons
from core.analysis.shapes import (
    Comparison,
    Datasets,
    DatasetsComparison,
    Decided,
    DecidingTest,
    RankTest,
    Treatment,
)
from core.analysis.statistics import blocks
from core.analysis.statistics.best import chance_of_best
from core.analysis.statistics.block_decisions import Block, BlockDecisions, decide_over_blocks
from core.analysis.statistics.decisions import OPEN, DecisionRule, Decisions
from core.analysis.statistics.intervals import Floats, Ints, Summary
from core.analysis.statistics.judgement import Judgement, judge
from core.analysis.statistics.paired import Comparisons, PairErrors
from core.analysis.statistics.sequential_decisions import LooksTaken
from core.design import DatasetGrid, Design
from core.finite import finite_or_none
from core.metrics import Measure


class OverDatasets(NamedTuple):
    """A grid over data sets as a report has it."""

    judged: Judgement
    """Of all arms: pairs of different sets are in no family, and a place is one among the arms of its set."""
    listed: list[Comparison]
    """Set by set."""
    by_set: list[list[Comparison]]
    chances: Floats
    """The chance of each arm to be the best of its set."""
    report: Datasets


def over_datasets(
    design: Design,
    values: Floats,
    lost: NDArray[np.bool_],
    summaries: Sequence[Summary],
    measure: Measure,
    *,
    margin: float | None,
    alpha: float,
    errors: PairErrors | None = None,
    taken: LooksTaken | None = None,
) -> OverDatasets | None:
    """Return the judgement of a grid over data sets; None for every other design.

    `values`, `lost` (arms, seeds), `errors` and `taken` are those of `judge`. Each set is judged by itself, its pairs
    of arms a family of their own (where seeds were added from look to look, those of all sets are one); all together as
    `decide_over_blocks` does. From ten sets on `ranks` has Friedman's test too.
    """
    found = design.dataset_grid
    if found is None or measure.shared:
        return None
    rule = DecisionRule(
        sign=measure.sign, margin=margin, alpha=alpha, baseline=found.baseline, ranks_lost=not measure.describes
    )
    of_sets = [_errors_of(errors, arms) for arms in found.arms.T]
    single = [
        judge(
            values[arms],
            lost[arms],
            [summaries[i] for i in arms],
            measure,
            found.baseline,
            margin=margin,
            alpha=alpha,
            errors=own,
            taken=None if taken is None else LooksTaken(taken.looks, taken.reached[arms]),
            family=None if taken is None else len(design.pairs),
        )
        for arms, own in zip(found.arms.T, of_sets, strict=True)
    ]
    by_set = [
        comparisons([design.labels[i] for i in arms], one, values[arms], alpha=alpha, all_pairs=found.baseline is None)
        for arms, one in zip(found.arms.T, single, strict=True)
    ]
    chances = np.full(len(values), np.nan)
    for arms, own, one in zip(found.arms.T, of_sets, single, strict=True):
        chances[arms] = chance_of_best(values[arms], lost[arms] & rule.ranks_lost, rule.sign, judged=one, errors=own)
    together = decide_over_blocks([Block(values[arms], lost[arms]) for arms in found.arms.T], rule)
    return OverDatasets(
        judged=_together(found, single, len(values)),
        listed=[c for one in by_set for c in one],
        by_set=by_set,
        chances=chances,
        report=_report(found, design.labels, together, alpha),
    )


def _errors_of(errors: PairErrors | None, arms: Ints) -> PairErrors | None:
    return None if errors is None else PairErrors(*(field[np.ix_(arms, arms)] for field in errors))


def _together(found: DatasetGrid, single: Sequence[Judgement], arms: int) -> Judgement:
    """Return the judgements of the sets as one of all arms."""

    def square(parts: Sequence[NDArray[Any]], empty: Any) -> NDArray[Any]:
        whole = np.full((arms, arms), empty, dtype=parts[0].dtype)
        for place, part in zip(found.arms.T, parts, strict=True):
            whole[np.ix_(place, place)] = part
        return whole

    def line(parts: Sequence[Ints]) -> Ints:
        whole = np.zeros(arms, np.int64)
        for place, part in zip(found.arms.T, parts, strict=True):
            whole[place] = part
        return whole

    def pairs_of(name: str, empty: Any = np.nan) -> NDArray[Any]:
        return square([getattr(one.found, name) for one in single], empty)

    def decided(name: str, empty: Any = np.nan) -> NDArray[Any]:
        return square([getattr(one.decisions, name) for one in single], empty)

    pairs = Comparisons(pairs_of("n", 0), *(pairs_of(name) for name in Comparisons._fields[1:]))
    decisions = Decisions(
        found=pairs,
        ci_low=decided("ci_low"),
        ci_high=decided("ci_high"),
        test=decided("test", ""),
        p=decided("p"),
        p_adjusted=decided("p_adjusted"),
        p_equivalence=decided("p_equivalence"),
        decision=decided("decision", OPEN),
        beats=decided("beats", empty=False),
        rank_low=line([one.decisions.rank_low for one in single]),
        rank_high=line([one.decisions.rank_high for one in single]),
        until=None if single[0].decisions.until is None else decided("until", 0),
    )
    levels = max(len(one.groups) for one in single)
    placed = [(place, one) for place, one in zip(found.arms.T.tolist(), single, strict=True)]
    return Judgement(
        order=[place[i] for place, one in placed for i in one.order],
        reference=None,
        decisions=decisions,
        found=pairs,
        adjusted=decisions.p_adjusted,
        lost=line([one.lost for one in single]),
        finished=line([one.finished for one in single]),
        p_lost=square([one.p_lost for one in single], np.nan),
        adjusted_lost=square([one.adjusted_lost for one in single], np.nan),
        beats=decisions.beats,
        groups=[[place[i] for place, one in placed for g in one.groups[k : k + 1] for i in g] for k in range(levels)],
    )


def _report(found: DatasetGrid, labels: Sequence[str], together: BlockDecisions, alpha: float) -> Datasets:
    ranks, overall = together.ranks, together.decisions
    k = len(found.treatments)
    pairs = [(i, j) for i in range(k) for j in range(i + 1, k)]
    if found.baseline is not None:
        pairs = [(found.baseline, j) for j in range(k) if j != found.baseline]
    return {
        "field": found.field,
        "baseline": None if found.baseline is None else found.treatments[found.baseline],
        "sets": [
            {
                "dataset": name,
                "arms": [labels[i] for i in found.arms[:, d]],
                "scale": finite_or_none(together.scales[d]),
                "headline": "",
            }
            for d, name in enumerate(found.sets)
        ],
        "treatments": [
            Treatment(
                label=label,
                rank_low=int(overall.rank_low[i]) or None,
                rank_high=int(overall.rank_high[i]) or None,
                mean_rank=finite_or_none(ranks[:, i].mean()),
            )
            for i, label in enumerate(found.treatments)
        ],
        "comparisons": [_comparison(found.treatments, together, i, j) for i, j in pairs],
        "ranks": _ranks(found, ranks, alpha) if len(ranks) >= blocks.RANKS_FROM else None,
    }


def _comparison(names: Sequence[str], together: BlockDecisions, i: int, j: int) -> DatasetsComparison:
    overall, scaled = together.decisions, together.decisions.found
    return {
        "a": names[i],
        "b": names[j],
        "n": int(scaled.n[i, j]),
        "difference": finite_or_none(together.differences[i, j]),
        "scaled": finite_or_none(scaled.difference[i, j]),
        "ci_low": finite_or_none(overall.ci_low[i, j]),
        "ci_high": finite_or_none(overall.ci_high[i, j]),
        "individual": {"ci_low": finite_or_none(scaled.ci_low[i, j]), "ci_high": finite_or_none(scaled.ci_high[i, j])},
        "test": cast(DecidingTest | None, str(overall.test[i, j]) or None),
        "p": finite_or_none(overall.p[i, j]),
        "p_adjusted": finite_or_none(overall.p_adjusted[i, j]),
        "p_equivalence": finite_or_none(overall.p_equivalence[i, j]),
        "decision": cast(Decided, str(overall.decision[i, j])),
    }


def _ranks(found: DatasetGrid, ranks: Floats, alpha: float) -> RankTest:
    k, sets = len(found.treatments), len(ranks)
    tested = blocks.friedman(ranks)
    critical = blocks.critical_difference(k, sets, alpha, with_baseline=found.baseline is not None)
    return {
        "chi_square": tested.chi_square,
        "f": finite_or_none(tested.f),
        "df": [*tested.df],
        "p": tested.p,
        "critical_difference": critical,
        "cliques": [[found.treatments[i] for i in group] for group in blocks.cliques(tested.mean_ranks, critical)],
    }
