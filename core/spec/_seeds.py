"""Seeds of an experiment: a number of them, a list, or adaptive ones, added only where a comparison is open."""

import itertools
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from core.design import FEWEST_PAIRS
from core.errors import Problem
from core.registry import problems_of
from core.spec._kinds import Kind
from core.spec._limits import LIMITS, Seed

MOST_LOOKS = 10
MOST_ARMS = 24
"""The most arms that are all compared with each other: of more no comparison could be decided by a few seeds."""
EVEN_LOOKS = 4
"""Looks where none are named: further ones save little more, and each takes some of the power."""

Pairs = Annotated[int, Field(ge=FEWEST_PAIRS, le=LIMITS.seeds)]


class AdaptiveSeeds(BaseModel):
    """Seeds 0, 1, ... that are added until every comparison is decided, or `to` of them are trained.

    After each number of seeds in `looks` the arms are compared, at group-sequential levels that keep the experiment's
    level over all looks and comparisons: only arms of a comparison that is open are trained with those up to the next.
    """

    model_config = ConfigDict(extra="forbid", strict=True, serialize_by_alias=True)

    least: Annotated[Pairs, Field(alias="from")]
    """The seeds that every arm is trained with, and the first look."""
    most: Annotated[Pairs, Field(alias="to")]
    """The most seeds that an arm is trained with, and the last look."""
    looks: Annotated[list[Pairs], Field(max_length=MOST_LOOKS)] = []
    """The seeds after which the arms are compared; where none are named, four evenly from the first to the last."""

    @model_validator(mode="after")
    def _increase(self) -> Self:
        least, most = self.least, self.most
        if least >= most:
            raise ValueError(f'adds nothing from {least} to {most}: make "to" larger, or give a number of seeds alone')
        if not self.looks:
            self.looks = sorted({least + round(i * (most - least) / (EVEN_LOOKS - 1)) for i in range(EVEN_LOOKS)})
        if (self.looks[0], self.looks[-1]) != (least, most):
            raise ValueError(f'looks first after {least} seeds, "from", and last after {most}, "to": begin and end so')
        if any(later <= earlier for earlier, later in itertools.pairwise(self.looks)):
            raise ValueError("looks after more seeds each time: let the numbers of `looks` increase")
        return self


Number = Annotated[int, Field(ge=1, le=LIMITS.seeds)]
Listed = Annotated[list[Seed], Field(min_length=1, max_length=LIMITS.seeds)]
_KINDS: dict[type, TypeAdapter[Any]] = {
    int: TypeAdapter(Number, config=ConfigDict(strict=True)),
    list: TypeAdapter(Listed, config=ConfigDict(strict=True)),
    dict: TypeAdapter(AdaptiveSeeds),
}


def _of_its_kind(given: Any) -> Any:
    """Return seeds as the kind that they look like; a union would name what is wrong with each of the three."""
    if isinstance(given, AdaptiveSeeds):
        return given
    kind = _KINDS.get(type(given))
    if kind is None:
        raise ValueError('should be a number of seeds, a list of them, or such as {"from": 5, "to": 20}')
    try:
        return kind.validate_python(given)
    except ValidationError as error:
        raise PydanticCustomError("catalog", "not seeds", {"problems": problems_of(error.errors())}) from None


Seeds = Annotated[Number | Listed | AdaptiveSeeds, BeforeValidator(_of_its_kind)]


def blocks_of(seeds: int | list[int] | AdaptiveSeeds) -> list[list[int]]:
    """Return the seeds that are trained together: all, or of adaptive ones those before each look."""
    if isinstance(seeds, AdaptiveSeeds):
        return [list(range(n, until)) for n, until in itertools.pairwise([0, *seeds.looks])]
    return [list(range(seeds)) if isinstance(seeds, int) else seeds]


def adaptive_unfit(kind: Kind | None, arms: int, *, all_pairs: bool, pruned: bool) -> list[Problem]:
    """Return the problems that keep an experiment of so many arms from adaptive seeds."""
    if kind is not None:
        return [Problem("seeds", f"that are added are for comparisons: give a {kind} a number of seeds")]
    if arms < 2:
        return [Problem("seeds", "that are added decide between arms, and there is one: give a number of seeds")]
    if arms > MOST_ARMS and all_pairs:
        message = f"that are added decide between every two of {arms} arms: name a baseline, or compare {MOST_ARMS}"
        return [Problem("seeds", message)]
    if pruned:
        message = (
            "ends runs before their last epoch, and a look compares last values, which they lack; leave it out, for "
            "looks stop the arms that are decided too, or give a number of seeds"
        )
        return [Problem("pruning", message)]
    return []
