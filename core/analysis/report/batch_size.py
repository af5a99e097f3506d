"""The results of a batch-size scan: updates and examples to the target, and the gradient noise scale."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from core.analysis.outcomes import run_outcomes
from core.analysis.report.verdict import MOST
from core.analysis.shapes import Interval, NoiseScale, Outcomes, ScanEntry, ScannedSize
from core.analysis.statistics.intervals import CONFIDENCE, Floats, summarize
from core.datasets import DataError
from core.design import DesignArm
from core.finite import finite_or_none
from core.metrics.gradient_noise import NOISE_METRICS
from core.results import Results, RunResult


class Ratio(NamedTuple):
    """A ratio of two means with its interval; None where that has no such end, or the ratio is not known."""

    estimate: float | None
    low: float | None
    high: float | None
    n: int


def scan_entries(results: Results, outcomes: Outcomes | None = None) -> list[ScanEntry] | None:
    """Return one entry for each arm that was asked for, in the design's order; None for an experiment that is no scan.

    Its `sizes` are those of the spec, each with `steps` and `samples`: how many updates, and how many training
    examples, the runs took until the end of the first epoch that reached the target, with the 95 % interval of
    `summarize`. They are of the `n` runs that reached it, of all `runs`: where some did not, the mean is of the quicker
    ones and too low.

    `noise_scale` is the simple noise scale tr(S) / |G|² (McCandlish et al. 2018, arXiv:1812.06162): of each size, and
    of the arm over all of them. Both parts are first averaged over a run's epochs until it reached its target, and over
    the sizes of a seed; then it is the ratio of the means over the `n` seeds, with Fieller's 95 % interval (Fieller
    1954, doi:10.1111/j.2517-6161.1954.tb00159.x), which is exact for normal means. `ci_high` is None where the gradient
    cannot be told from zero, so that the scale may be of any size; `estimate` too where its square comes out below
    zero. Early epochs, whose gradients are long, weigh most: later the scale is larger. `outcomes` are those of
    `run_outcomes`, where the caller has them.
    """
    scan = results.design.batch_size_scan
    if scan is None:
        return None
    measured = _measured(results, run_outcomes(results) if outcomes is None else outcomes)
    runs: dict[str, list[RunResult]] = {}
    for run in results.runs:
        runs.setdefault(run.arm, []).append(run)
    by_asked = itertools.groupby(results.design.arms, key=lambda arm: arm.group)
    return [_entry(results, list(arms), runs, measured, scan.base) for _, arms in by_asked]


class _Measured(NamedTuple):
    """One run that finished."""

    seed: int
    epochs: float | None
    """The epochs until it reached the target."""
    squared: float
    variance: float
    """Means of |G|² and tr(S) until then; NaN where they were not measured."""


def _measured(results: Results, outcomes: Outcomes) -> dict[int, _Measured]:
    squared, variance = ({one.run_id: one.values for one in results.series(metric)} for metric in NOISE_METRICS)
    found = {}
    for run in results.runs:
        steps = outcomes[run.id]["steps_to_target"]
        epochs = None if steps is None else steps / results.steps_in_epoch(run.arm)
        if run.status == "succeeded":
            until = slice(None if epochs is None else round(epochs))
            parts = (_mean(by_run[run.id][until]) if run.id in by_run else math.nan for by_run in (squared, variance))
            found[run.id] = _Measured(run.seed, epochs, *parts)
    return found


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


def _entry(
    results: Results,
    arms: Sequence[DesignArm],
    runs: Mapping[str, Sequence[RunResult]],
    measured: Mapping[int, _Measured],
    base: int,
) -> ScanEntry:
    sizes: list[ScannedSize] = []
    by_seed: dict[int, list[tuple[float, float]]] = {}
    for arm in arms:
        mine = runs.get(arm.label, ())
        finished = [measured[run.id] for run in mine if run.id in measured]
        epochs = np.array([one.epochs for one in finished if one.epochs is not None], dtype=np.float64)
        noisy = [one for one in finished if math.isfinite(one.squared) and math.isfinite(one.variance)]
        for one in noisy:
            by_seed.setdefault(one.seed, []).append((one.variance, one.squared))
        sizes.append(
            {
                "label": arm.label,
                "batch_size": arm.training.batch_size if arm.training else 0,
                "lr": arm.training.lr if arm.training else 0.0,
                "n": len(epochs),
                "finished": len(finished),
                "runs": len(mine),
                "steps": _interval(epochs * results.steps_in_epoch(arm.label)),
                "samples": _samples(arm, epochs),
                "noise_scale": _scale([(one.variance, one.squared) for one in noisy]),
            }
        )
    return {
        "label": arms[0].group,
        "batch_size": base,
        "lr": arms[0].asked_lr or 0.0,
        "sizes": sizes,
        "noise_scale": _scale([tuple(np.mean(pairs, axis=0)) for pairs in by_seed.values()]),
    }


def _interval(values: Floats) -> Interval | None:
    if not len(values):
        return None
    found = summarize(values)
    ends = (finite_or_none(found.ci_low), finite_or_none(found.ci_high))
    return {"mean": finite_or_none(found.mean), "ci_low": ends[0], "ci_high": ends[1]}


def _samples(arm: DesignArm, epochs: Floats) -> Interval | None:
    """Return the examples until the target: an epoch is all of them once, also where the last batch is smaller, or
    those of its whole batches, where a smaller last one is dropped."""
    if arm.training is None:
        return None
    try:
        trained = arm.training.info().train
        if arm.steps_per_epoch is not None:
            trained = min(trained, arm.steps_per_epoch * arm.training.batch_size)
        return _interval(epochs * trained)
    except DataError:  # its files are gone, and with them how many there were
        return None


def _scale(pairs: Sequence[tuple[float, float]]) -> NoiseScale | None:
    """Return the noise scale from the seeds' tr(S) and |G|²."""
    if not pairs:
        return None
    found = ratio_of_means(*np.array(pairs, dtype=np.float64).T)
    return {"estimate": found.estimate, "ci_low": found.low, "ci_high": found.high, "n": found.n}


