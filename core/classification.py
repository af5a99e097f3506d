"""A classifier judged on a split, compact: confusion counts, scores of each class in bins, and how sure it was.

All of it are counts, so that sums do not depend on the order of the examples, nor on who computed them.
"""

import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

MOST_CLASSES = 100
"""Classes up to which confusions and scores are kept; of more, only how sure the model was."""
SCORE_BINS = 1_001
"""Bins of a score; an odd number, so that outputs that are all the same lie in the middle of one."""
CONFIDENCE_BINS = 15
"""Bins of equal width of the probability of the named class, as Guo et al. 2017 (arXiv:1706.04599) have them."""
CONFIDENCE_UNIT = 1 << 20
"""Confidences are summed as whole multiples of one part of this."""
SCALE, LARGEST = 0.05, 1e4
"""Log-odds below the first lie in bins of nearly equal width, larger ones in bins of equal ratio, those beyond the
second in the last bins."""
REACH = math.asinh(LARGEST / SCALE)
"""The bins are of equal width in asinh(log-odds / SCALE) from -REACH to REACH."""

_VERSION = 1
_HEAD = struct.Struct("<BHHHH")

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ClassSummary:
    """The counts of one classifier on one split. Of a binary task there are two classes, and scores of the second."""

    confusion: Counts
    """Examples (classes, classes) by their class and the class that was named; (0, 0) of more than `MOST_CLASSES`."""
    scores: Counts
    """Examples (scored classes, 2, `SCORE_BINS`) by their score for a class, low ones first: [:, 0] those of other
    classes, [:, 1] those of the class itself. The score is the log-odds of the class less those of an even guess."""
    confidence: Counts
    """By bin of the probability of the named class (`CONFIDENCE_BINS`, 3): examples, those named right, and the sum of
    their probabilities in parts of `CONFIDENCE_UNIT`."""

    def pack(self) -> bytes:
        """Return the summary as bytes: 1 to 20 kB for ten classes and ten thousand examples."""
        head = _HEAD.pack(_VERSION, len(self.confusion), len(self.scores), self.scores.shape[-1], len(self.confidence))
        parts = (self.confusion.astype("<u4"), self.scores.astype("<u4"), self.confidence.astype("<u8"))
        return head + zlib.compress(b"".join(part.tobytes() for part in parts), 6)

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Return the summary of `pack`. Raises ValueError for bytes of another version."""
        version, classes, scored, bins, levels = _HEAD.unpack_from(packed)
        if version != _VERSION:
            raise ValueError(f"a summary of version {version}; this one reads version {_VERSION}")
        data, at = zlib.decompress(packed[_HEAD.size :]), 0
        found = []
        for shape, kind in (((classes, classes), "<u4"), ((scored, 2, bins), "<u4"), ((levels, 3), "<u8")):
            size = math.prod(shape)
            found.append(np.frombuffer(data, kind, size, at).reshape(shape).astype(np.int64))
            at += size * np.dtype(kind).itemsize
        return cls(*found)

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as JSON: of scores, [bin, examples] of the bins that have any, for others and its own."""
        others, own = (
            [[[int(at), int(row[at])] for at in np.flatnonzero(row)] for row in self.scores[:, of]] for of in (0, 1)
        )
        return {
            "confusion": self.confusion.tolist(),
            "scores": [{"others": a, "own": b} for a, b in zip(others, own, strict=True)],
            "confidence": [
                {"examples": n, "right": right, "mean": total / CONFIDENCE_UNIT / n if n else None}
                for n, right, total in self.confidence.tolist()
            ],
        }

    @property
    def examples(self) -> int:
        """The number of examples that were judged."""
        return int(self.confidence[:, 0].sum())
