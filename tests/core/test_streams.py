"""Random streams are functions of their purpose."""

import itertools
from collections.abc import Callable

import pytest
import torch

from core.streams import generator, keys, words


def draw(*words: str | int) -> torch.Tensor:
    seed, *purpose = words
    assert isinstance(seed, int)
    return torch.rand(1000, generator=generator(seed, *purpose))


def test_the_same_purpose_gives_the_same_stream_whatever_ran_before() -> None:
    first = draw(3, "order", 7)
    draw(3, "order", 8)
    torch.rand(5)
    assert torch.equal(draw(3, "order", 7), first)


def test_the_global_stream_is_left_alone() -> None:
    before = torch.get_rng_state()
    draw(0, "weight")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("a", "b"),
    list(
        itertools.combinations([(0,), (1,), (0, "order"), (0, "order", 0), (0, "order", 1), (0, "split"), (10, "x")], 2)
    ),
)
def test_streams_of_different_purposes_are_unrelated(a: tuple[int], b: tuple[int]) -> None:
    correlation = torch.corrcoef(torch.stack([draw(*a), draw(*b)]))[0, 1]
    assert abs(correlation) < 4.5 / 1000**0.5


def test_a_stream_is_pinned_for_ever() -> None:
    """Stored experiments rely on it; the digest is what coreutils' `b2sum -l 64` says of 7/order/2."""
    digest = bytes.fromhex("17e04c04079296f5")
    assert generator(7, "order", 2).initial_seed() == int.from_bytes(digest, "little") >> 1


class SplitMix64:
    """In plain integers, as Steele, Lea & Flood 2014 give it, doi:10.1145/2660193.2660195."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def next(self) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return z ^ (z >> 31)

    def first(self, count: int) -> list[int]:
        return [self.next() for _ in range(count)]


def test_the_plain_splitmix64_is_the_published_one() -> None:
    """The known answers that implementations of it are tested with, for the seed 1234567."""
    assert SplitMix64(1234567).first(5) == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_words_are_splitmix64s() -> None:
    """A key's outputs are the seeds of its steps, whose outputs are the words; for keys of either sign."""
    some = torch.tensor([1234567, -1, 0, -(2**63), 2**63 - 1, *keys(range(3), "test").tolist()])
    for step in (0, 1, 2, 1000):
        found = words(some, step, 6)
        assert found.dtype == torch.int64
        for key, row in zip(some.tolist(), found.tolist(), strict=True):
            seed = SplitMix64(key % 2**64).first(step + 1)[-1]
            assert [word % 2**64 for word in row] == SplitMix64(seed).first(6)


def test_words_are_a_function_of_key_and_step() -> None:
    some = keys([5, 7], "test")
    before, at_3 = some.clone(), words(some, 3, 10)
    words(some, 4, 10).zero_()  # what was given out belongs to its taker
    assert torch.equal(words(some, 3, 10), at_3)
    assert torch.equal(words(some, 3, 4), at_3[:, :4])
    assert torch.equal(words(some[1:], 3, 10), at_3[1:])
    assert torch.equal(some, before)
    assert words(some, 2**40, 1).shape == (2, 1)


def test_keys_are_pinned_for_ever() -> None:
    """As for generators: the digest is what coreutils' `b2sum -l 64` says of 7/order/2."""
    (key,) = keys([7], "order", 2).tolist()
    assert key % 2**64 == int.from_bytes(bytes.fromhex("17e04c04079296f5"), "little")
    assert keys([3, 7], "x").tolist() == [*keys([3], "x").tolist(), *keys([7], "x").tolist()]


def bits(drawn: torch.Tensor) -> torch.Tensor:
    """-1 or 1 for every bit, (words, 64)."""
    return ((drawn.unsqueeze(1) >> torch.arange(64)) & 1) * 2.0 - 1


N = 40_000
NEIGHBOURS: dict[str, Callable[[], tuple[torch.Tensor, ...]]] = {
    "of one step": lambda: (words(keys([0], "test"), 0, N + 1)[0, :-1], words(keys([0], "test"), 0, N + 1)[0, 1:]),
    "of steps": lambda: (words(keys([0], "test"), 5, N)[0], words(keys([0], "test"), 6, N)[0]),
    "of steps, a word further": lambda: (
        words(keys([0], "test"), 5, N + 1)[0, 1:],
        words(keys([0], "test"), 6, N + 1)[0, :-1],
    ),
    "of seeds": lambda: (words(keys([0], "test"), 5, N)[0], words(keys([1], "test"), 5, N)[0]),
    "of purposes": lambda: (words(keys([0], "test"), 5, N)[0], words(keys([0], "tess"), 5, N)[0]),
    "of keys side by side": lambda: tuple(words(torch.tensor([8, 9]), 5, N)),
    "first words of steps": lambda: (
        torch.stack([words(torch.tensor([1]), step, 1)[0, 0] for step in range(2000)]),
        torch.stack([words(torch.tensor([1]), step, 1)[0, 0] for step in range(1, 2001)]),
    ),
}


@pytest.mark.parametrize("which", NEIGHBOURS)
def test_bits_are_balanced_and_neighbours_uncorrelated(which: str) -> None:
    """Every bit against every bit of the neighbour: 4,096 correlations, of which the largest is some 4 deviations."""
    a, b = (bits(drawn) for drawn in NEIGHBOURS[which]())
    deviation = len(a) ** -0.5
    assert a.mean(0).abs().max() < 5 * deviation
    assert (a.T @ b / len(a)).abs().max() < 5.5 * deviation
    own = a.T @ a / len(a)
    assert (own - torch.eye(64)).abs().max() < 5.5 * deviation
