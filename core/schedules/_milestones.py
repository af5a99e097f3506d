"""Milestones of a schedule: rising indices at which it changes."""

from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

from core.registry import CountFromZero


def _rising(milestones: list[int]) -> list[int]:
    for before, after in pairwise(milestones):
        if after <= before:
            raise ValueError(f"should rise strictly, but {after} comes after {before}")
    return milestones


Milestones = Annotated[list[CountFromZero], Field(max_length=1000), AfterValidator(_rising)]
"""Strictly rising indices from 0. With `bisect_right`, a change is in force AT its index."""
