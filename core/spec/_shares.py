"""Warnings about schedules that count updates, where arms of one schedule have very different numbers of them."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from core.errors import Problem
from core.registry import Entry
from core.schedules import sampled_updates
from core.spec._body import Spec
from core.spec._check import ArmInfo, where_of
from core.spec._run_rates import Length, lr_of, metric_read, rates_of
from core.spec._treatment import Treatment

POINTS = 40
"""The places of a run, from its begin to its end, at which rates are compared."""
APART = 0.05
"""The mean difference of rates, as parts of the highest, from which arms are not on the same schedule."""
NEAR = 1.5
"""Updates of the shorter run by which its rates may come earlier or later than those of the longer one."""
_COUNTS = ("warmup_steps", "stable_steps", "decay_steps", "total_steps", "T_max", "T_0", "step_size", "step_size_up")


def unequal_shares(spec: Spec, infos: Sequence[ArmInfo], told: Sequence[int]) -> Iterator[Problem]:
    """Name a schedule that takes other shares of a short run than of a long one of as many epochs.

    Arms that are `told` of their schedules already are left out.
    """
    groups: dict[tuple[Entry, int], list[int]] = {}
    for i, arm in enumerate(spec.expanded):
        treatment: Treatment = arm.treatment
        if i not in told:
            groups.setdefault((treatment.schedule, treatment.epochs), []).append(i)
    for (schedule, _), members in groups.items():
        short, long = min(members, key=lambda i: infos[i].steps), max(members, key=lambda i: infos[i].steps)
        few, many = infos[short].steps, infos[long].steps
        if few == many:
            continue
        a, b = (_profile(spec.expanded[i].treatment, infos[i]) for i in (short, long))
        if a is None or b is None:
            continue
        apart = _apart(a, b, math.ceil(NEAR * POINTS / few))
        if sum(apart) / POINTS <= APART:
            continue
        at = POINTS - 1 if apart[-1] > max(apart) / 2 else apart.index(max(apart))
        names = [f'"{spec.expanded[i].label}" ({infos[i].steps:,} updates)' for i in (long, short)]
        message = (
            f"counts updates, and takes other shares of short runs than of long ones: {_place(at)} its "
            f"rate is {b[at]:.0%} of the highest in {names[0]}, and {a[at]:.0%} in {names[1]}"
        )
        path = where_of(spec, short, spec.expanded[short])("schedule")
        way_out = 'Give lengths as shares of the run, such as "10%", or "unit": "epoch", "per": "update"'
        yield Problem(path, f"{message}{_counted(schedule, few, many)}. {way_out}")


def _place(at: int) -> str:
    return "at the end" if at == POINTS - 1 else f"at {at / (POINTS - 1):.0%} of the run"


def _apart(some: Sequence[float], others: Sequence[float], near: int) -> list[float]:
    """Return how far each number is from all of the others that are so near to its place."""
    found = []
    for i, one in enumerate(some):
        around = others[max(0, i - near) : i + near + 1]
        found.append(max(0.0, min(around) - one, one - max(around)))
    return found


def _profile(treatment: Treatment, info: ArmInfo) -> list[float] | None:
    """Return rates at so many places of the run as parts of its highest; None where they answer to a metric."""
    length = Length(info.steps, info.steps_per_epoch)
    lr = lr_of(treatment)
    if metric_read(treatment.schedule, lr, length) is not None:
        return None
    at, rates = sampled_updates(info.steps), rates_of(treatment.schedule, lr, length)
    highest = max(rates)
    if not highest:
        return None
    by_update = dict(zip(at, rates, strict=True))
    places = [round(i * (info.steps - 1) / (POINTS - 1)) for i in range(POINTS)]
    return [by_update[at[bisect_right(at, place) - 1]] / highest for place in places]


def _counted(schedule: Entry, few: int, many: int) -> str:
    """Return the shares that the schedule's own counts are of both runs."""
    counts = {name: getattr(schedule, name, None) for name in _COUNTS}
    if getattr(schedule, "unit", "") != "step":
        return ""
    given = {name: n for name, n in counts.items() if type(n) is int and n > 1}
    shares = [f"{name} {n} is {n / many:.2g} and {n / few:.2g} of them" for name, n in given.items()]
    return f" ({', '.join(shares)})" if shares else ""
