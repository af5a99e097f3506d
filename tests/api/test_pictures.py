import pytest

from api.pictures import Kept


def test_a_picture_is_drawn_once_and_the_one_asked_for_longest_ago_goes_first() -> None:
    drawn: list[str] = []
    kept = Kept(2)

    def look(name: str) -> bytes:
        return kept.get((name, "png"), lambda: drawn.append(name) or name.encode())  # type: ignore[func-returns-value]

    assert [look(name) for name in "aabacab"] == [b"a", b"a", b"b", b"a", b"c", b"a", b"b"]
    assert drawn == ["a", "b", "c", "b"]


def test_a_picture_that_cannot_be_drawn_is_tried_again() -> None:
    kept = Kept(2)
    with pytest.raises(ZeroDivisionError):
        kept.get(("a", "png"), lambda: bytes(1 // 0))
    assert kept.get(("a", "png"), lambda: b"a") == b"a"
