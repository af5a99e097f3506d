"""Columns of texts: trimmed, and by their different values."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute


def trimmed(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts without spaces around them; dictionaries keep their form."""
    if pa.types.is_timestamp(values.type) and values.type.tz is not None:
        values = values.cast(pa.timestamp(values.type.unit, "UTC"))  # this machine may not know the zone
    if not pa.types.is_dictionary(values.type):
        return compute.utf8_trim_whitespace(values.cast(pa.string()))
    whole = values.unify_dictionaries()
    chunks = [
        pa.DictionaryArray.from_arrays(c.indices, compute.utf8_trim_whitespace(c.dictionary.cast(pa.string())))
        for c in whole.chunks
    ]
    return pa.chunked_array(chunks, pa.dictionary(whole.type.index_type, pa.string())) if chunks else whole


def number_text(value: float) -> str:
    """Return a number of a file with types as a text of one meaning: 1.234 as 1.2340, for 1.234 may be thousands."""
    text = repr(value)
    _, point, digits = text.rpartition(".")
    return f"{text}0" if point and len(digits) == 3 else text


def different(values: pa.ChunkedArray, marks: Iterable[str]) -> tuple[pa.Array, NDArray[np.int64], NDArray[np.int64]]:
    """Return the different texts, the place of every row's in them (-1: missing), and how often each occurs."""
    if pa.types.is_dictionary(values.type):
        whole = values.unify_dictionaries().combine_chunks()
        chunk = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
        texts = chunk.dictionary.cast(pa.string()).dictionary_encode()  # once more: trimmed, two may be one
        places = texts.indices.take(chunk.indices)
    else:  # in one piece: the chunks of an encoded column have a dictionary each, as long as all before it
        texts = pa.concat_arrays(values.chunks or [pa.array([], pa.string())]).dictionary_encode()
        places = texts.indices
    codes: NDArray[Any] = compute.fill_null(places, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    absent = compute.is_in(texts.dictionary, pa.array(list(marks), pa.string()))
    counts = np.bincount(codes[codes >= 0], minlength=len(texts.dictionary))
    counts[absent.to_numpy(zero_copy_only=False)] = 0
    used = np.flatnonzero(counts)
    order = np.full(len(counts) + 1, -1)
    order[used] = np.arange(len(used))
    return texts.dictionary.take(pa.array(used)), order[codes], counts[used]
