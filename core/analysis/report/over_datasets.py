"""Judges a grid over data sets: each set by itself, and all together with the set as a block."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from core.analysis.statistics.decisions import OPEN, DecisionRule, Decisions, decide
from core.analysis.statistics.intervals import Floats, Ints, Summary
from core.analysis.statistics.judgement import Judgement, judge
from core.analysis.statistics.paired import Comparisons
from core.design import Design
from core.finite import finite_or_none
from core.metrics import Measure

FIELDS = ("dataset", "dataset.id", "dataset.name")
"""The fields of a grid whose levels are data sets."""
SPLIT = ("valid_fraction", "test_fraction", "split_seed")
"""The parameters of a data set that make no other of it."""


class DatasetGrid(NamedTuple):
    """The arms of a grid over data sets: `arms` (treatments, sets) are their places in the design."""

    field: str
    sets: list[str]
    treatments: list[str]
    arms: Ints
    baseline: int | None
    """The treatment of the design's baseline."""


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


def dataset_grid(design: Design) -> DatasetGrid | None:
    """Return how a grid's arms lie over data sets; None where it has no field of several, or but one treatment.

    So it is of experiments of another kind, whose arms are not those of their grid, and where seeds are added from look
    to look, which decides pairs at levels of its own.
    """
    if not design.ranks or design.batch_size_scan is not None or design.looks:
        return None
    grid = design.grid or {}
    field = next((name for name in FIELDS if len(grid.get(name, ())) > 1), None)
    if field is None or len({repr(_content(level)) for level in grid[field]}) < len(grid[field]):
        return None
    others = [name for name in grid if name != field and len(grid[name]) > 1]
    sets = list(dict.fromkeys(arm.settings[field] for arm in design.arms))
    named = [", ".join(_words(name, arm.settings[name], len(others)) for name in others) for arm in design.arms]
    treatments = list(dict.fromkeys(named))
    if len(treatments) < 2 or len(sets) < 2 or len(sets) * len(treatments) != len(design.arms):
        return None
    places = np.zeros((len(treatments), len(sets)), np.int64)
    for i, (arm, treatment) in enumerate(zip(design.arms, named, strict=True)):
        places[treatments.index(treatment), sets.index(arm.settings[field])] = i
    baseline = None if design.baseline is None else treatments.index(named[design.labels.index(design.baseline)])
    return DatasetGrid(field, sets, treatments, places, baseline)


def over_datasets(
    design: Design,
    values: Floats,
    lost: NDArray[np.bool_],
    summaries: Sequence[Summary],
    measure: Measure,
    *,
    margin: float | None,
    alpha: float,
) -> OverDatasets | None:
    """Return the judgement of a grid over data sets; None for every other design.

    `values` and `lost` (arms, seeds) are those of `judge`. Each set is judged by itself, its pairs of arms a family of
    their own. Over the sets a treatment's effect on each is its mean less that of all, by least squares where runs are
    missing, in standard deviations of a paired difference there, so that no set counts for more because its outcome
    varies more. These are decided as values of seeds are: Student's t over the sets, D - 1 degrees of freedom. On a set
    where an arm lost half of its runs or more it is worse than all others. A margin, which is in the outcome's unit, is
    asked of the effects as they are. A set whose arms do not vary has no scale, and is in no difference.

    From ten sets on `ranks` has Friedman's test too.
    """
    found = dataset_grid(design)
    if found is None or measure.shared:
        return None
    rule = DecisionRule(sign=measure.sign, alpha=alpha, baseline=found.baseline, ranks_lost=not measure.describes)
    single, effects, scales, gone = [], [], [], []
    for arms in found.arms.T:
        v, out = values[arms], lost[arms]
        single.append(judge(v, out, [summaries[i] for i in arms], measure, found.baseline, margin=margin, alpha=alpha))
        finished = np.isfinite(v).sum(axis=1) + out.sum(axis=1)
        gone.append((2 * out.sum(axis=1) >= finished) & (finished > 0))
        effects.append(np.where(gone[-1], np.nan, blocks.block_effects(v)))
        scales.append(blocks.block_scale(v))
    raw, away = np.stack(effects, axis=1), np.stack(gone, axis=1) & np.isfinite(scales)
    overall = decide(raw / np.array(scales), away, rule)
    within = decide(raw, np.stack(gone, axis=1), replace(rule, margin=margin))
    by_set = [
        comparisons([design.labels[i] for i in arms], one, values[arms], alpha=alpha, all_pairs=found.baseline is None)
        for arms, one in zip(found.arms.T, single, strict=True)
    ]
    return OverDatasets(
        judged=_together(found, single, len(values)),
        listed=[c for one in by_set for c in one],
        by_set=by_set,
        chances=_chances(found, values, lost & (not measure.describes), measure.sign),
        report=_report(found, design.labels, raw, scales, overall, within, measure.sign, alpha),
    )


def _content(level: Any) -> Any:
    return {k: v for k, v in level.items() if k not in SPLIT} if isinstance(level, Mapping) else level


def _words(name: str, value: str, of: int) -> str:
    return value if of == 1 and value[:1].isalpha() else f"{name}={value}"


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


def _chances(found: DatasetGrid, values: Floats, lost: NDArray[np.bool_], sign: int) -> Floats:
    whole = np.full(len(values), np.nan)
    for arms in found.arms.T:
        whole[arms] = chance_of_best(values[arms], lost[arms], sign)
    return whole


def _report(
    found: DatasetGrid,
    labels: Sequence[str],
    raw: Floats,
    scales: Sequence[float],
    overall: Decisions,
    within: Decisions,
    sign: int,
    alpha: float,
) -> Datasets:
    ranks = blocks.ranked(raw.T, sign)
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
                "scale": finite_or_none(scales[d]),
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
        "comparisons": [_comparison(found.treatments, overall, within, i, j, alpha) for i, j in pairs],
        "ranks": _ranks(found, ranks, alpha) if len(ranks) >= blocks.RANKS_FROM else None,
    }


def _comparison(
    names: Sequence[str], overall: Decisions, within: Decisions, i: int, j: int, alpha: float
) -> DatasetsComparison:
    scaled = overall.found
    equivalent = within.p_equivalence[i, j] < alpha
    return {
        "a": names[i],
        "b": names[j],
        "n": int(scaled.n[i, j]),
        "difference": finite_or_none(within.found.difference[i, j]),
        "scaled": finite_or_none(scaled.difference[i, j]),
        "ci_low": finite_or_none(overall.ci_low[i, j]),
        "ci_high": finite_or_none(overall.ci_high[i, j]),
        "individual": {"ci_low": finite_or_none(scaled.ci_low[i, j]), "ci_high": finite_or_none(scaled.ci_high[i, j])},
        "test": cast(DecidingTest | None, str(overall.test[i, j]) or None),
        "p": finite_or_none(overall.p[i, j]),
        "p_adjusted": finite_or_none(overall.p_adjusted[i, j]),
        "p_equivalence": finite_or_none(within.p_equivalence[i, j]),
        "decision": "equivalent" if equivalent else cast(Decided, str(overall.decision[i, j])),
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
