import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.analysis import PartMeans, part_means

values_of_any_kind = arrays(
    np.float64, st.integers(1, 300), elements=st.one_of(st.floats(-1e3, 1e3), st.just(np.nan), st.just(np.inf))
)


def wider(found: PartMeans, width: int) -> dict[int, tuple[float, float, int]]:
    """The parts put together to wider ones, by the place of each."""
    of: dict[int, list[int]] = {}
    for i, step in enumerate(found.steps):
        of.setdefault(int(step // width), []).append(i)
    return {
        place: (
            np.average(found.steps[at], weights=found.counts[at]),
            np.average(found.values[at], weights=found.counts[at]),
            found.counts[at].sum(),
        )
        for place, at in of.items()
    }


@given(values_of_any_kind, st.integers(1, 60), st.integers(0, 2**52), st.data())
def test_a_part_has_the_mean_of_its_finite_points(
    values: np.ndarray, most: int, first: int, data: st.DataObject
) -> None:
    n = len(values)
    steps = first + np.cumsum(data.draw(st.lists(st.integers(1, 9), min_size=n, max_size=n)))

    found = part_means(steps, values, most)

    finite = np.isfinite(values)
    places = steps[finite] // found.width
    assert len(found.steps) <= most
    assert (found.steps // found.width).tolist() == np.unique(places).tolist()
    for place, value, count in zip(np.unique(places), found.values, found.counts, strict=True):
        mine = values[finite][places == place]
        assert count == len(mine)
        assert value == pytest.approx(mine.mean(), abs=1e-9)
    if found.width > 1:
        half = steps[finite] // (found.width // 2)
        assert half[-1] - half[0] >= most, "the narrowest that there can be"


@given(values_of_any_kind, st.integers(1, 20), st.integers(1, 3))
def test_narrow_parts_make_wide_ones(values: np.ndarray, most: int, times: int) -> None:
    steps = np.arange(len(values)) * 3
    wide, narrow = part_means(steps, values, most), part_means(steps, values, most * 2**times)

    made = wider(narrow, wide.width)

    expected = wider(wide, wide.width)
    assert made.keys() == expected.keys()
    for place, (step, value, count) in made.items():
        assert (step, value) == pytest.approx(expected[place][:2], abs=1e-9)
        assert count == expected[place][2]


def test_nothing_finite_has_no_parts_and_a_sum_that_is_none_no_mean() -> None:
    assert part_means(np.arange(3), np.full(3, np.nan), 2).counts.tolist() == []
    assert part_means(np.arange(2), np.full(2, 1.7e308), 1).values.tolist() == [np.inf]


def test_refuses_fewer_than_one_part() -> None:
    with pytest.raises(ValueError, match="most"):
        part_means(np.arange(3), np.zeros(3), 0)
