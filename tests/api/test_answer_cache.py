"""The cache of answers: each made once, the oldest forgotten first."""

import asyncio
from functools import partial

import pytest

from api.answer_cache import Answer, AnswerCache


@pytest.fixture
def made() -> list[str]:
    return []


def look(cache: AnswerCache, made: list[str], key: str, size: int = 10, name: str | None = None) -> bytes:
    async def make() -> Answer:
        made.append(key)
        return Answer("1", key.encode() * size)

    return asyncio.run(cache.get(key, make, name=name)).body


def named(cache: AnswerCache, name: str) -> bytes | None:
    found = cache.named(name)
    return None if found is None else found.body


def test_an_answer_is_made_once_and_the_one_asked_for_longest_ago_goes_first(made: list[str]) -> None:
    cache = AnswerCache(20)  # two of ten bytes

    assert [look(cache, made, key)[:1] for key in "aabacab"] == [b"a", b"a", b"b", b"a", b"c", b"a", b"b"]
    assert made == ["a", "b", "c", "b"]


def test_what_is_kept_is_bounded_in_bytes(made: list[str]) -> None:
    cache = AnswerCache(20)
    look(cache, made, "a", 5)
    look(cache, made, "b", 5)
    look(cache, made, "c", 19)  # neither of the two fits beside it
    assert look(cache, made, "d", 21) == b"d" * 21  # more than all: made, and not kept
    look(cache, made, "d", 21)
    look(cache, made, "a", 5)
    assert made == ["a", "b", "c", "d", "d", "a"]


def test_an_answer_is_found_by_its_names(made: list[str]) -> None:
    cache = AnswerCache(20)
    assert cache.named("first version") is None
    look(cache, made, "a", name="first version")
    look(cache, made, "a", name="second version")
    assert named(cache, "first version") == named(cache, "second version") == b"a" * 10
    assert made == ["a"]
    look(cache, made, "b", 15, name="third version")
    assert cache.named("first version") is None


def test_an_answer_that_cannot_be_made_is_tried_again(made: list[str]) -> None:
    cache = AnswerCache(20)

    async def fail() -> Answer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(cache.get("a", fail))
    assert look(cache, made, "a", 1) == b"a"


def test_who_asks_meanwhile_waits_for_the_same_and_answers_of_one_turn_are_made_one_after_the_other() -> None:
    cache, events = AnswerCache(100), []

    async def make(key: str) -> Answer:
        events.append(f"{key} begins")
        await asyncio.sleep(0)
        events.append(f"{key} ends")
        return Answer("", key.encode())

    async def ask() -> list[Answer]:
        return await asyncio.gather(*(cache.get(key, partial(make, key), turn=key < "c") for key in "abbc"))

    assert [answer.body for answer in asyncio.run(ask())] == [b"a", b"b", b"b", b"c"]
    assert sorted(events) == sorted(f"{key} {word}" for key in "abc" for word in ("begins", "ends"))
    assert events.index("a ends") < events.index("b begins")
    assert events.index("c begins") < events.index("a ends")


def test_one_who_goes_away_takes_the_answer_from_nobody(made: list[str]) -> None:
    cache = AnswerCache(100)

    async def ask() -> bytes:
        go = asyncio.Event()

        async def make() -> Answer:
            await go.wait()
            made.append("a")
            return Answer("", b"a")

        first, second = (asyncio.ensure_future(cache.get("a", make)) for _ in "ab")
        await asyncio.sleep(0)
        first.cancel()
        go.set()
        return (await second).body

    assert asyncio.run(ask()) == b"a"
    assert made == ["a"]
