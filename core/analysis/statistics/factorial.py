"""Main effects of the fields of a grid, and their interactions."""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from core.analysis.shapes import Effect, Factorial, Term
from core.analysis.statistics.incomplete import within_seeds
from core.analysis.statistics.intervals import CONFIDENCE, Floats, Summary
from core.analysis.statistics.paired import holm, paired_t
from core.design import Design
from core.finite import finite_or_none
from core.metrics import ROUNDING

ORDER = 3
"""Most fields of one interaction."""


def factorial(design: Design, values: Floats, summaries: Sequence[Summary]) -> Factorial | None:
    """Return main effects and interactions of a grid of two or more fields; None for anything else.

    `values` are the arms' (arms, seeds), `summaries` theirs. The answer has

    - `factors`: `name` and `levels` of each field of two or more values, in the grid's order, levels in words;
    - `effects`: of one field the mean of each level less the mean of all cells; of two or three what the cells of their
      levels depart by from the sum of the lower effects. `estimate`, its 95 % interval, `p`, and `p_adjusted` by Holm
      over all effects, a field of two levels being one question;
    - `terms`: for each field and each interaction its `share` of the variation between the cells' means, and
      `share_corrected`: the share less what chance alone gives it;
    - `cells`: each arm by its `levels`, with `n`, `mean` and interval of the report;
    - `n`: the seeds with a value in two cells at least, of which the effects are, and `complete`: those with one in
      every cell. There are no effects below two seeds, or where the cells are not connected through seeds.

    Seeds are blocks: every effect is a contrast of the cells, taken within each seed, and its interval is Student's t
    over the seeds. So each has its own error term, and neither equal variances nor sphericity is assumed, which the
    F tests of a repeated-measures analysis of variance need. Of two fields of two levels these are its tests: F = t².
    Where some seeds lack a cell, they are not dropped: see `within_seeds`.
    """
    grid = design.grid
    if grid is None:
        return None
    names = [name for name, levels in grid.items() if len(levels) > 1]
    if len(names) < 2:
        return None
    arms = design.arms
    levels = {name: list(dict.fromkeys(arm.settings[name] for arm in arms)) for name in names}
    shape = tuple(len(grid[name]) for name in names)
    terms = _terms(values, shape)
    return {
        "factors": [{"name": name, "levels": levels[name]} for name in names],
        "effects": _effects(names, levels, terms),
        "terms": _shares(names, terms, _variation(values)),
        "cells": [
            {
                "levels": [arm.settings[name] for name in names],
                "n": one.n,
                "mean": finite_or_none(one.mean),
                "ci_low": finite_or_none(one.ci_low),
                "ci_high": finite_or_none(one.ci_high),
            }
            for arm, one in zip(arms, summaries, strict=True)
        ],
        "n": int((np.isfinite(values).sum(axis=0) > 1).sum()),
        "complete": int(np.isfinite(values).all(axis=0).sum()),
    }


class _TermEffects(NamedTuple):
    """The effects of a term at its levels, arrays of the shape of these."""

    axes: tuple[int, ...]
    estimate: Floats
    error: Floats
    """Standard errors, each of its own contrast."""
    half: Floats
    p: Floats
    repeated: int
    """The cells that have each level."""


