"""Signs that a schedule does not do what its user means: judged by its rates, whatever schedule they are of."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from core.errors import Problem
from core.metrics import metrics
from core.registry import Entry, join_path
from core.schedules._bounds import Side, bounds, growing
from core.schedules._curves import Curve, Reactive, bind, rates
from core.schedules._junctions import unused_warm_ups

SAMPLES = 1000
"""The number of updates whose rates are looked at, in a run that has more."""
EPOCHS, WITHIN = 200, 10
"""In a longer run: the epochs that are looked at, and the updates of each."""
BEYOND = (0, 1, 4, 9, 99, 100)
"""Looks past the end of the run, in lengths of it."""
FAR = 1_000_000
"""The last update past the end that is looked at: a product takes as many multiplications."""
CLOSE = 1e-9
LEFT = 0.1
"""The part of its whole fall that a decay may have left at the end of the run."""
HARDLY = 1e-3
"""The part of its highest rate below which a run hardly trains."""
LATE = 0.25
"""The part of a run at the end of which so little may be trained."""
CYCLES = 20
"""The lengths of the run in which the first cycle of a schedule should end, to be found."""
SHARE = 'a length may be a share of the run, such as "10%"'

_WRONG: dict[Side, str] = {
    "floor": "so the rate rises to it instead of falling: give less",
    "start": "so the warm-up goes down: give less",
    "ceiling": "so the rate first goes down: give more",
}


class _Look(NamedTuple):
    """The rates of some updates of a run."""

    at: Sequence[int]
    values: Sequence[float]
    later: Sequence[float]
    """Rates past the end of the run."""

    @property
    def highest(self) -> float:
        return max(self.values)

    @property
    def rises_throughout(self) -> bool:
        """True where the rate never falls and ends above where it began."""
        pairs = zip(self.values, self.values[1:], strict=False)
        return _above(self.values[-1], self.values[0]) and all(b >= a * (1 - CLOSE) for a, b in pairs)


def lint_schedule(entry: Entry, base: float, steps: int, steps_per_epoch: int) -> list[Problem]:
    """Return what is probably a mistake in a schedule that is bound as by `bind`; paths are inside the entry."""
    bound = bind(entry, base, steps, steps_per_epoch)
    look = _look(bound, steps, steps_per_epoch)
    sides = [*_sides(entry, base), *_growing(entry, base, look.highest)]
    found = [*sides, *_directions(entry)]
    if steps > 1 and not sides:
        found += [*_rising(look, base), *_above_at_first(entry, look, base, steps, steps_per_epoch)]
        found += unused_warm_ups(entry, bound, steps, steps_per_epoch)
        found += _never_reached(entry, look, base)
    if steps > 1:
        found += _unmoved(look)
    if not found:
        found += _rising_again(entry, look) or _cut_short(look) or _first_cycle(entry, bound, look, steps)
    idle = _idle(bound, steps, steps_per_epoch, look.highest)
    return [*found, *(idle or _hardly(look, steps))]


def sampled_updates(steps: int) -> list[int]:
    """Return the updates of a run whose rates are looked at, the last among them."""
    return sorted({*range(0, steps, max(1, math.ceil(steps / SAMPLES))), *range(min(steps, WITHIN)), steps - 1})


def _look(bound: Curve | Reactive, steps: int, steps_per_epoch: int) -> _Look:
    at = sampled_updates(steps)
    later = [t for n in BEYOND if (t := steps + n * max(steps, steps_per_epoch)) <= max(FAR, steps)]
    return _Look(at, rates(bound, at), _where_defined(bound, later))


def _where_defined(bound: Curve | Reactive, at: Sequence[int]) -> list[float]:
    found = []
    for t in at:
        try:
            found += rates(bound, [t])
        except ValueError:  # an expression need not be a rate there
            break
    return found


def _above(a: float, b: float) -> bool:
    return a > b * (1 + CLOSE)


def _sides(entry: Entry, base: float) -> Iterator[Problem]:
    """Name the rates that are on the wrong side of B, also in schedules inside this one."""
    end = getattr(entry, "end_lr", None)
    for name, value, side in bounds(entry):
        peak, whose = (base, "the lr") if side != "start" or end is None else (float(end), "end_lr")
        if _above(peak, value) if side == "ceiling" else _above(value, peak):
            where = "below" if side == "ceiling" else "above"
            yield Problem(name, f"is {value:g}, {where} {whose} of {peak:g}, {_WRONG[side]}")
    for path, inside in _inside(entry):
        own = getattr(inside, "lr", None) or base
        yield from (p._replace(path=join_path(path, p.path)) for p in _sides(inside, own))


def _growing(entry: Entry, base: float, highest: float) -> Iterator[Problem]:
    """Name the factors by which a run's peaks grow beyond B, also in schedules inside this one."""
    for name, factor in growing(entry):
        if _above(highest, base):
            message = f"is {factor:g}, above 1, so every restart begins higher than the one before it: give 1 or less"
            yield Problem(name, f"{message} (the highest rate is {highest:.4g}, the lr {base:g})")
    for path, inside in _inside(entry):
        own = getattr(inside, "lr", None) or base
        yield from (p._replace(path=join_path(path, p.path)) for p in _growing(inside, own, highest))


