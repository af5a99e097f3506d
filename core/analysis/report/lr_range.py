"""The rates that a learning-rate range test finds: of the loss's steepest fall, its least value, its divergence."""

import itertools
from collections.abc import Iterator, Sequence
from statistics import median_low
from typing import NamedTuple

import numpy as np

from core.analysis.report.verdict import MOST
from core.analysis.shapes import RangeEntry, RatedAt
from core.analysis.statistics.intervals import Floats
from core.design import DesignArm, LrRangeTest
from core.results import Results

MULTIPLE = 4.0
"""The multiple of the least running mean so far above which a loss has diverged."""
FALL = 0.05
"""The part of its start by which the smoothed loss must fall for a rate to be suggested."""


class RangeCurve(NamedTuple):
    """An arm's losses by update, over the runs that finished; each ends before its first loss that is not finite."""

    label: str
    runs: int
    """The number of all runs of the arm."""
    losses: list[Floats]
    """The raw losses of each finished run."""
    smoothed: list[Floats]
    """Its smoothed losses, up to where it diverges."""
    mean: Floats
    """The mean of the raw losses, up to where every run is finite."""
    smooth: Floats
    """The mean of the smoothed losses, up to where the first run diverges."""


class Marks(NamedTuple):
    """Updates of a run; None where there is none."""

    steepest: int | None
    least: int | None
    diverged: int | None


def range_entries(results: Results, curves: Sequence[RangeCurve] | None = None) -> list[RangeEntry] | None:
    """Return one entry an arm, in the design's order; None for an experiment that is no learning-rate range test.

    Every run is judged by itself, and what is said of an arm is the median of what its runs say (of an even number the
    lower of the two in the middle), so that it never lies outside their range:

    - `diverged`: the first rate from which on the loss, a median of five updates, is above 4 times the least that its
      running mean has had (fastai's rule is by the running mean alone, which comes too late), or is not finite;
    - `least`: the rate of the least smoothed loss before that, and its `loss`; `tenth` of that rate is the other common
      suggestion;
    - `suggested`: the rate at which the smoothed loss falls fastest over log(rate), up to `least` (fastai's "steep",
      after Smith 2017, arXiv:1506.01186). None where half of the runs or more never fall by 5 % of their start.

    The smoothed loss is the mean of all losses up to `diverged` with weights b^|distance in updates|. It looks to both
    sides: the running mean that looks back alone (Gugger 2018, "How do you find a good learning rate") finds the
    steepest descent 1 / (1-b) updates too late, which is another rate for every number of steps.

    `low` and `high` are the least and the largest of what the runs say, and `n` is how many say something. The entry's
    own `n` is the finished runs, `lr` the rate that the arm itself asks for.

    `curves` are those of `range_curves`, where the caller has them.
    """
    settings = results.design.lr_range
    if settings is None:
        return None
    arms = zip(results.design.arms, range_curves(results) if curves is None else curves, strict=True)
    return [_entry(arm, curve, settings) for arm, curve in arms]


def range_rates(settings: LrRangeTest) -> Floats:
    """Return the rate of every update, (steps,)."""
    t = np.arange(settings.steps) / (settings.steps - 1)
    return np.asarray(settings.low * (settings.high / settings.low) ** t)


def range_curves(results: Results) -> list[RangeCurve]:
    """Return the arms' losses in the design's order; none of an experiment that is no range test."""
    settings = results.design.lr_range
    if settings is None:
        return []
    found = {one.run_id: one.values for one in results.series("train_loss")}
    by_arm: dict[str, list[Floats]] = {label: [] for label in results.design.labels}
    for run in results.runs:
        if run.status == "succeeded" and run.id in found:
            values = found[run.id]
            end = len(values) if np.isfinite(values).all() else int(np.isfinite(values).argmin())
            by_arm[run.arm].append(np.asarray(values[:end], dtype=np.float64))
    made = []
    for label, losses in by_arm.items():
        smoothed = [smooth(one[: _divergence(one, settings)], settings.smoothing) for one in losses]
        runs = sum(run.arm == label for run in results.runs)
        made.append(RangeCurve(label, runs, losses, smoothed, _mean(losses), _mean(smoothed)))
    return made


def smooth(losses: Floats, beta: float) -> Floats:
    """Return the mean of all losses, at each update with weights `beta` to the power of their distance from it."""

    def both(values: Floats) -> Floats:
        return _decayed(values, beta) + _decayed(values[::-1], beta)[::-1] - values

    return both(losses) / both(np.ones_like(losses))


def _divergence(losses: Floats, settings: LrRangeTest) -> int | None:
    """Return the update at which a run diverges; its losses end before one that is not finite."""
    mean = _decayed(losses, settings.smoothing) / _decayed(np.ones_like(losses), settings.smoothing)
    now = np.array([np.median(losses[max(0, t - 2) : t + 3]) for t in range(len(losses))])
    above = np.flatnonzero(now > MULTIPLE * np.minimum.accumulate(mean)) if len(losses) else now
    if len(above):
        return int(above[0])
    return len(losses) if len(losses) < settings.steps else None


def _decayed(values: Floats, beta: float) -> Floats:
    """Return at each place the sum of what came until then, each value less by `beta` for every place since."""
    return np.fromiter(itertools.accumulate(values.tolist(), lambda sum_, v: beta * sum_ + v), np.float64, len(values))