def _terms(values: Floats, shape: tuple[int, ...]) -> list[_TermEffects]:
    """Return the effects of all terms; none where they cannot be told."""
    found = []
    size = np.abs(values[np.isfinite(values)]).max(initial=0.0)
    for axes in _subsets(len(shape)):
        contrasts = _contrast(np.eye(len(values)).reshape(*shape, -1), axes)
        levels = contrasts.shape[:-1]
        estimated = _estimate(values, contrasts.reshape(-1, len(values)), size)
        if estimated is None:
            return []
        estimate, error, half, p = (one.reshape(levels) for one in estimated)
        found.append(_TermEffects(axes, estimate, error, half, p, len(values) // estimate.size))
    return found


def _estimate(values: Floats, contrasts: Floats, size: float) -> tuple[Floats, Floats, Floats, Floats] | None:
    """Return the estimates of contrasts, their standard errors, half widths and p."""
    if np.isfinite(values).all():
        if values.shape[1] < 2:
            return None
        n, mean, sd, half, p, _ = paired_t(contrasts @ values, np.full(len(contrasts), size))
        return mean, sd / np.sqrt(n), half, p
    found = within_seeds(values, contrasts)
    if found is None:
        return None
    flat = found.error <= ROUNDING * size
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(found.freedom, -np.abs(found.mean / found.error))
        half = stdtrit(found.freedom, (1 + CONFIDENCE) / 2) * found.error
    return found.mean, np.where(flat, 0.0, found.error), np.where(flat, 0.0, half), np.where(flat, np.nan, p)


def _effects(names: Sequence[str], levels: dict[str, list[str]], terms: Sequence[_TermEffects]) -> list[Effect]:
    found: list[Effect] = []
    asked: list[float] = []
    questions: list[int] = []
    for term in terms:
        first: dict[tuple[int, ...], int] = {}
        shape = term.estimate.shape
        for cell in np.ndindex(*shape):
            same = tuple(0 if size == 2 else at for at, size in zip(cell, shape, strict=True))
            if same not in first:  # with two levels, one is the other with its sign changed
                first[same] = len(asked)
                asked.append(float(term.p[cell]))
            questions.append(first[same])
            found.append(
                {
                    "factors": [names[axis] for axis in term.axes],
                    "levels": [levels[names[axis]][at] for axis, at in zip(term.axes, cell, strict=True)],
                    "estimate": float(term.estimate[cell]),
                    "ci_low": float(term.estimate[cell] - term.half[cell]),
                    "ci_high": float(term.estimate[cell] + term.half[cell]),
                    "p": finite_or_none(float(term.p[cell])),
                    "p_adjusted": None,
                }
            )
    adjusted = holm(np.array(asked))
    for effect, k in zip(found, questions, strict=True):
        effect["p_adjusted"] = finite_or_none(adjusted[k])
    return found


def _shares(names: Sequence[str], terms: Sequence[_TermEffects], whole: float) -> list[Term]:
    """Return the terms' shares of the variation between cells.

    The means of few seeds vary by chance alone, and most in the term of most levels: of 5 x 5 cells without any effect
    the interaction has a share of 16 / 24. Chance gives a term the sum of its effects' squared errors: its degrees of
    freedom times its own error, term by seed, over the seeds. Less that, its share is about 0 on average where it does
    nothing, and so often below 0. That is epsilon squared (Kelley 1935, doi:10.1073/pnas.21.9.554), of the kin of omega
    squared the least biased one (Okada 2013, doi:10.2333/bhmk.40.129).
    """
    sizes = [float((term.estimate**2).sum()) * term.repeated for term in terms]
    chances = [float((term.error**2).sum()) * term.repeated for term in terms]
    return [
        {
            "factors": [names[axis] for axis in term.axes],
            "share": size / whole if whole > 0 else None,
            "share_corrected": (size - chance) / whole if whole > 0 else None,
        }
        for term, size, chance in zip(terms, sizes, chances, strict=True)
    ]


def _variation(values: Floats) -> float:
    """Return the sum of the squared differences of the cells' means from their mean, seeds taken out."""
    if np.isfinite(values).all():
        means = values.mean(axis=1)
    else:
        found = within_seeds(values, np.eye(len(values)) - 1 / len(values))
        means = np.zeros(len(values)) if found is None else found.mean
    return float(((means - means.mean()) ** 2).sum())


def _contrast(table: Floats, term: Sequence[int]) -> Floats:
    """Return the effects of a term in each of the last axis: (levels of its first field, ..., last axis)."""
    others = tuple(axis for axis in range(table.ndim - 1) if axis not in term)
    effect: Floats = table.mean(axis=others)
    for axis in range(len(term)):
        effect = effect - effect.mean(axis=axis, keepdims=True)
    return effect


def _subsets(factors: int) -> Iterator[tuple[int, ...]]:
    for order in range(1, min(factors, ORDER) + 1):
        yield from itertools.combinations(range(factors), order)
