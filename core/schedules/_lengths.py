"""Lengths of a schedule's parts: counts of its unit, or shares of the run."""

import math
import re
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator

LONGEST = 2**31
_SHARE = re.compile(r"(\d{1,4}(?:\.\d{1,6})?)%")
_PATTERN = r"^\d{1,4}(\.\d{1,6})?%$"
_SAID = 'a number of the schedule\'s unit, or a share of its run, such as "10%"'

Length = int | str
"""A count, or a share such as "10%"."""


def share_of(length: Length) -> Fraction | None:
    """Return the share that a length is given as; None where it is a count."""
    return None if isinstance(length, int) else Fraction(length.removesuffix("%")) / 100


def in_units(length: Length, steps: int, steps_per_unit: int, *, in_updates: bool) -> float:
    """Return a length in units; of a share the units, or updates, that it has begun, as transformers counts them."""
    share = share_of(length)
    if share is None:
        return int(length)
    least = 1 if share else 0
    if in_updates:
        return max(least, math.ceil(share * steps)) / steps_per_unit
    return max(least, math.ceil(share * steps / steps_per_unit))


def _reads(least: int) -> Any:
    def read(value: object) -> Length:
        if type(value) is int and least <= value <= LONGEST:
            return value
        if isinstance(value, str) and _SHARE.fullmatch(value) and (least == 0 or share_of(value)):
            return value
        raise ValueError(f'should be a whole number of {least} or more, or a share of the run such as "10%"')

    shapes = Annotated[int, Field(ge=least, le=LONGEST)] | Annotated[str, Field(pattern=_PATTERN)]
    return PlainValidator(read, json_schema_input_type=shapes)


Steps = Annotated[Length, _reads(1), Field(description=_SAID)]
StepsFromZero = Annotated[Length, _reads(0), Field(description=_SAID)]


def _rising(milestones: list[Length]) -> list[Length]:
    if len({share_of(one) is None for one in milestones}) > 1:
        raise ValueError("should be counts or shares of the run, not both")
    ranks = [Fraction(one) if isinstance(one, int) else share_of(one) for one in milestones]
    for (before, a), (after, b) in pairwise(zip(milestones, ranks, strict=True)):
        if b is not None and a is not None and b <= a:
            raise ValueError(f"should rise strictly, but {after} comes after {before}")
    return milestones


Milestones = Annotated[list[StepsFromZero], Field(max_length=1000), AfterValidator(_rising)]
"""Strictly rising indices from 0. With `bisect_right`, a change is in force AT its index."""


def at_least_the_warm_up(total_steps: Length | None, warmup_steps: Length) -> None:
    """Raise `ValueError` where a schedule of `total_steps` would end before its own warm-up does."""
    total, warmup = (None if length is None else _comparable(length) for length in (total_steps, warmup_steps))
    if total is not None and warmup is not None and total[0] == warmup[0] and total[1] < warmup[1]:
        raise ValueError(f"total_steps counts the warm-up: it should be {warmup_steps} or more, got {total_steps}")


def _comparable(length: Length) -> tuple[bool, Fraction]:
    share = share_of(length)
    return share is None, Fraction(length) if share is None else share
