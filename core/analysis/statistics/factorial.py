"""Main effects of the fields of a grid, and their interactions."""

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from core.analysis.shapes import Effect, Factorial, Term
from core.analysis.statistics.intervals import Floats, Summary
from core.analysis.statistics.paired import holm, paired_t
from core.design import Design
from core.finite import finite_or_none

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
    - `n`: the seeds that finished in every cell. Effects are of those alone, and there are none below two.

    Seeds are blocks: every effect is a contrast of the cells, taken within each seed, and its interval is Student's t
    over the seeds. So each has its own error term, and neither equal variances nor sphericity is assumed, which the
    F tests of a repeated-measures analysis of variance need. Of two fields of two levels these are its tests: F = t².
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
    complete = np.isfinite(values).all(axis=0)
    table = values[:, complete].reshape(*shape, -1)
    n = table.shape[-1]
    return {
        "factors": [{"name": name, "levels": levels[name]} for name in names],
        "effects": _effects(names, levels, table) if n > 1 else [],
        "terms": _terms(names, table) if n > 1 else [],
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
        "n": n,
    }


def _effects(names: Sequence[str], levels: dict[str, list[str]], table: Floats) -> list[Effect]:
    found: list[Effect] = []
    asked: list[float] = []
    questions: list[int] = []
    for term in _subsets(len(names)):
        contrast = _contrast(table, term)
        shape = contrast.shape[:-1]
        rows = contrast.reshape(-1, contrast.shape[-1])
        _, mean, _, half, p, _ = paired_t(rows, np.full(len(rows), np.abs(table).max()))
        first: dict[tuple[int, ...], int] = {}
        for i, cell in enumerate(np.ndindex(*shape)):
            same = tuple(0 if size == 2 else at for at, size in zip(cell, shape, strict=True))
            if same not in first:  # with two levels, one is the other with its sign changed
                first[same] = len(asked)
                asked.append(float(p[i]))
            questions.append(first[same])
            found.append(
                {
                    "factors": [names[axis] for axis in term],
                    "levels": [levels[names[axis]][at] for axis, at in zip(term, cell, strict=True)],
                    "estimate": float(mean[i]),
                    "ci_low": float(mean[i] - half[i]),
                    "ci_high": float(mean[i] + half[i]),
                    "p": finite_or_none(p[i]),
                    "p_adjusted": None,
                }
            )
    adjusted = holm(np.array(asked))
    for effect, k in zip(found, questions, strict=True):
        effect["p_adjusted"] = finite_or_none(adjusted[k])
    return found


def _terms(names: Sequence[str], table: Floats) -> list[Term]:
    """Return the terms' shares of the variation between cells.

    The means of few seeds vary by chance alone, and most in the term of most levels: of 5 x 5 cells without any effect
    the interaction has a share of 16 / 24. Chance gives a term its degrees of freedom times its own error, term by
    seed, over the seeds; less that, its share is about 0 on average where it does nothing, and so often below 0.
    That is epsilon squared (Kelley 1935, doi:10.1073/pnas.21.9.554), of these kin the least biased one (Okada 2013,
    doi:10.2333/bhmk.40.129).
    """
    means, n = table.mean(axis=-1), table.shape[-1]
    whole = float(((means - means.mean()) ** 2).sum())
    found: list[Term] = []
    for term in _subsets(len(names)):
        seeds = _contrast(table, term)
        effect = seeds.mean(axis=-1)
        repeated = means.size / effect.size
        freedom = math.prod(size - 1 for size in effect.shape)
        error = float(((seeds - effect[..., None]) ** 2).sum()) * repeated / (freedom * (n - 1))
        size = float((effect**2).sum()) * repeated
        found.append(
            {
                "factors": [names[axis] for axis in term],
                "share": size / whole if whole > 0 else None,
                "share_corrected": (size - freedom * error / n) / whole if whole > 0 else None,
            }
        )
    return found


def _contrast(table: Floats, term: Sequence[int]) -> Floats:
    """Return the effects of a term within each seed: (levels of its first field, ..., seeds)."""
    others = tuple(axis for axis in range(table.ndim - 1) if axis not in term)
    effect: Floats = table.mean(axis=others)
    for axis in range(len(term)):
        effect = effect - effect.mean(axis=axis, keepdims=True)
    return effect


def _subsets(factors: int) -> Iterator[tuple[int, ...]]:
    for order in range(1, min(factors, ORDER) + 1):
        yield from itertools.combinations(range(factors), order)
