import pytest

from core.registry import Entry
from core.training.lanes.optimizer import ALIKE, PIECE, cuts

A, B = [(Entry(name="adam"), Entry(name=name)) for name in ("constant", "cosine")]


@pytest.mark.parametrize(
    ("size", "curves", "lanes"),
    [
        (10, [A, A, B, A], [4]),  # small parameters: all lanes at once, whatever their rates
        (ALIKE, [A, A, B, A], [2, 1, 1]),  # large ones: lanes of one rate
        (PIECE // 3, [A] * 7, [3, 3, 1]),
        (PIECE + 1, [A] * 2, [1, 1]),
    ],
)
def test_pieces_fit_the_cache_and_share_a_rate(size: int, curves: list[tuple[Entry, Entry]], lanes: list[int]) -> None:
    found = list(cuts(size, curves, PIECE))
    assert [cut.stop - cut.start for cut in found] == lanes
    assert [lane for cut in found for lane in range(cut.start, cut.stop)] == list(range(len(curves)))
