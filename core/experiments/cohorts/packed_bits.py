"""Bits in bytes: the number of them, and eight a byte."""

import struct

import numpy as np
from numpy.typing import NDArray

_COUNT = struct.Struct("<I")


def pack(bits: NDArray[np.bool_]) -> bytes:
    """Return bits (n,) as 4 + n / 8 bytes."""
    return _COUNT.pack(len(bits)) + np.packbits(bits).tobytes()


def unpack(packed: bytes) -> NDArray[np.bool_]:
    """Return the bits (n,) of `pack`."""
    (n,) = _COUNT.unpack_from(packed)
    return np.unpackbits(np.frombuffer(packed, np.uint8, offset=_COUNT.size), count=n).astype(np.bool_)
