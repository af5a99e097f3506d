import pytest

from core.training.lanes.optimizer import PIECE, cuts


@pytest.mark.parametrize(
    ("size", "lanes", "widths"), [(10, 4, [4]), (PIECE // 3, 7, [3, 3, 1]), (PIECE + 1, 2, [1, 1])]
)
def test_pieces_fit_the_cache(size: int, lanes: int, widths: list[int]) -> None:
    found = list(cuts(size, lanes, PIECE))
    assert [cut.stop - cut.start for cut in found] == widths
    assert [lane for cut in found for lane in range(cut.start, cut.stop)] == list(range(lanes))
