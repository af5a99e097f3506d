"""Damage of images that are read all the same: what Pillow warns of."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from zipfile import ZipInfo

from core.datasets._archives import shown
from core.datasets._content import Remarks

LONGEST = 100
"""Characters of a warning."""


class Damage:
    """The images by what is wrong with them."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, None]] = {}

    @contextmanager
    def heard(self, entry: ZipInfo) -> Iterator[None]:
        """Note what is warned of while an image is read; nothing of it is printed, or raised."""
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            yield
        for one in said:
            if issubclass(one.category, UserWarning):
                words = re.split(r"[.:\n]", str(one.message))[0][:LONGEST]
                self._found.setdefault(words, {})[shown(entry)] = None

    def note(self, remarks: Remarks) -> None:
        """Note the damage, each with how many images have it and one of them."""
        for words, entries in self._found.items():
            which = next(iter(entries)) + (f" and {len(entries) - 1:,} more" if len(entries) > 1 else "")
            remarks.note("file", f"{which}: damaged, and read as far as it can be ({words})")
