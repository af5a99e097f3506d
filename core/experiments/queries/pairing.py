"""Tells whether arms of several experiments can be compared, and seed by seed: by data set, split and seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from core.design import FEWEST_PAIRS
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
    text = f"paired as trained: data set, split and {_seeds(shared)} agree{without}"
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
    return None


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
