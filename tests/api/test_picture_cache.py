import pytest

from api.picture_cache import PictureCache


@pytest.fixture
def drawn() -> list[str]:
    return []


def look(kept: PictureCache, drawn: list[str], key: str, size: int = 10, name: str | None = None) -> bytes:
    def draw() -> bytes:
        drawn.append(key)
        return key.encode() * size

    return kept.get(key, draw, name)


def test_a_picture_is_drawn_once_and_the_one_asked_for_longest_ago_goes_first(drawn: list[str]) -> None:
    kept = PictureCache(20)  # two of ten bytes

    assert [look(kept, drawn, key)[:1] for key in "aabacab"] == [b"a", b"a", b"b", b"a", b"c", b"a", b"b"]
    assert drawn == ["a", "b", "c", "b"]


def test_what_is_kept_is_bounded_in_bytes(drawn: list[str]) -> None:
    kept = PictureCache(20)
    look(kept, drawn, "a", 5)
    look(kept, drawn, "b", 5)
    look(kept, drawn, "c", 19)  # neither of the two fits beside it
    assert look(kept, drawn, "d", 21) == b"d" * 21  # more than all: drawn, and not kept
    look(kept, drawn, "d", 21)
    look(kept, drawn, "a", 5)
    assert drawn == ["a", "b", "c", "d", "d", "a"]


def test_a_picture_is_found_by_its_names(drawn: list[str]) -> None:
    kept = PictureCache(20)
    assert kept.named("first version") is None
    look(kept, drawn, "a", name="first version")
    look(kept, drawn, "a", name="second version")
    assert kept.named("first version") == kept.named("second version") == b"a" * 10
    assert drawn == ["a"]
    look(kept, drawn, "b", 15, name="third version")
    assert kept.named("first version") is None


def test_a_picture_that_cannot_be_drawn_is_tried_again() -> None:
    kept = PictureCache(20)
    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: bytes(1 // 0))
    assert kept.get("a", lambda: b"a") == b"a"
