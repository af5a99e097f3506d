"""The rates that a learning-rate range test finds: of the loss's steepest fall, its least value, its divergence."""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from core.analysis.report.verdict import MOST
from core.analysis.shapes import RangeEntry, RatedAt
from core.analysis.statistics.intervals import Floats
from core.design import DesignArm, LrRangeTest
from core.results import Results

MULTIPLE = 4.0
"""The multiple of its least value so far above which a smoothed loss has diverged."""
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
    mean: Floats
    """The mean of the raw losses, up to where every run is finite."""
    smooth: Floats
    """The mean of the smoothed losses, up to there too."""


class Marks(NamedTuple):
    """Updates of a curve; None where there is none."""

    steepest: int | None
    least: int | None
    diverged: int | None


def range_entries(results: Results, curves: Sequence[RangeCurve] | None = None) -> list[RangeEntry] | None:
    """Return one entry an arm, in the design's order; None for an experiment that is no learning-rate range test.

    The loss of every run is smoothed, s(t) = b·s(t-1) + (1-b)·loss(t), divided by 1 - b^(t+1) for its start at 0 (the
    bias correction of Adam; as in Gugger 2018, "How do you find a good learning rate", and fastai), and the mean over
    seeds is taken up to where all runs are finite. On that mean, from the first update that has all of the 1 / (1-b)
    behind it which s looks back over:

    - `diverged`: the first rate at which s is above 4 times its least so far (fastai's rule), or a loss is not finite;
    - `least`: the rate of the least s before that, and its `loss`; `tenth` of that rate is the other common suggestion;
    - `suggested`: the rate at which s falls fastest over log(rate), up to `least` (fastai's "steep", after Smith 2017,
      arXiv:1506.01186). None where s never falls by 5 % of its start.

    `low` and `high` are the least and the largest of what the seeds say, each judged by itself, and `n` is how many say
    something. The entry's own `n` is the runs behind the mean, `lr` the rate that the arm itself asks for.

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
    """Return the arms' losses in the design's order."""
    smoothing = 0.0 if results.design.lr_range is None else results.design.lr_range.smoothing
    found = {one.run_id: one.values for one in results.series("train_loss")}
    by_arm: dict[str, list[Floats]] = {label: [] for label in results.design.labels}
    for run in results.runs:
        if run.status == "succeeded" and run.id in found:
            values = found[run.id]
            end = len(values) if np.isfinite(values).all() else int(np.isfinite(values).argmin())
            by_arm[run.arm].append(np.asarray(values[:end], dtype=np.float64))
    made = []
    for label, losses in by_arm.items():
        smoothed = [smooth(one, smoothing) for one in losses]
        runs = sum(run.arm == label for run in results.runs)
        made.append(RangeCurve(label, runs, losses, smoothed, _mean(losses), _mean(smoothed)))
    return made


def smooth(losses: Floats, beta: float) -> Floats:
    """Return the exponential running mean that forgets a part 1 - `beta` an update, corrected for its start at 0."""
    running = itertools.accumulate(losses.tolist(), lambda mean, loss: beta * mean + (1 - beta) * loss, initial=0.0)
    whole = np.fromiter(itertools.islice(running, 1, None), np.float64, len(losses))
    return np.asarray(whole / (1 - beta ** np.arange(1, len(losses) + 1)))


def marks(smoothed: Floats, settings: LrRangeTest) -> Marks:
    """Return the marks of a smoothed loss; a curve that is shorter than the ramp has ended in a loss not finite."""
    first = settings.memory - 1
    judged = smoothed[first:]
    above = np.flatnonzero(judged > MULTIPLE * np.minimum.accumulate(judged)) if len(judged) else judged
    ended = len(smoothed) if len(smoothed) < settings.steps else None
    diverged = first + int(above[0]) if len(above) else ended
    inside = smoothed[first:diverged]
    least = int(inside.argmin()) if len(inside) else 0
    if least == 0 or inside[least] > (1 - FALL) * inside[0]:
        return Marks(None, None, diverged)
    slope = np.gradient(inside)  # the ramp is even in log(rate)
    return Marks(first + int(slope[: least + 1].argmin()), first + least, diverged)


def _mean(curves: Sequence[Floats]) -> Floats:
    """Return the mean of curves, as long as the shortest of them."""
    length = min((len(one) for one in curves), default=0)
    return np.asarray(np.mean([one[:length] for one in curves], axis=0)) if curves else np.empty(0)


def _entry(arm: DesignArm, curve: RangeCurve, settings: LrRangeTest) -> RangeEntry:
    ramp = range_rates(settings)
    nothing = Marks(None, None, None)
    whole = marks(curve.smooth, settings) if curve.losses else nothing
    seeds = [marks(one, settings) for one in curve.smoothed]
    said = {name: _range(ramp, whole, seeds, name) for name in Marks._fields}
    least = said["least"]
    if least is not None and whole.least is not None:
        least["loss"] = float(curve.smooth[whole.least])
    return {
        "label": curve.label,
        "n": len(curve.losses),
        "runs": curve.runs,
        "lr": arm.asked_lr or 0.0,
        "suggested": said["steepest"],
        "least": least,
        "tenth": None if whole.least is None else float(ramp[whole.least]) / 10,
        "diverged": said["diverged"],
        "falling": whole.least == settings.steps - 1,
    }


def _range(ramp: Floats, whole: Marks, seeds: Sequence[Marks], name: str) -> RatedAt | None:
    at = getattr(whole, name)
    if at is None:
        return None
    found = [float(ramp[i]) for one in seeds if (i := getattr(one, name)) is not None]
    return {"lr": float(ramp[at]), "low": min(found, default=None), "high": max(found, default=None), "n": len(found)}


def range_verdict(entries: Sequence[RangeEntry], settings: LrRangeTest) -> str:
    """Return sentences on the rates that the test suggests, and on what it does not say."""
    if not any(entry["n"] for entry in entries):
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
    diverged = "" if entry["diverged"] is None else f"; it diverges from {entry['diverged']['lr']:.2g} on"
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
