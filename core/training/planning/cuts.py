"""Ways to cut a program's runs, seed by seed, into cohorts."""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

Member = tuple[int, int]
"""(index of the arm, seed)."""


class Cut(NamedTuple):
    """So many `blocks` of so many `units` of so many `runs`; each block is cut between units into `parts`."""

    blocks: int
    units: int
    runs: int
    parts: int

    @property
    def widths(self) -> dict[int, int]:
        """The number of cohorts by width, in runs: the parts of a block are as even as possible."""
        size, larger = divmod(self.units, self.parts)
        sizes = [(size + 1, larger), (size, self.parts - larger)] if larger else [(size, self.parts)]
        return {size * self.runs: count * self.blocks for size, count in sizes}


def cuts(arms: int, seeds: int, widest: int, whole: bool) -> Iterator[Cut]:
    """Yield cuts between seeds, or inside a seed that is wider than `widest` (`whole`), or even ones anywhere."""
    if not whole:
        yield from (Cut(1, arms * seeds, 1, parts) for parts in _counts(arms * seeds))
    elif arms <= widest:
        yield from (Cut(1, seeds, arms, parts) for parts in _counts(seeds))
    else:
        yield from (Cut(seeds, arms, 1, parts) for parts in _counts(arms))


def members_of(cut: Cut, arms: Sequence[int], seeds: Sequence[int]) -> Iterator[list[Member]]:
    """Yield the runs of each cohort."""
    members = [(arm, seed) for seed in seeds for arm in arms]
    for block in range(cut.blocks):
        bounds = ((block * cut.units + i * cut.units // cut.parts) * cut.runs for i in range(cut.parts + 1))
        yield from (members[first:last] for first, last in itertools.pairwise(bounds))


def _counts(items: int) -> list[int]:
    """Return the numbers of even parts whose largest part differs: others have more parts and as large a one."""
    return sorted({math.ceil(items / most) for most in range(1, items + 1)})
