"""Contrasts of cells of which some seeds lack one: Student's t where none does, and their errors by simulation."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from core.analysis.statistics.incomplete import within_seeds

CONTRASTS = np.array([[1, -1, 0, 0, 0, 0], [0.5, 0.5, -0.5, -0.5, 0, 0], [1, -1, 1, -1, 1, -1]], dtype=np.float64)


def drawn(rng: np.random.Generator, seeds: int, missing: int) -> NDArray[np.float64]:
    """Six equal cells, one of which jumps and one hardly moves, of seeds that are far apart."""
    spread = np.array([[1.0], [1.0], [1.0], [1.0], [3.0], [0.2]])
    values = rng.normal(0, 1, (6, seeds)) * spread + 5 * rng.normal(0, 1, seeds)
    values.flat[rng.choice(values.size, missing, replace=False)] = np.nan
    return np.asarray(values)


@pytest.mark.parametrize("seeds", [2, 5, 10])
def test_where_no_cell_is_missing_it_is_the_t_of_the_seeds(seeds: int) -> None:
    values = drawn(np.random.default_rng(seeds), seeds, 0)
    found = within_seeds(values, CONTRASTS)
    assert found is not None
    peer = stats.ttest_1samp(CONTRASTS @ values, 0, axis=1)
    assert found.mean / found.error == pytest.approx(peer.statistic)
    assert found.freedom == pytest.approx([seeds - 1] * 3)


@pytest.mark.parametrize(("seeds", "missing"), [(5, 3), (10, 6)])
def test_intervals_hold_though_cells_are_missing_and_vary_unequally(seeds: int, missing: int) -> None:
    """95 % on each contrast; three standard errors of 600 experiments are 2.7 %, and errors few seeds give are wide."""
    rng, held = np.random.default_rng(9), []
    for _ in range(600):
        found = within_seeds(drawn(rng, seeds, missing), CONTRASTS)
        if found is not None:
            held.append(np.abs(found.mean) <= stats.t.ppf(0.975, found.freedom) * found.error)
    assert len(held) > 590
    share = np.mean(held, axis=0)
    assert share.min() > 0.923
    assert share.max() < 0.985


def test_a_seed_that_lost_a_cell_still_compares_its_others() -> None:
    """Of five seeds two are complete: the difference of the other two cells has the error of five, not of two."""
    rng = np.random.default_rng(10)
    away = []
    for _ in range(300):
        values = np.array(rng.normal(0, 1, (3, 5)) + 5 * rng.normal(0, 1, 5))
        values[2, :3] = np.nan
        found = within_seeds(values, np.array([[1.0, -1.0, 0.0]]))
        assert found is not None
        away.append(found.mean[0])
    assert np.std(away) == pytest.approx((2 / 5) ** 0.5, rel=0.13)  # of two it would be 1


@pytest.mark.parametrize(
    "values",
    [
        [
            [0.5, 0.6, np.nan, np.nan],
            [0.4, 0.7, np.nan, np.nan],
            [np.nan, np.nan, 0.1, 0.2],
            [np.nan, np.nan, 0.3, 0.1],
        ],
        [[0.5, 0.6], [0.4, np.nan], [0.1, np.nan], [0.2, np.nan]],
        [[0.5, 0.6], [0.4, 0.3], [0.1, 0.2], [np.nan, np.nan]],
    ],
    ids=["two islands", "one seed", "a cell without values"],
)
def test_what_is_not_connected_has_no_answer(values: list[list[float]]) -> None:
    assert within_seeds(np.array(values), np.array([[1.0, 1.0, -1.0, -1.0]])) is None
