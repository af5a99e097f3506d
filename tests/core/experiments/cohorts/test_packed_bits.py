"""Bits in bytes."""

import numpy as np
import pytest

from core.experiments.cohorts.packed_bits import pack, unpack


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 360])
def test_what_is_packed_is_unpacked_in_an_eighth_of_a_byte_each(n: int) -> None:
    bits = np.random.default_rng(n).integers(0, 2, n).astype(np.bool_)
    packed = pack(bits)
    assert len(packed) == 4 + -(-n // 8)
    assert unpack(packed).tolist() == bits.tolist()
