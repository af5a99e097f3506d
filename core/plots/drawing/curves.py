"""Lines with bands, made from the series of an arm's runs."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from core.analysis import best_first, compare_arms, final_values, summarize, thin
from core.analysis.wording import product
from core.finite import finite_list
from core.plots.drawing.bands import ANY, bounds_of
from core.plots.drawing.names import short_names
from core.plots.drawing.styles import MOST_ARMS
from core.results import Results, Series

POINTS = 1_000
"""Most points of a line."""
BUCKETS = 100
"""Number of points of a smoothed line: each is the mean over one hundredth of the run."""
DIVERGED_DRAWN = 3

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Place = Callable[[str, Ints], NDArray[Any]]
"""Returns where on the x axis an arm's steps lie."""


class Arms(NamedTuple):
    """The arms of a picture: index in the design by label, in the design's order, and what was left out."""

    labels: list[str]
    note: str


def arms_drawn(results: Results, most: int = MOST_ARMS) -> Arms:
    """Return all arms, or where there are very many the best and the few that differ from the reference by the report.

    `note` says what was left out.
    """
    labels = results.design.labels
    if len(labels) <= most:
        return Arms(labels, "")
    metric = results.design.primary
    order = best_first([summarize(row) for row in final_values(results, metric.name)], metric)
    order += [i for i in range(len(labels)) if i not in set(order)]
    found = compare_arms(results, metric.name)
    decided = {c["b"] for c in found["comparisons"] if c["a"] == found["reference"] and c["better"] is not None}
    far = [i for i in order[most:] if labels[i] in decided]
    kept = most - len(far) if len(far) <= most // 2 else most
    chosen = order[:kept] + far[: most - kept]
    note = f"Drawn are the {kept} best of {len(labels)} arms by final {metric.label}"
    note += f", and {most - kept} that differ from {found['reference']} for sure." if kept < most else "."
    return Arms([labels[i] for i in sorted(chosen)], note)


def described(arms: Arms, results: Results) -> list[dict[str, str]]:
    """Return each arm's label, a note of unfinished runs, and what is `shown` of the label where that is not all.

    A note that fits every arm is left to the caption.
    """
    found = []
    names = short_names(results.design)
    for label in arms.labels:
        runs = [run for run in results.runs if run.arm == label]
        diverged = sum(run.outcome == "diverged" for run in runs)
        failed = sum(run.status == "failed" for run in runs)
        open_ = sum(run.status not in ("succeeded", "failed") for run in runs)
        early = sum(run.outcome == "stopped_early" for run in runs)
        pruned = sum(run.outcome == "pruned" for run in runs)
        parts = [(diverged, "diverged"), (failed, "failed"), (open_, "unfinished")]
        parts += [(early, "stopped early"), (pruned, "pruned")]
        words = [f"{n} {word}" for n, word in parts if n]
        note = f"{', '.join(words)} of {len(runs)}" if words else ""
        found.append({"label": label, "note": note} | ({} if names[label] == label else {"shown": names[label]}))
    if len(found) > 1 and len({one["note"] for one in found}) == 1:
        return [one | {"note": ""} for one in found]
    return found


def sample(results: Results) -> str:
    """Return the caption's N: arms, seeds, and the runs by status."""
    arms, seeds, runs = len(results.design.arms), len(results.design.seeds), results.runs
    status = Counter(run.status for run in runs)
    diverged = sum(run.outcome == "diverged" for run in runs)
    parts = [f"{status['succeeded']} finished, {diverged} of them diverged" if diverged else ""]
    parts[0] = parts[0] or f"{status['succeeded']} finished, 0 diverged"
    parts += [f"{status[name]} {name}" for name in ("failed", "cancelled", "running", "queued") if status[name]]
    only = "" if results.whole is None else f" Asked for: {arms} of {_count(len(results.whole.design.arms), 'arm')}."
    return f"N = {product(arms, seeds, len(runs))}: {', '.join(parts)}.{only}"