def ratio_of_means(top: Floats, bottom: Floats) -> Ratio:
    """Return mean(top) / mean(bottom) of n pairs, both positive in truth, with Fieller's interval.

    The interval holds every ratio r for which the mean of top - r·bottom cannot be told from zero by Student's t.
    """
    n = len(top)
    s, g = float(top.mean()), float(bottom.mean())
    estimate = s / g if g > 0 else None
    if n < 2:
        return Ratio(estimate, None, None, n)
    t2 = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) ** 2 / n
    (v_s, both), (_, v_g) = np.cov(top, bottom)
    a, b, c = g**2 - t2 * v_g, s * g - t2 * both, s**2 - t2 * v_s  # of a·r² - 2·b·r + c <= 0
    inside = b**2 - a * c
    if a == 0 or inside < 0 or (a < 0 and c < 0) or (a > 0 and g < 0):  # any ratio fits, or no positive one
        return Ratio(estimate, None, None, n)
    low, high = (float((b + sign * math.sqrt(inside)) / a) for sign in (-1, 1))
    return Ratio(estimate, max(0.0, low), high if a > 0 else None, n)


def scan_verdict(entries: Sequence[ScanEntry], goal: str) -> str:
    """Return sentences on what the scan found; `goal` is the target in words."""
    said = [sentence for entry in entries[:MOST] for sentence in _found(entry, goal, len(entries) > 1)]
    if len(entries) > MOST:
        said.append(f"{len(entries) - MOST} more arms are in the table.")
    return " ".join(said)


def scan_warnings(entries: Sequence[ScanEntry]) -> list[str]:
    """Return a warning of sizes whose means are of some runs only."""
    return [
        f'"{size["label"]}": only {size["n"]} of {size["runs"]} runs reached the target; its means are of those, and '
        "too low. More epochs would help."
        for entry in entries
        for size in entry["sizes"]
        if 0 < size["n"] < size["runs"]
    ]


def _found(entry: ScanEntry, goal: str, named: bool) -> Iterator[str]:
    who = f'"{entry["label"]}"' if named else "The network"
    reached = [size for size in entry["sizes"] if size["n"] == size["runs"]] or [s for s in entry["sizes"] if s["n"]]
    if reached and all(size["samples"] is not None for size in reached):
        steps, samples = min(reached, key=_updates), min(reached, key=_examples)
        those = "" if len(reached) == len(entry["sizes"]) else ", of the sizes with which all runs came there,"
        those = those if reached[0]["n"] == reached[0]["runs"] else ", of the runs that came there,"
        yield (
            f"{who} reached a {goal}{those} after the fewest updates with batch size {_told(steps, _updates)}, and the "
            f"fewest examples with batch size {_told(samples, _examples)}."
        )
    nowhere = [str(size["batch_size"]) for size in entry["sizes"] if not size["n"]]
    if len(nowhere) == len(entry["sizes"]):
        yield f"No run of {who if named else 'the scan'} reached a {goal}."
    elif nowhere:
        yield f"No run reached it with batch size {', '.join(nowhere)}."
    yield from _noise(entry)


def _noise(entry: ScanEntry) -> Iterator[str]:
    scale = entry["noise_scale"]
    if scale is None:
        return
    if scale["estimate"] is None:
        yield "Its gradient could not be told from its noise, so that its noise scale is not known."
        return
    high = "or more" if scale["ci_high"] is None else f"to {rounded(scale['ci_high'])}"
    sure = "no interval" if scale["ci_low"] is None else f"95 % interval {rounded(scale['ci_low'])} {high}"
    each = [one["estimate"] for size in entry["sizes"] if (one := size["noise_scale"]) and one["estimate"] is not None]
    by_size = f"; by batch size {rounded(min(each))} to {rounded(max(each))}" if len(each) > 1 else ""
    yield (
        f"Its gradient noise scale is about {rounded(scale['estimate'])} ({sure}, N = {scale['n']}{by_size}): roughly "
        "up to there a larger batch saves updates."
    )


def rounded(value: float) -> str:
    """Return a noise scale as text: it is never known to more than two digits."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _updates(size: ScannedSize) -> float:
    return math.inf if size["steps"] is None else size["steps"]["mean"] or 0.0


def _examples(size: ScannedSize) -> float:
    return math.inf if size["samples"] is None else size["samples"]["mean"] or 0.0


def _told(size: ScannedSize, of: Callable[[ScannedSize], float]) -> str:
    return f"{size['batch_size']} ({of(size):,.0f} in the mean, N = {size['n']} of {size['runs']})"
