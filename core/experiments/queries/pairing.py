"""Tells whether arms of several experiments can be compared, and seed by seed: by data set, split and seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from core.design import FEWEST_PAIRS, SOURCE_NAMES, Source
from core.errors import Problem

SPLIT = ("valid_fraction", "test_fraction", "split_seed")
"""The parameters of data sets that settle how the examples are split, and nothing else about them."""
PER_SEED = "per_seed"


@dataclass(frozen=True, kw_only=True)
class Side:
    """An arm of an experiment, as far as pairing asks."""

    label: str
    dataset: Mapping[str, Any]
    """Its canonical entry; that of a user's data set has the hash of the content."""
    split: str
    """`fixed`: all seeds have one split; `per_seed`: each its own."""
    seeds: Sequence[int]
    held: Mapping[Source, int] = field(default_factory=dict)
    """The seeds of the sources of randomness that are the same in every run, by source."""
    declared: bool = False
    """It is trained elsewhere: that seeds pair runs is said, and not known here."""


class Pairing(NamedTuple):
    """The way in which runs are compared: seed by seed or not, on which seeds, and why."""

    paired: bool
    seeds: Sequence[int]
    """Those that all arms have where runs are paired, else all of any."""
    reason: str


def pair(sides: Sequence[Side]) -> Pairing | list[Problem]:
    """Return how arms are compared, or why they are not: one problem for each arm that does not fit to the first.

    Arms of different data sets have no outcome in common. Of one data set, split in other ways and the same for all
    seeds, the luck of each split is a part of the difference, which no number of seeds takes away: it is up to 70 % of
    the variance of differences on the digits. So both are refused, and so are seeds that differ where each has a split
    of its own. Runs are paired where data set and split agree, on the seeds that all arms have, if these are all or
    three at least; else they are compared as independent.
    """
    first = sides[0]
    problems = [p for i, side in enumerate(sides) if (p := _misfit(first, side, f"arms[{i}]")) is not None]
    if problems:
        return problems
    shared = [seed for seed in first.seeds if all(seed in side.seeds for side in sides)]
    every = list(dict.fromkeys(seed for side in sides for seed in side.seeds))
    if len(shared) < min(FEWEST_PAIRS, len(every)):
        has = "no seed" if not shared else f"only {_seeds(shared)}"
        if first.split == PER_SEED:
            text = f"has {has} in common with the others, and every seed has a split of its own: train it on theirs"
            return [Problem(f"arms[{len(sides) - 1}]", text)]
        text = f"not paired: the arms have {has} in common; they are compared as independent runs, by Welch's t test"
        return Pairing(paired=False, seeds=every, reason=text)
    left = [f"{len(side.seeds) - len(shared)} of {side.label}" for side in sides if len(side.seeds) > len(shared)]
    without = f"; left out are seeds that not all have ({', '.join(left)})" if left else ""
    agree = (
        f"declared: data and {_seeds(shared)}" if first.declared else f"trained: data set, split and {_seeds(shared)}"
    )
    text = f"paired as {agree} agree{without}"
    return Pairing(paired=True, seeds=shared, reason=text)


def _misfit(first: Side, side: Side, path: str) -> Problem | None:
    mine, other = _content(side.dataset), _content(first.dataset)
    if mine != other:
        what = f"{_named(mine)}, and {first.label} of {_named(other)}"
        return Problem(path, f"is of the data set {what}: their outcomes cannot be compared")
    ways = {
        name: (side.dataset.get(name), first.dataset.get(name))
        for name in SPLIT
        if side.dataset.get(name) != first.dataset.get(name)
    }
    if side.split != first.split:
        ways["split"] = (side.split, first.split)
    if ways:
        how = ", ".join(f"{name} {own} instead of {others}" for name, (own, others) in ways.items())
        return Problem(
            path,
            f"was judged on other examples than {first.label}: {how}. The difference would be the splits' too: "
            "post one of them again, split as the other",
        )
    unlike = [source for source in SOURCE_NAMES if side.held.get(source) != first.held.get(source)]
    if unlike:
        text = (
            f"has {_held(side, unlike)}, and {first.label} {_held(first, unlike)}: the luck of what all runs share "
            "would be a part of the difference; post one of them again with vary and the first seed of the other"
        )
        return Problem(path, text)
    return None


def _held(side: Side, sources: Sequence[Source]) -> str:
    kept = [f"{SOURCE_NAMES[source]} of seed {side.held[source]}" for source in sources if source in side.held]
    return " and ".join(kept) or f"{' and '.join(SOURCE_NAMES[source] for source in sources)} of each run's seed"


def _content(dataset: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in dataset.items() if name not in SPLIT}


def _named(content: Mapping[str, Any]) -> str:
    """Return the name of a data set with what sets it apart, hashes cut short."""
    rest = {name: value for name, value in content.items() if name != "name"}
    if content["name"] == "uploaded":
        name, _, sha = str(rest.pop("id")).partition("@")
        return f"{name!r} (content {sha[:12] or 'not known'})"
    shown = ", ".join(f"{name}={value}" for name, value in rest.items())
    return f"{content['name']!r}" + (f" ({shown})" if shown else "")


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds"
