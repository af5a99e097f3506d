"""Sources of a run's randomness, named apart: those that differ between the runs of an arm, and those that do not."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import torch
from pydantic import AfterValidator, Field

from core.design import SOURCES, Source, Varied
from core.errors import Problem
from core.spec._kinds import Kind
from core.streams import generator


def _in_order(given: list[Source]) -> list[Source]:
    if len(set(given)) < len(given):
        raise ValueError("names a source twice")
    return [source for source in SOURCES if source in given]


Vary = Annotated[list[Source], Field(min_length=1), AfterValidator(_in_order)]


class SourceSeeds(NamedTuple):
    """The seed of each source of a run's randomness."""

    init: int
    """That of the initial weights, and of the examples that an initializer looks at."""
    split: int
    """That of the split of the data, where splits vary."""
    order: int
    """That of the batches: the order of the examples, their augmentation and mixtures."""
    dropout: int
    """That of the dropout masks."""


def source_seeds(seed: int, vary: Sequence[Source] | None, first: int, again: Varied | None = None) -> SourceSeeds:
    """Return the seeds of a run's sources: its own of those that vary, the `first` run's of those that do not.

    A second training that differs by a source, `again`, has another seed of it alone. With no `vary` all are the run's.
    """
    own = {source: seed if vary is None or source in vary else first for source in SOURCES}
    if again is not None and again != "rounding":
        own[again] = another(seed, again)
    return SourceSeeds(**own)


def another(seed: int, source: Source) -> int:
    """Return the seed that a source has in the second training of a run which differs by it alone."""
    return int(torch.randint(2**31, (), generator=generator(seed, "another", source)))


def second_trainings(vary: Sequence[Source] | None, rounding: bool) -> list[Varied]:
    """Return what second trainings of every run differ by: one for rounding, and one a source where several vary."""
    apart: list[Varied] = [*(vary or ())] if len(vary or ()) > 1 else []
    return [*(["rounding"] if rounding else list[Varied]()), *apart]


def at_odds(vary: Sequence[Source] | None, split: str | None, kind: Kind | None) -> list[Problem]:
    """Return what speaks against `vary`: another kind of experiment, or a `split` that says otherwise, if given."""
    if vary is None:
        return []
    if kind is not None:
        return [Problem("vary", f"is for comparisons: leave it out of a {kind}")]
    if split == "fixed" and "split" in vary:
        return [Problem("vary", 'names the split, and "split": "fixed" keeps it: leave one of them out')]
    if split == "per_seed" and "split" not in vary:
        return [
            Problem("vary", 'keeps the split, and "split": "per_seed" varies it: name "split" too, or leave one out')
        ]
    return []
