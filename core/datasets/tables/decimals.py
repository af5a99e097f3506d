"""The decimal sign of a table's numbers: as an option says it, or as the values show it."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.datasets._content import InvalidUpload
from core.datasets.tables.columnar import is_text
from core.datasets.tables.missing import AMONG_NUMBERS
from core.datasets.tables.numbers import Decimal, is_plain_fraction, read_numbers, signs_of
from core.datasets.tables.raw import RawTable
from core.datasets.tables.texts import different, trimmed

HEAD = 20_000
"""Rows that show what a column holds."""


def settled_decimal(table: RawTable, names: list[str], marks: tuple[str, ...], said: Decimal | None) -> Decimal | None:
    """Return the decimal sign that was said, or else the one that some column of texts shows beyond doubt."""
    if said is not None:
        return said
    shown: set[Decimal] = set()
    for name in names:
        if not is_text(table.columns[name].type):
            continue
        texts, _, _ = different(trimmed(table.columns[name].slice(0, HEAD)), (*marks, *AMONG_NUMBERS))
        if is_plain_fraction(texts):
            shown.add(".")
        elif signs_of(texts).possible == {","}:
            shown.add(",")
    return next(iter(shown)) if len(shown) == 1 else None


def decimal_of(name: str, texts: pa.Array, separator: str) -> Decimal:
    """Return the decimal sign of a column that nothing else tells; raises `InvalidUpload` where 1,200 may be two."""
    signs = signs_of(texts)
    if len(signs.possible) == 1:
        return next(iter(signs.possible))
    if signs.example is None or separator == ",":
        return "."
    raise InvalidUpload(
        f"column {name!r}: {signs.example[:40]!r} may have a decimal comma or a separator of thousands: say "
        "decimal=, or decimal=.",
        "decimal",
    )


def check_decimal(
    name: str, texts: pa.Array, counts: NDArray[np.int64], others: NDArray[np.bool_], decimal: Decimal
) -> None:
    """Raise `InvalidUpload` where most rows are numbers with the other decimal sign, and fewer with this one.

    `counts` are the rows of each text, and `others` the texts that are no numbers with this sign.
    """
    other: Decimal = "," if decimal == "." else "."
    good = ~np.isnan(read_numbers(texts, other).values)
    if counts[good].sum() <= counts[~others].sum() or 2 * counts[good].sum() < counts.sum():
        return
    text = str(texts[int(np.argmax(good & others))].as_py())[:40]
    raise InvalidUpload(
        f"column {name!r}: {text!r} is no number with the decimal sign {decimal!r}, and is one with {other!r}: say "
        f"decimal={other}, or write all columns with one sign; if its values are classes, say categorical={name}",
        "decimal",
    )