def intervals(arms: Iterable[Mapping[str, Any]]) -> str:
    """Return the caption's methods of intervals of means; `arms` are the report's, or have their `interval`."""
    words = {"t": "Student t", "bca": "BCa bootstrap"}
    return ", ".join(words[kind] for kind in ("t", "bca") if kind in {arm["interval"] for arm in arms})


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def about_stopped(results: Results, by_update: bool = False) -> str:
    """Return the caption's note on runs that end before the last epoch; empty where there are none."""
    early = sum(run.outcome == "stopped_early" for run in results.runs)
    pruned = sum(run.outcome == "pruned" for run in results.runs)
    keeps = "by epoch such a run keeps its last value, as it trains no more"
    parts = [f"{_count(early, 'run')} stopped early: {keeps}."] if early else []
    if early and by_update:
        parts.append("By update a line ends where the first run of its arm did.")
    if pruned:
        parts.append(f"{_count(pruned, 'run')} pruned: the line of such an arm ends where it was given up.")
    return " ".join(parts)


def where_measured(_arm: str, steps: Ints) -> NDArray[Any]:
    """Return the steps as they were counted, from 0."""
    return steps


def epochs_done(_arm: str, epochs: Ints) -> NDArray[Any]:
    """Return how many epochs were done at the end of each: what was measured after two of them lies at 2."""
    return epochs + 1


def mean_lines(
    series: Iterable[Series],
    results: Results,
    arms: Arms,
    role: str = "main",
    place: Place = where_measured,
) -> list[dict[str, Any]]:
    """Return one line for each arm: the mean over its runs, with its band, and a raw line where it is smoothed.

    The mean is of the completed runs, or where there is none yet of the runs under way that have come half as far as
    the first of them, up to where all of those are: along one line its runs never change. Diverged and failed runs are
    in no mean. A run that stopped early has, by epoch, its last value from there on, as its weights no longer change.
    A series of more than two hundred points is averaged over a hundredth of the run first, and its raw mean kept as
    `raw`. `place(arm, steps)` says where on the x axis the steps lie.
    """
    chosen = _averaged_runs(series, results)
    aligned = [(index, label, _aligned(chosen[label])) for index, label in enumerate(arms.labels)]
    return [
        _mean_line(runs, index, role, partial(place, label), _bounds(results, runs))
        for index, label, runs in aligned
        if runs
    ]


def diverged_lines(
    series: Iterable[Series], results: Results, arms: Arms, place: Place = where_measured
) -> list[dict[str, Any]]:
    """Return the first few diverged runs of each arm, each up to its last finite value."""
    diverged = {run.id for run in results.runs if run.outcome == "diverged"}
    drawn: Counter[str] = Counter()
    lines = []
    for one in series:
        finite = np.flatnonzero(np.isfinite(one.values))
        if one.run_id not in diverged or one.arm not in arms.labels or not len(finite):
            continue
        drawn[one.arm] += 1
        if drawn[one.arm] > DIVERGED_DRAWN:
            continue
        steps, values = one.steps[: finite[-1] + 1], one.values[: finite[-1] + 1]
        at = thin(steps, values, POINTS)
        lines.append(
            {"arm": arms.labels.index(one.arm), "role": "diverged", "seed": one.seed, "n": 1}
            | {
                "x": place(one.arm, steps[at]).tolist(),
                "y": finite_list(values[at]),
                "low": None,
                "high": None,
                "raw": None,
            }
        )
    return lines


def about_lines(lines: Sequence[dict[str, Any]], unit: str) -> str:
    """Return the caption's explanation of lines and bands; `unit` names a point ("epoch")."""
    sentences = ["Line: mean over an arm's runs that did not diverge."]
    if any(line["low"] is not None for line in lines):
        sentences.append("Band: 95 % interval (Student t; of two runs their range).")
    if any(line["raw"] is not None for line in lines):
        sentences.append(f"Thick: means over a hundredth of the run; faint: every {unit}.")
    return " ".join(sentences)