def _directions(entry: Entry) -> Iterator[Problem]:
    """Name a `mode` that takes a metric's worse values for better."""
    metric, mode = str(getattr(entry, "metric", "")), getattr(entry, "mode", None)
    if metric in metrics and mode in ("min", "max") and mode != metrics[metric].direction:
        better = "larger" if metrics[metric].direction == "max" else "smaller"
        message = f'is "{mode}", but {metric} is better when it is {better}: leave mode out, or give "auto"'
        yield Problem("mode", message)
    for path, inside in _inside(entry):
        yield from (p._replace(path=join_path(path, p.path)) for p in _directions(inside))


def _inside(entry: Entry) -> Iterator[tuple[str, Entry]]:
    for name, value in entry.parameters().items():
        if isinstance(value, Entry):
            yield name, value
        elif isinstance(value, list):
            yield from ((f"{name}[{i}]", one) for i, one in enumerate(value) if isinstance(one, Entry))


def _rising(look: _Look, base: float) -> Iterator[Problem]:
    """Tell of a rate that rises up to the last update: it begins as a warm-up does, below B, or it is no decay."""
    first, last, peak = look.values[0], look.values[-1], max([look.highest, *look.later])
    if look.rises_throughout and _above(base, first) and (_above(peak, look.highest) or _above(last, look.values[-2])):
        lost = "nothing is trained after the warm-up"
        if _above(base, last):  # which some, such as noam, never come to
            lost = "its highest rate is never reached" if _above(base, peak) else f"the lr of {base:g} is never reached"
        yield Problem("", f"rises through the whole run, to {last:.4g} in the last update: {lost}. Shorten it; {SHARE}")
    elif _above(last, base) and _above(last, first) and last >= look.highest * (1 - CLOSE):
        yield Problem("", f"rises from {first:.4g} to {last:.4g} in the last update, above the lr of {base:g}")


def _never_reached(entry: Entry, look: _Look, base: float) -> Iterator[Problem]:
    """Tell of a product whose warm-up is still going on when another factor has brought the rate down."""
    first, last, highest = look.values[0], look.values[-1], look.highest
    if entry.name == "chained" and _above(highest, max(first, last)) and highest < (1 - LEFT) * base:
        message = f"warms up to {highest:.4g} at most, and the lr of {base:g} is never reached"
        yield Problem("", f"{message}: give the warm-up a shorter length; {SHARE}")


def _above_at_first(entry: Entry, look: _Look, base: float, steps: int, steps_per_epoch: int) -> Iterator[Problem]:
    """Tell of a rate that begins as a multiple of B; one that has nothing to do with B may be what it is."""
    first = look.values[0]
    if _above(first, base):
        (doubled,) = rates(bind(entry, 2 * base, steps, steps_per_epoch), [0])
        if math.isclose(doubled, 2 * first, rel_tol=CLOSE):
            yield Problem("", f"begins at {first:.4g}, above the lr of {base:g}: what warms up should begin below it")


def _unmoved(look: _Look) -> Iterator[Problem]:
    first = look.values[0]
    same = all(math.isclose(value, first, rel_tol=CLOSE) for value in look.values)
    if same and any(not math.isclose(value, first, rel_tol=CLOSE) for value in look.later):
        message = f"is {first:.4g} in every update: it changes only after the end of the run. Give shorter lengths"
        yield Problem("", f"{message}; {SHARE}")


