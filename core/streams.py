"""Named random streams: a draw depends on its seed and purpose, never on earlier draws."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache

import torch

GAMMA, MIX1, MIX2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
"""SplitMix64's odd step and its two multipliers: Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195."""


def generator(seed: int, *purpose: str | int) -> torch.Generator:
    """Return a fresh CPU generator for one purpose of one seed, such as `generator(3, "order", epoch)`.

    Streams of different purposes are independent; the same purpose always gives the same stream, whatever else ran.
    """
    return torch.Generator().manual_seed(_key(seed, purpose) >> 1)


def keys(seeds: Iterable[int], *purpose: str | int, device: str | torch.device = "cpu") -> torch.Tensor:
    """Return one key for each seed, for `words`: int64 (seeds,)."""
    return torch.tensor([_signed(_key(seed, purpose)) for seed in seeds], dtype=torch.int64, device=device)


def words(keys: torch.Tensor, step: int | torch.Tensor, count: int) -> torch.Tensor:
    """Return `count` words of 64 random bits for every key at one step: int64 (len(keys), count), on keys' device.

    A counter goes in and no state is kept: any step can be had at any time, on any device, with the same bits. A step
    that is an int64 tensor, (), is read when the words are computed: a CUDA graph draws anew at every replay.
    """
    if isinstance(step, torch.Tensor):  # and nothing that a cache may let go while a graph reads it
        return _mixed(_mixed(keys + (step + 1) * _signed(GAMMA)).unsqueeze(1) + _count(count, keys.device))
    return _mixed(_mixed(keys + _signed((step + 1) * GAMMA % 2**64)).unsqueeze(1) + _counter(count, keys.device))


def _mixed(z: torch.Tensor) -> torch.Tensor:
    """Apply SplitMix64's finalizer in place: every bit of the result depends on every bit of the word."""
    for shift, factor in ((30, MIX1), (27, MIX2)):
        z.bitwise_xor_(_shifted(z, shift)).mul_(_signed(factor))
    return z.bitwise_xor_(_shifted(z, 31))


def _shifted(z: torch.Tensor, by: int) -> torch.Tensor:
    """Return the unsigned shift `z >> by`; torch's own shift of int64 keeps the sign."""
    return (z >> by).bitwise_and_(2 ** (64 - by) - 1)


def _count(count: int, device: torch.device) -> torch.Tensor:
    return torch.arange(1, count + 1, device=device) * _signed(GAMMA)


_counter = lru_cache(maxsize=64)(_count)


def _key(seed: int, purpose: tuple[str | int, ...]) -> int:
    words = "/".join(str(word) for word in (seed, *purpose))
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8).digest(), "little")


def _signed(word: int) -> int:
    """Return the int64 that has the bits of an unsigned word."""
    return word - 2**64 if word >= 2**63 else word
