"""Named random streams: a generator is a function of what it is for, never of what was drawn before."""

import hashlib

import torch


def generator(seed: int, *purpose: str | int) -> torch.Generator:
    """A fresh CPU generator for one purpose of one seed, such as `generator(3, "order", epoch)`.

    Streams of different purposes are independent; the same purpose always gives the same stream, whatever else ran.
    """
    words = "/".join(str(word) for word in (seed, *purpose))
    digest = hashlib.blake2b(words.encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "little") >> 1)
