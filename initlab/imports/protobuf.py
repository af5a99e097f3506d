"""Protocol Buffers' wire format, as far as event files need it.

Encoding: https://protobuf.dev/programming-guides/encoding/. Fifty lines in place of a library of megabytes and the
compiled descriptors of two other projects.
"""

from collections.abc import Iterator
from struct import unpack_from

Value = int | bytes
VARINT, I64, LEN, I32 = 0, 1, 2, 5
MASK = 2**64 - 1


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Yield number and value of every field, in their order: an integer, or the bytes of all others.

    Raises `ValueError` for bytes that are no message.
    """
    place, end = 0, len(data)
    while place < end:
        key, place = varint(data, place)
        kind = key & 7
        if kind == VARINT:
            number, place = varint(data, place)
            yield key >> 3, number
            continue
        if kind == LEN:
            size, place = varint(data, place)
        elif kind in (I64, I32):
            size = 8 if kind == I64 else 4
        else:
            raise ValueError(f"there is no wire type {kind}")
        if place + size > end:
            raise ValueError("a field ends behind its message")
        yield key >> 3, data[place : place + size]
        place += size


def varint(data: bytes, place: int) -> tuple[int, int]:
    """Return the integer at a place, and the place behind it. Raises `ValueError` where it does not end."""
    found = shift = 0
    try:
        while True:
            byte = data[place]
            place += 1
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                return found & MASK, place
            shift += 7
            if shift > 63:
                raise ValueError("an integer is longer than 64 bits")
    except IndexError:
        raise ValueError("an integer does not end") from None


def signed(number: int) -> int:
    """Return a varint as the int64 that it stands for."""
    return number - 2**64 if number >= 2**63 else number


def message(value: Value) -> bytes:
    """Return a value that has to be of bytes; raises `ValueError` for an integer."""
    if isinstance(value, int):
        raise ValueError("an integer, where a message or a text was expected")
    return value


def single(value: Value) -> float:
    """Return a value of four bytes as a number; raises `ValueError` for another."""
    data = message(value)
    if len(data) != 4:
        raise ValueError("no float")
    return float(unpack_from("<f", data)[0])


def text(value: Value) -> str:
    return message(value).decode("utf-8", "replace")


def double(value: Value) -> float:
    data = message(value)
    if len(data) != 8:
        raise ValueError("no double")
    return float(unpack_from("<d", data)[0])
