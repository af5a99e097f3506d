"""Columns of millions of different texts: memory grows as they do, and no faster."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from core.datasets.tables.numbers import read_numbers, signs_of
from core.datasets.tables.texts import different


def most_bytes(work: Callable[[], Any]) -> int:
    """Return the most bytes of Arrow's that the work holds at a time."""
    plain = pa.default_memory_pool()
    pool = pa.proxy_memory_pool(plain)
    pa.set_memory_pool(pool)
    try:
        work()
    finally:
        pa.set_memory_pool(plain)
    return int(pool.max_memory())


def test_the_different_texts_of_many_chunks() -> None:
    """Each chunk had a dictionary of its own, as long as all before it: the time grew with the square, and memory."""
    texts = [[f"{1000 * i + j}%" for j in range(1000)] for i in range(100)]
    column = pa.chunked_array([pa.array(some) for some in texts])
    found, codes, counts = different(column, [""])
    assert found.to_pylist() == [text for some in texts for text in some]
    np.testing.assert_array_equal(codes, np.arange(100_000))
    np.testing.assert_array_equal(counts, 1)
    assert most_bytes(lambda: different(column, [""])) < 16 * column.nbytes


def test_numbers_written_with_signs_are_read_a_batch_at_a_time() -> None:
    texts = pa.array([f"{i / 1000:.3f} %" for i in range(400_000)])
    values = read_numbers(texts, ".")
    np.testing.assert_allclose(values.values, np.arange(400_000) / 1000)
    assert (values.ways, values.mixed) == ({"percent", "point"}, ())
    assert most_bytes(lambda: read_numbers(texts, ".")) < 4 * texts.nbytes
    assert most_bytes(lambda: signs_of(texts)) < 4 * texts.nbytes


def test_what_is_mixed_in_different_batches_is_found() -> None:
    percent, plain = [f"{i}%" for i in range(1, 120_000)], [f"{i}" for i in range(200_000, 300_000)]
    assert read_numbers(pa.array(percent + plain), ".").mixed == ("some have a % and others do not",)
    euros, dollars = [f"{i} €" for i in range(1, 120_000)], [f"${i}" for i in range(100_000)]
    assert read_numbers(pa.array(euros + dollars), ".").mixed == ("they are in several currencies",)
    commas = pa.array([f"{i},5" for i in range(120_000)] + ["1.5"])
    assert signs_of(commas).possible == frozenset()
