"""Reports how much of the arms' spread each source of randomness makes: initial weights, split, order, dropout."""

import math
from collections.abc import Sequence

import numpy as np

from core.analysis.outcomes import run_outcomes, values_of
from core.analysis.shapes import Bounds, Variance
from core.analysis.shapes.variance import ArmVariance, SourceVariance, VarianceShare
from core.analysis.statistics.components import Estimate, component, interplay, variance_of
from core.analysis.statistics.intervals import Floats
from core.analysis.wording import difference, spread
from core.design import SOURCE_NAMES, SOURCES, Design, Source
from core.metrics import Measure
from core.results import Results

SPELLED_OUT = 3
"""Arms up to which each is told in words."""
MUCH = 1.15
"""Shares that add up to more than this are said to."""


def variance(results: Results, measure: Measure, values: Floats) -> Variance | None:
    """Return what each source that varies makes of the arms' spread; None where none is named, or runs share it.

    `values` are the first trainings', (arms, seeds), NaN where there is none. With one source the spread over seeds is
    its own. With more, each run was trained again with another seed of one source alone:

    - `varied` and `fixed`: the sources that differ between seeds, and those that are the first seed's in every run.
    - `arms`, in the design's order: `sd` of the `n` first trainings. For each of `sources` the `n` pairs of trainings
      that both came to a value, and the `unlike` ones of which one did; `sd`, the spread of runs that differ by the
      source alone; `share`, its part of the variance of runs (see `component`). What a source does together with
      others is in the share of each, so that shares may add up to more than 1: by how much is the `interplay`.
    - `sd_interval` and the bounds of shares are at 95 %.
    - `text`: the same in sentences.
    """
    design = results.design
    if not design.vary or measure.shared:
        return None
    second = {source: _values(one, measure) for source, one in results.varied.items()}
    arms = [
        _arm(label, design.vary, values[i], {source: found[i] for source, found in second.items()})
        for i, label in enumerate(design.labels)
    ]
    return {
        "varied": [*design.vary],
        "fixed": _fixed(design),
        "arms": arms,
        "text": " ".join([*_sentences(arms, design.vary, measure), *_held(design)]),
    }


def vary_sentence(design: Design) -> list[str]:
    """Return what the verdict does not know of, where not all sources of randomness differ between seeds."""
    fixed = _fixed(design)
    if not fixed:
        return []
    return [f"Every run has {_listed(fixed)} of seed {design.seeds[0]}: of others the verdict says nothing."]


def _fixed(design: Design) -> list[Source]:
    return [source for source in SOURCES if source not in design.vary] if design.vary else []


def _values(second: Results, measure: Measure) -> Floats:
    found: Floats = values_of(second, run_outcomes(second), [measure.name])[0]
    return found


def _arm(label: str, vary: Sequence[Source], own: Floats, second: dict[Source, Floats]) -> ArmVariance:
    whole = variance_of(own[np.isfinite(own)])
    if not second:
        alone: SourceVariance = {
            "source": vary[0],
            "n": int(np.isfinite(own).sum()),
            "unlike": 0,
            "sd": _root(whole),
            "sd_interval": _roots(whole),
            "share": None,
        }
        sources, together = [alone], None
    else:
        sources = [_source(source, own, second[source]) for source in vary]
        together = _interplay(own, np.array([second[source] for source in vary]))
    return {
        "label": label,
        "n": int(np.isfinite(own).sum()),
        "sd": _root(whole),
        "sd_interval": _roots(whole),
        "sources": sources,
        "interplay": together,
    }


def _source(source: Source, own: Floats, other: Floats) -> SourceVariance:
    both = np.isfinite(own) & np.isfinite(other)
    found = component(own[both], other[both])
    share = None if found is None or found.share is None else found.share
    return {
        "source": source,
        "n": int(both.sum()),
        "unlike": int((np.isfinite(own) != np.isfinite(other)).sum()),
        "sd": None if found is None else _root(found.variance),
        "sd_interval": _roots(None if found is None else found.variance),
        "share": None if share is None else {"estimate": share.value, "ci_low": share.low, "ci_high": share.high},
    }