def _rising_again(entry: Entry, look: _Look) -> list[Problem]:
    """Tell of a decay that comes down in the run and ends it high, unless it is made of cycles that go up and down."""
    if any(one.name == "cyclic" or getattr(one, "cycle", False) for one in _every(entry)):
        return []
    last, falling = look.values[-1], look.values[look.values.index(look.highest) :]
    lowest = min(falling)
    if last - lowest <= LEFT * (look.highest - lowest) or not _above(last, lowest):
        return []
    there = look.at[len(look.at) - len(falling) + falling.index(lowest)]
    message = f"falls to {lowest:.4g} by update {there}, and is {last:.4g} again in the last update"
    return [Problem("", f"{message}: give lengths that end with the run; {SHARE}")]


def _first_cycle(entry: Entry, bound: Curve | Reactive, look: _Look, steps: int) -> list[Problem]:
    """Tell of a cycle that falls, and would rise again, and whose fall the run cuts short."""
    every = [*_every(entry)]
    cycles = any(one.name == "cosine_restarts" or getattr(one, "beyond", "") == "periodic" for one in every)
    if not cycles or any(one.name == "cyclic" or hasattr(one, "fn") for one in every):
        return []
    at = [steps + math.ceil(i * CYCLES * steps / SAMPLES) for i in range(SAMPLES)]
    after = rates(bound, at)
    end = next((i for i, (a, b) in enumerate(pairwise(after)) if _above(b, a)), None)
    last = look.values[-1]
    if end is None or last - after[end] <= LEFT * (look.highest - after[end]):
        return []
    message = f"is {last:.4g} in the last update, and falls to {after[end]:.4g} only in update {at[end]}"
    return [Problem("", f"{message}, after the end of the run: give shorter lengths; {SHARE}")]


def _every(entry: Entry) -> Iterator[Entry]:
    """Yield a schedule and those inside it."""
    yield entry
    for _, inside in _inside(entry):
        yield from _every(inside)


def _hardly(look: _Look, steps: int) -> list[Problem]:
    """Tell of a last part of the run in which hardly anything is trained."""
    trained = max((t for t, rate in zip(look.at, look.values, strict=True) if rate >= HARDLY * look.highest), default=0)
    share = (steps - 1 - trained) / steps
    if share <= LATE:
        return []
    message = f"is below {HARDLY:g} of its highest rate, {look.highest:.4g}, in the last {share:.0%} of the run"
    return [Problem("", f"{message}, where hardly anything is trained: let it fall more slowly; {SHARE}")]


def _cut_short(look: _Look) -> list[Problem]:
    """Tell of a decay that would come to its end after the run; one without an end, such as an exponential, has none.

    It has one where its last rates are the same number; of powers those are both 0 only where the run has seen it all.
    """
    if len(look.later) < 3 or look.later[-1] != look.later[-2]:
        return []
    after, end = look.later[0], look.later[-1]
    if after - end <= LEFT * (look.highest - end):
        return []
    message = f"is {look.values[-1]:.4g} in the last update, and falls to {end:.4g} only after the end of the run"
    return [Problem("", f"{message}: give shorter lengths; {SHARE}")]


def _idle(bound: Curve | Reactive, steps: int, steps_per_epoch: int, highest: float) -> list[Problem]:
    """Name the epochs in which nothing is trained."""
    count = math.ceil(steps / steps_per_epoch)
    epochs = sorted({*range(0, count, max(1, math.ceil(count / EPOCHS))), *range(min(count, WITHIN)), count - 1})
    idle = [e for e in epochs if _is_idle(bound, e * steps_per_epoch, min(steps, (e + 1) * steps_per_epoch), highest)]
    if not idle:
        return []
    which = f"epoch {idle[0]}" if len(idle) == 1 else f"{len(idle)} epochs, from {idle[0]} to {idle[-1]}"
    if idle == [0]:
        out = 'give a start above 0, or "per": "update", by which an epoch is ramped within'
    else:
        out = f"end above 0, or give longer lengths; {SHARE}"
    seen = "" if len(epochs) == count else f" (of {len(epochs)} that were looked at)"
    return [Problem("", f"has the rate 0 in the whole of {which}{seen}, where nothing is trained: {out}")]


def _is_idle(bound: Curve | Reactive, first: int, end: int, highest: float) -> bool:
    at = {*range(first, end, max(1, math.ceil((end - first) / WITHIN))), end - 1}
    return all(rate <= CLOSE * highest for rate in rates(bound, sorted(at)))
