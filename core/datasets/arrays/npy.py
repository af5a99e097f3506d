"""Arrays in an archive: their headers are checked before they are read, and none is a pickle."""

import math
import struct
import tokenize
import zlib
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from core.datasets._archives import BROKEN, shown
from core.datasets._content import InvalidUpload

_UNREADABLE = (
    *BROKEN,
    struct.error,
    zlib.error,
    SyntaxError,
    TypeError,
    KeyError,
    IndexError,
    tokenize.TokenError,
    OverflowError,
    MemoryError,
    RecursionError,
    UserWarning,  # where warnings are errors
)
"""The exceptions that a damaged header or body raises."""


def read_array(archive: ZipFile, name: str) -> NDArray[Any]:
    """Read one array after checking its header against the entry's size; raises `InvalidUpload`."""
    entry = archive.getinfo(name)
    if not name.endswith(".npy") or "/" in name:
        raise InvalidUpload(f"{shown(entry)} is no array: write the file with numpy.savez")
    plain = name.removesuffix(".npy")
    try:
        with archive.open(entry) as file:
            version = npy.read_magic(file)
            shape, _, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(file)
            if dtype.hasobject:
                raise InvalidUpload(f"{plain} holds Python objects (a pickle), not numbers")
            if dtype.kind not in "biufU" or (dtype.kind == "f" and dtype.itemsize > 8):
                raise InvalidUpload(f"{plain} holds {dtype}, not numbers")
            if file.tell() + math.prod(shape) * dtype.itemsize != entry.file_size:
                raise InvalidUpload(f"{shown(entry)} is damaged: its header does not fit its size")
        with archive.open(entry) as file:
            found: NDArray[Any] = npy.read_array(file, allow_pickle=False)
    except _UNREADABLE as error:
        raise InvalidUpload(f"{shown(entry)} cannot be read as an array: {str(error)[:200]}") from None
    if not found.ndim:
        raise InvalidUpload(f"{plain} is one number, not an array")
    return found


def check_finite(
    name: str, values: NDArray[Any], kind: type = np.float64, *, missing: bool = False, advice: str = ""
) -> None:
    """Raise `InvalidUpload` with the place of the first number that is not finite; NaN may pass as `missing`.

    `advice` is what to do about NaN.
    """
    for start in range(0, len(values) if values.dtype.kind == "f" else 0, 4096):
        with np.errstate(over="ignore"):
            part: NDArray[Any] = values[start : start + 4096].astype(kind)
        wrong = np.argwhere(np.isinf(part) if missing else ~np.isfinite(part))
        if len(wrong):
            place = (start + int(wrong[0][0]), *(int(i) for i in wrong[0][1:]))
            first = part[tuple(wrong[0])]
            hint = advice if np.isnan(first) else ""
            raise InvalidUpload(f"{name}{list(place)} is {first}, not finite (as float32){hint}")
