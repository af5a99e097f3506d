import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.analysis import thin

values_of_any_kind = arrays(
    np.float64,
    st.integers(1, 400),
    elements=st.one_of(st.floats(-1e3, 1e3), st.just(np.nan), st.just(np.inf), st.just(-np.inf)),
)


@given(values_of_any_kind, st.integers(2, 100), st.integers(1, 7))
def test_keeps_ends_order_and_limit(values: np.ndarray, most: int, stride: int) -> None:
    kept = thin(np.arange(len(values)) * stride, values, most)

    assert len(kept) <= most
    assert kept[0] == 0
    assert kept[-1] == len(values) - 1
    assert (np.diff(kept) > 0).all()
    if len(values) <= most:
        assert kept.tolist() == list(range(len(values)))


@given(values_of_any_kind, st.integers(5, 100))
def test_keeps_spikes_and_what_is_not_finite(values: np.ndarray, most: int) -> None:
    kept = values[thin(np.arange(len(values)), values, most)]

    finite = values[np.isfinite(values)]
    if len(finite):
        assert kept[np.isfinite(kept)].max() == finite.max()
        assert kept[np.isfinite(kept)].min() == finite.min()
    assert np.isfinite(values).all() == np.isfinite(kept).all()


@given(values_of_any_kind, st.integers(2, 100), st.data())
def test_every_bucket_keeps_what_a_picture_of_it_needs(values: np.ndarray, most: int, data: st.DataObject) -> None:
    """Bucket by bucket, of steps at any distance: both extremes, whatever is not finite, and each as early as it is."""
    n = len(values)
    gaps = data.draw(st.lists(st.integers(1, 9), min_size=n, max_size=n))
    steps = np.cumsum(gaps)

    kept = thin(steps, values, most)

    if n <= most:
        return
    expected = {0, n - 1}
    finite = np.isfinite(values[1:-1]).all()
    buckets = (most - 2) // (2 if finite else 3)
    of_bucket: dict[int, list[int]] = {}
    for i in range(1, n - 1):
        place = int(steps[i] - steps[1]) * buckets // int(steps[n - 2] - steps[1] + 1)
        if buckets:
            of_bucket.setdefault(place, []).append(i)
    for points in of_bucket.values():
        numbers = [i for i in points if np.isfinite(values[i])]
        if numbers:
            expected |= {min(numbers, key=lambda i: values[i]), max(numbers, key=lambda i: values[i])}
        expected |= {next(i for i in points if not np.isfinite(values[i]))} if len(numbers) < len(points) else set()
    assert kept.tolist() == sorted(expected)


@pytest.mark.parametrize("most", [7, 40, 2_500, 90_000])
@pytest.mark.parametrize("broken", [0, 50])
def test_a_long_series_keeps_of_every_bucket_what_a_short_one_does(most: int, broken: int) -> None:
    """However many buckets are looked at together, and however many points one has."""
    draw = np.random.default_rng(most + broken)
    n = 300_000
    values = draw.integers(0, 1_000, n).astype(float)  # many are equal: the first counts
    values[draw.integers(1, n - 1, broken)] = np.nan
    steps = np.cumsum(draw.integers(1, 4, n))

    kept = thin(steps, values, most)

    buckets = (most - 2) // (3 if broken else 2)
    place = (steps[1:-1] - steps[1]) * buckets // (steps[-2] - steps[1] + 1)
    expected = {0, n - 1}
    for points in np.split(np.arange(1, n - 1), np.flatnonzero(np.diff(place)) + 1):
        numbers = points[np.isfinite(values[points])]
        expected |= {points[np.isnan(values[points])][0]} if len(numbers) < len(points) else set()
        if len(numbers):
            expected |= {numbers[values[numbers].argmin()], numbers[values[numbers].argmax()]}
    assert kept.tolist() == sorted(expected)


def test_every_bucket_keeps_its_extremes_and_its_first_nan() -> None:
    values = np.array([5, 1, 9, 4, 4, np.nan, 2, np.nan, 8, 3, 0], dtype=np.float64)

    kept = thin(np.arange(11), values, 8)

    # Inner points 1..9 in two buckets of width 4.5: 1..5 and 6..9.
    assert kept.tolist() == [0, 1, 2, 5, 6, 7, 8, 10]


def test_buckets_have_equal_width_in_steps() -> None:
    steps = np.array([0, 1, 2, 3, 4, 5, 100, 200])
    values = np.array([0, 1, 2, 3, 4, 5, 6, 7], dtype=np.float64)

    assert thin(steps, values, 6).tolist() == [0, 1, 5, 6, 7]  # 1..5 lie in the first half of 1..100, 100 in the second


@pytest.mark.parametrize("most", [1, 0, -3])
def test_refuses_fewer_than_two_points(most: int) -> None:
    with pytest.raises(ValueError, match="max_points"):
        thin(np.arange(3), np.zeros(3), most)