def _marks(losses: Floats, smoothed: Floats, settings: LrRangeTest) -> Marks:
    diverged = _divergence(losses, settings)
    least = int(smoothed.argmin()) if len(smoothed) else 0
    if least == 0 or smoothed[least] > (1 - FALL) * smoothed[0]:
        return Marks(None, None, diverged)
    slope = np.gradient(smoothed)  # the ramp is even in log(rate)
    return Marks(int(slope[: least + 1].argmin()), least, diverged)


def _mean(curves: Sequence[Floats]) -> Floats:
    """Return the mean of curves, as long as the shortest of them."""
    length = min((len(one) for one in curves), default=0)
    return np.asarray(np.mean([one[:length] for one in curves], axis=0)) if curves else np.empty(0)


def _entry(arm: DesignArm, curve: RangeCurve, settings: LrRangeTest) -> RangeEntry:
    ramp, n = range_rates(settings), len(curve.losses)
    seeds = [_marks(*both, settings) for both in zip(curve.losses, curve.smoothed, strict=True)]
    suggested = _rated(ramp, [one.steepest for one in seeds], fewest=n // 2 + 1)
    least = _rated(ramp, [one.least for one in seeds], fewest=n // 2 + 1)
    if least is not None:
        least["loss"] = float(
            np.median([float(s.min()) for s, one in zip(curve.smoothed, seeds, strict=True) if one.least])
        )
    return {
        "label": curve.label,
        "n": n,
        "runs": curve.runs,
        "lr": arm.asked_lr or 0.0,
        "suggested": suggested,
        "least": least,
        "tenth": None if least is None else least["lr"] / 10,
        "diverged": _rated(ramp, [one.diverged for one in seeds], fewest=1),
        "falling": 2 * sum(one.least == settings.steps - 1 for one in seeds) > n,
    }


def _rated(ramp: Floats, updates: Sequence[int | None], *, fewest: int) -> RatedAt | None:
    """Return the median of the runs' rates and their range, None where fewer than `fewest` have one."""
    rates = [float(ramp[at]) for at in updates if at is not None]
    if len(rates) < fewest:
        return None
    return {"lr": median_low(rates), "low": min(rates), "high": max(rates), "n": len(rates)}


def range_verdict(entries: Sequence[RangeEntry], settings: LrRangeTest, more_may_come: bool = True) -> str:
    """Return sentences on the rates that the test suggests, and on what it does not say."""
    if not any(entry["n"] for entry in entries):
        if not more_may_come:
            return "Cannot tell: no run of the range test finished, and nothing more comes."
        return "Cannot tell yet: no run of the range test has finished."
    said = [_suggests(entry) for entry in entries[:MOST]]
    if len(entries) > MOST:
        said.append(f"{len(entries) - MOST} more arms are in the table.")
    how = (
        "A range test is a heuristic: it shows where the loss fell fastest while the rate rose from "
        f"{settings.low:g} to {settings.high:g} within {settings.steps} updates, not which rate trains best. Compare "
        "rates around it."
    )
    return " ".join([*said, how])


def _suggests(entry: RangeEntry) -> str:
    who = f'"{entry["label"]}"'
    seeds = f"N = {entry['n']} seed{'' if entry['n'] == 1 else 's'}"
    diverged = "" if entry["diverged"] is None else f"; {_diverges(entry['diverged'], entry['n'])}"
    if not entry["n"]:
        return f"{who}: no run has finished."
    if entry["suggested"] is None or entry["least"] is None:
        return f"{who}: no rate is suggested, for the loss never fell by {100 * FALL:g} % ({seeds}{diverged})."
    suggested = entry["suggested"]
    spread = f"single seeds: {suggested['low']:.2g} to {suggested['high']:.2g}; " if suggested["n"] > 1 else ""
    return (
        f"{who}: the loss falls fastest at a rate of {suggested['lr']:.2g} ({spread}{seeds}), and is least at "
        f"{entry['least']['lr']:.2g}, a tenth of which is {entry['tenth']:.2g}{diverged}."
    )


def _diverges(found: RatedAt, n: int) -> str:
    whose = "" if found["n"] == n else f" in {found['n']} of {n} seeds"
    return f"it diverges from {found['lr']:.2g} on{whose}"


def range_warnings(entries: Sequence[RangeEntry], settings: LrRangeTest) -> Iterator[str]:
    """Return one sentence for each thing that the test could not see."""
    for entry in entries:
        who, missing = f'"{entry["label"]}"', entry["runs"] - entry["n"]
        if missing:
            yield f"{who}: {missing} of {entry['runs']} runs have not finished, and are in no curve."
        if entry["falling"]:
            yield f"{who}: the loss still fell at the largest rate, {settings.high:g}: raise lr_range.high."
        if entry["n"] and entry["suggested"] is None:
            yield f"{who}: try a lower lr_range.low where the loss rises at once, more lr_range.steps where it is flat."
        elif entry["suggested"] is not None and entry["suggested"]["n"] < entry["n"]:
            yield f"{who}: {entry['suggested']['n']} of {entry['n']} seeds suggest a rate when judged by themselves."
    if entries and max(entry["n"] for entry in entries) == 1:
        yield "N = 1 seed: how much the suggestion depends on the seed cannot be seen."
