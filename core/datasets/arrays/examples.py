"""Examples in arrays: pictures with their channels first and scaled by the range of their kind, or rows of numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.datasets._content import MOST_DECODED, InvalidUpload, Remarks, Scale
from core.datasets._options import Options
from core.datasets.arrays.npy import check_finite
from core.datasets.tables.indexes import note_array

_IMPUTE = ": missing=impute takes NaN for missing"
CHANNELS = (1, 3, 4)
BYTE, WORD = 255, 65_535
FAINTEST = 16
"""Fractions up to it are no picture of 0 to 255, which would be all black; they may go a little beyond 1."""
Named = list[tuple[str, NDArray[Any]]]


def examples(parts: Named, options: Options, remarks: Remarks) -> tuple[list[NDArray[Any]], Scale]:
    """Return the examples of every part as they are stored, and how they are to be scaled."""
    _check_shapes(parts)
    pictures = parts[0][1].ndim > 2
    if options.channels is not None and not pictures:
        raise InvalidUpload(f"is for pictures of four dimensions; {parts[0][0]} has rows of numbers", "channels")
    if pictures and options.scale == "standardise":
        raise InvalidUpload("is for rows of numbers; pictures are `unit` or `none`", "scale")
    if options.missing == "impute" and (pictures or options.scale not in (None, "standardise")):
        raise InvalidUpload("impute is for rows of numbers that are standardised", "missing")
    scale: Scale = options.scale or ("unit" if pictures else "standardise")
    if scale == "standardise":
        size = sum(8 * x.size for _, x in parts)
        if size > MOST_DECODED:
            raise InvalidUpload(
                f"as numbers the rows take {size:,} bytes; {MOST_DECODED:,} is the most: say unit or none", "scale"
            )
        return _rows(parts, options, remarks), scale
    found = [(name, _channels_first(name, x, options, remarks)) for name, x in parts]
    for name, x in found:
        check_finite(name, x, np.float32)
    return (_unit(found, remarks) if scale == "unit" else [_float32(x) for _, x in found]), scale


def _check_shapes(parts: Named) -> None:
    for name, x in parts:
        if x.dtype.kind == "U":
            raise InvalidUpload(f"{name} holds text, not numbers")
        if x.ndim < 2 or not x.size:
            raise InvalidUpload(f"{name} has shape {x.shape}; it should be (examples, ...) with nothing of it empty")
        if x.shape[1:] != parts[0][1].shape[1:] or x.dtype != parts[0][1].dtype:
            said = " and ".join(f"{n} is {a.dtype} {a.shape}" for n, a in parts)
            raise InvalidUpload(f"{said}: they should differ in length only")


def _rows(parts: Named, options: Options, remarks: Remarks) -> list[NDArray[Any]]:
    """Return rows of numbers as float64, for the numbers that a table of them would give."""
    for name, x in parts:
        with remarks.gathered():
            check_finite(name, x, np.float32, missing=options.missing == "impute", advice=_IMPUTE)
        absent = np.count_nonzero(np.isnan(x)) if x.dtype.kind == "f" else 0
        if absent:
            remarks.note("missing", f"{absent:,} numbers of {name} are NaN, and get their column's mean in training")
    remarks.check()
    name, x = parts[0]
    if x.dtype == np.bool_:
        return [part.astype(np.float64) for _, part in parts]
    message = (
        f"{name} holds rows of numbers, which are standardised by the training split like a table's; to leave them"
    )
    more = ", or if they are flattened pictures say scale=unit" if x.dtype == np.uint8 else ""
    remarks.note("scale", f"{message} as they are say scale=none{more}")
    if x.ndim == 2 and x.dtype != np.uint8:  # bytes are no identifiers
        note_array(name, x, remarks)
    return [part.astype(np.float64) for _, part in parts]


def _channels_first(name: str, x: NDArray[Any], options: Options, remarks: Remarks) -> NDArray[Any]:
    if x.ndim == 3:
        if options.channels is not None:
            raise InvalidUpload(f"is for pictures of four dimensions; {name} has shape {x.shape}", "channels")
        return np.ascontiguousarray(x[:, None])
    if x.ndim != 4:
        return np.ascontiguousarray(x)
    first, last = x.shape[1] in CHANNELS, x.shape[3] in CHANNELS
    chosen = options.channels or ("last" if last and not first else "first")
    if options.channels is None:
        doubt = "" if first != last else ", which its shape does not tell"
        other = "first" if chosen == "last" else "last"
        remarks.note("channels", f"{name} {x.shape} has its channels {chosen}{doubt}; if not, say channels={other}")
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2) if chosen == "last" else x)


def _unit(found: Named, remarks: Remarks) -> list[NDArray[Any]]:
    """Return pictures as bytes where these are their values, else as float32 between 0 and 1 by their kind's range."""
    name, x = found[0]
    low, high = min(float(part.min()) for _, part in found), max(float(part.max()) for _, part in found)
    whole = x.dtype.kind in "biu" or all(bool((part == np.floor(part)).all()) for _, part in found)
    said = f"{name} is {x.dtype} from {low:g} to {high:g}"
    if x.dtype == np.bool_ or (whole and low >= 0 and high <= 1):
        if x.dtype != np.bool_:
            remarks.note("scale", f"{said}: taken as they are, for 0 is black and 1 is white")
        return [(part * BYTE).astype(np.uint8) for _, part in found]
    if x.dtype == np.uint8:
        return [part for _, part in found]
    if low < 0 or high <= 1 or high > WORD or (not whole and not FAINTEST < high <= BYTE):
        if x.dtype.kind in "iu":
            raise InvalidUpload(f"{said}, which is the range of no kind of picture: scale it, or say none", "scale")
        if low < 0 or high > 1:
            remarks.note("scale", f"{said}, which is the range of no kind of picture: left as it is")
        return [_float32(part) for _, part in found]
    most = BYTE if high <= BYTE else WORD
    remarks.note("scale", f"{said}: divided by {most:,}, the range of their kind; to leave it as it is say scale=none")
    if whole and most == BYTE:
        return [part.astype(np.uint8) for _, part in found]
    return [(part.astype(np.float64) / most).astype(np.float32) for _, part in found]


def _float32(x: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(x.astype(np.float32))
