"""Contrasts of cells within seeds, some of which lack a cell: least squares whose errors are each contrast's own."""

from typing import NamedTuple

import numpy as np

from core.analysis.statistics.intervals import Floats


class Estimates(NamedTuple):
    """Estimates of contrasts, their standard errors and the degrees of freedom of these, (contrasts,) each."""

    mean: Floats
    error: Floats
    freedom: Floats


def within_seeds(values: Floats, contrasts: Floats) -> Estimates | None:
    """Estimate `contrasts` (contrasts, cells), each of sum 0, from `values` (cells, seeds), NaN where there is none.

    Cells and seeds have an effect each, fitted by least squares: a seed that lost a cell still compares its others, and
    its own level is in no contrast. The standard errors are robust to whatever spread and correlation the cells have,
    by the residuals of whole seeds (CR2: Bell and McCaffrey 2002; Pustejovsky and Tipton 2018,
    doi:10.1080/07350015.2016.1247004), with Satterthwaite's degrees of freedom. Where no cell is missing that is
    Student's t over the seeds' contrasts with n - 1. A mixed model's one error for all would let a cell that jumps
    widen the intervals of all contrasts, and one that is stuck narrow them.

    None where the cells are not connected through seeds, or fewer than two seeds have two cells.
    """
    blocks = [np.flatnonzero(np.isfinite(column)) for column in values.T]
    columns = [s for s, cells in enumerate(blocks) if len(cells) > 1]
    if len(columns) < 2:
        return None
    normal, right = np.zeros((len(values), len(values))), np.zeros(len(values))
    for s in columns:
        cells = blocks[s]
        normal[np.ix_(cells, cells)] += _centre(len(cells))
        right[cells] += values[cells, s] - values[cells, s].mean()
    inverse = np.linalg.pinv(normal, rcond=1e-10, hermitian=True)
    if np.abs(contrasts - contrasts @ inverse @ normal).max() > 1e-8:
        return None
    means = inverse @ right
    scores, spread = np.empty((len(contrasts), len(columns))), np.zeros((len(contrasts), len(columns), len(values)))
    for place, s in enumerate(columns):
        cells = blocks[s]
        centre = _centre(len(cells))
        weights = (
            contrasts
            @ inverse[:, cells]
            @ centre
            @ _root_inverse(centre - centre @ inverse[np.ix_(cells, cells)] @ centre)
        )
        scores[:, place] = weights @ centre @ (values[cells, s] - means[cells])
        spread[:, place, cells] = weights @ centre
    moments = -spread @ inverse @ spread.transpose(0, 2, 1)
    each = np.arange(len(columns))
    moments[:, each, each] += (spread**2).sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.trace(moments, axis1=1, axis2=2) ** 2 / (moments**2).sum(axis=(1, 2))
    return Estimates(contrasts @ means, np.sqrt((scores**2).sum(axis=1)), freedom)


def _centre(size: int) -> Floats:
    """Return the matrix that takes the mean away."""
    return np.eye(size) - 1 / size


def _root_inverse(matrix: Floats) -> Floats:
    """Return the inverse of a symmetric matrix's root, where it has one."""
    values, vectors = np.linalg.eigh(matrix)
    there = values > 1e-9
    return np.asarray((vectors[:, there] / np.sqrt(values[there])) @ vectors[:, there].T)