def _averaged_runs(series: Iterable[Series], results: Results) -> dict[str, list[Series]]:
    runs = {run.id: run for run in results.runs}
    completed: dict[str, list[Series]] = defaultdict(list)
    under_way: dict[str, list[Series]] = defaultdict(list)
    for one in series:
        run = runs[one.run_id]
        if len(one.steps) and run.outcome != "diverged" and run.status != "failed":
            (completed if run.status == "succeeded" else under_way)[one.arm].append(one)
    for arm, done in completed.items():
        completed[arm] = _pad_stopped(
            results, done, {one.run_id for one in done if runs[one.run_id].outcome == "stopped_early"}
        )
    for arm, open_ in under_way.items():
        longest = max(len(one.steps) for one in open_)
        under_way[arm] = [one for one in open_ if 2 * len(one.steps) >= longest]
    return defaultdict(list, under_way | completed)


def _pad_stopped(results: Results, done: Sequence[Series], stopped: set[int]) -> list[Series]:
    """Pad epoch series of runs that stopped early with their last value, to the length of the arm's longest."""
    longest = max(done, key=lambda one: len(one.steps))
    if results.unit(longest.metric) == "step":
        return list(done)
    return [
        one._replace(steps=longest.steps, values=np.pad(one.values, (0, len(longest.steps) - len(one.steps)), "edge"))
        if one.run_id in stopped
        else one
        for one in done
    ]


def _aligned(runs: Sequence[Series]) -> list[Series]:
    """Return the runs at the steps that all of them have, none where there is no such step: a mean is of one step."""
    if not runs:
        return []
    shared = min((run.steps for run in runs), key=len)
    for run in runs:
        if not np.array_equal(run.steps[: len(shared)], shared):
            shared = np.intersect1d(shared, run.steps)
    if not len(shared):
        return []
    return [run._replace(steps=shared, values=run.values[np.searchsorted(run.steps, shared)]) for run in runs]


def _bounds(results: Results, runs: Sequence[Series]) -> tuple[float, float]:
    metric = results.design.metrics.get(runs[0].metric)
    return ANY if metric is None else bounds_of(metric)


def _mean_line(
    runs: Sequence[Series], arm: int, role: str, place: Callable[[Ints], NDArray[Any]], within: tuple[float, float]
) -> dict[str, Any]:
    length = len(runs[0].steps)
    values = np.stack([run.values for run in runs]).astype(np.float64)
    x: NDArray[Any] = place(runs[0].steps)
    raw = None
    if length > 2 * BUCKETS:
        mean = _mean(values)
        at = thin(x, mean, POINTS)
        raw = {"x": x[at].tolist(), "y": finite_list(mean[at])}
        edges = np.linspace(0, length, BUCKETS + 1).astype(np.int64)
        with np.errstate(all="ignore"):
            values = np.add.reduceat(values, edges[:-1], axis=1) / np.diff(edges)
        x = (x[edges[:-1]] + x[edges[1:] - 1]) / 2
    mean = _mean(values)
    low, high = (None if end is None else np.clip(end, *within) for end in _band(values, mean))
    return {
        "arm": arm,
        "role": role,
        "seed": None,
        "n": len(runs),
        "x": x.tolist(),
        "y": finite_list(mean),
        "low": None if low is None else finite_list(low),
        "high": None if high is None else finite_list(high),
        "raw": raw,
        "band": "t" if len(runs) > 2 else "range",
    }


def _mean(values: Floats) -> Floats:
    with np.errstate(all="ignore"):
        return np.asarray(values.mean(axis=0))


def _band(values: Floats, mean: Floats) -> tuple[Floats, Floats] | tuple[None, None]:
    """Return the mean's 95 % Student t interval; of two runs the two themselves; of one (None, None).

    Where the interval of positive values reaches below zero, which no logarithmic axis has, it ends at the lowest run.
    """
    n = len(values)
    if n == 1:
        return None, None
    if n == 2:
        return values.min(axis=0), values.max(axis=0)
    with np.errstate(all="ignore"):
        half = stdtrit(n - 1, 0.975) * values.std(axis=0, ddof=1) / math.sqrt(n)
    low = mean - half
    lowest = values.min(axis=0)
    return np.where((low <= 0) & (lowest > 0), lowest, low), mean + half