def _interplay(own: Floats, others: Floats) -> VarianceShare | None:
    """Return what sources have only together, as a part of the variance of all trainings."""
    whole = np.vstack([own, others])
    complete = np.isfinite(whole).all(axis=0)
    found = interplay(own[complete] - others[:, complete])
    spread = float(whole[:, complete].var(axis=1, ddof=1).mean()) if found is not None else 0.0
    if found is None or not spread:
        return None
    return {"estimate": found.value / spread, "ci_low": found.low / spread, "ci_high": found.high / spread}


def _root(found: Estimate | None) -> float | None:
    return None if found is None else math.sqrt(found.value)


def _roots(found: Estimate | None) -> Bounds:
    if found is None:
        return {"ci_low": None, "ci_high": None}
    return {"ci_low": math.sqrt(found.low), "ci_high": math.sqrt(found.high)}


def _sentences(arms: Sequence[ArmVariance], vary: Sequence[Source], measure: Measure) -> list[str]:
    known = [arm for arm in arms if arm["sd"] is not None]
    if not known:
        return [f"No arm has two runs with a {measure.label} yet: nothing is known of its spread."]
    if len(vary) == 1:
        spreads = "; ".join(f'"{arm["label"]}" {_spread(arm, measure)}' for arm in known[:SPELLED_OUT])
        more = f"; and {len(known) - SPELLED_OUT} more arms" if len(known) > SPELLED_OUT else ""
        return [f"Seeds differ by {SOURCE_NAMES[vary[0]]} alone. Spread that it makes: {spreads}{more}."]
    if len(known) > SPELLED_OUT:
        return _of_many(known, vary)
    return [sentence for arm in known for sentence in _of_one(arm, measure)]


def _of_one(arm: ArmVariance, measure: Measure) -> list[str]:
    shares = [(one["source"], one["share"]) for one in arm["sources"] if one["share"] is not None]
    if not shares:
        return [f'The runs of "{arm["label"]}" do not differ, or too few have ended: there are no shares.']
    shares.sort(key=lambda one: -one[1]["estimate"])
    verbs = [" is", *[""] * (len(shares) - 1)]
    told = [
        f"{_percent(share['estimate'])} %{verb} {SOURCE_NAMES[source]} ({_bounds(share)})"
        for (source, share), verb in zip(shares, verbs, strict=True)
    ]
    of = f"variance, sd {difference(measure, arm['sd'])}, N = {arm['n']}"
    found = [f'Of the spread of "{arm["label"]}" ({of}) {", ".join(told)}.']
    beyond = ["One share beyond 100 % is chance."] if shares[0][1]["estimate"] > 1 else []
    return [*found, *beyond, *_sum(sum(share["estimate"] for _, share in shares), arm["interplay"])]


def _sum(whole: float, together: VarianceShare | None) -> list[str]:
    if whole <= MUCH:
        return []
    more = f"That adds up to {_percent(whole)} %:"
    if together is not None and together["ci_low"] > 0:
        return [f"{more} what one source does depends on the others, and is counted with each."]
    return [f"{more} what one source does may depend on the others and is then counted with each, or so few seeds err."]


def _of_many(arms: Sequence[ArmVariance], vary: Sequence[Source]) -> list[str]:
    means = []
    for source in vary:
        every = [one["share"] for arm in arms for one in arm["sources"] if one["source"] == source]
        found = [share["estimate"] for share in every if share is not None]
        if found:
            means.append((float(np.mean(found)), source))
    if not means:
        return ["There are no shares yet: too few runs have ended twice."]
    told = ", ".join(f"{_percent(mean)} % {SOURCE_NAMES[source]}" for mean, source in sorted(means, reverse=True))
    return [f"Of the spread of an arm (variance) it is on average {told}; N = {len(arms)} arms, each in the table."]


def _spread(arm: ArmVariance, measure: Measure) -> str:
    sure = spread(measure, arm["sd_interval"]["ci_low"], arm["sd_interval"]["ci_high"])
    return f"sd {difference(measure, arm['sd'])} (95 % interval {sure}, N = {arm['n']})"


def _held(design: Design) -> list[str]:
    fixed = _fixed(design)
    if not fixed:
        return []
    return [f"Not in these numbers is what {_listed(fixed)} would add: every run has that of seed {design.seeds[0]}."]


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"


def _bounds(share: VarianceShare) -> str:
    return f"95 % interval {_percent(share['ci_low'])} to {_percent(share['ci_high'])} %"


def _listed(sources: Sequence[Source]) -> str:
    names = [SOURCE_NAMES[source] for source in sources]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
