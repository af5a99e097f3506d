"""Which runs train together."""

import itertools
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

from core.optimizers import Optimizer
from core.registry import Entry
from core.spec import ArmFacts, Spec, Treatment

MEMORY_BYTES = 2**30
"""What one cohort may take: stacked parameters with their gradients, temporaries and optimizer state, and a batch's
values and their gradients in every layer."""
LANES = 512
"""The most runs of one cohort."""

Item = TypeVar("Item")


def program(treatment: Treatment) -> tuple[object, ...]:
    """What runs must have in common to be lanes of one program; hashable."""
    optimizer = _built(treatment.optimizer)
    return (
        *(treatment.dataset, treatment.model, treatment.batch_size, treatment.epochs),
        *(treatment.augment, treatment.precision),
        *(treatment.optimizer.name, optimizer.update, optimizer.slots, optimizer.scalars),
    )


def plan_cohorts(spec: Spec, facts: Sequence[ArmFacts]) -> list[list[tuple[int, int]]]:
    """The experiment's runs, (index of the arm, seed), in cohorts that may each be trained by `train_lanes`.

    `facts` are the arms', as `check` gives them. The runs of a seed stay together where memory allows, so that they
    share batches and dropout draws; cohorts of one program are of even width.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, arm in enumerate(spec.expanded):
        groups.setdefault(program(arm.treatment), []).append(i)
    cohorts: list[list[tuple[int, int]]] = []
    for arms in groups.values():
        batch = min(spec.expanded[arms[0]].treatment.batch_size, facts[arms[0]].data.train)
        slots = len(_built(spec.expanded[arms[0]].treatment.optimizer).slots)
        numbers = facts[arms[0]].parameters * (3 + slots) + facts[arms[0]].activations * batch * 2
        width = max(1, min(LANES, MEMORY_BYTES // (4 * numbers)))
        if width >= len(arms):
            parts = _even_parts(spec.seed_list, width // len(arms))
            cohorts += [[(arm, seed) for seed in seeds for arm in arms] for seeds in parts]
        else:
            cohorts += [[(arm, seed) for arm in part] for seed in spec.seed_list for part in _even_parts(arms, width)]
    return cohorts


@lru_cache(maxsize=1024)
def _built(entry: Entry) -> Optimizer:
    optimizer: Optimizer = entry.build()
    return optimizer


def _even_parts(items: Sequence[Item], most: int) -> Iterator[Sequence[Item]]:
    """`items` in as few parts of at most `most` as there can be, of even size."""
    parts = -(-len(items) // most)
    bounds = [i * len(items) // parts for i in range(parts + 1)]
    return (items[first:last] for first, last in itertools.pairwise(bounds))
