"""Every run's outcomes: the last and best values of its metrics, and what the catalogue's entries find."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from core.analysis.outcomes._catalogue import outcomes
from core.analysis.outcomes._entry import OutcomeEntry
from core.analysis.statistics.pruning import pruned_arms
from core.finite import finite_or_none
from core.metrics import Measure, Metric
from core.results import Results, RunResult, Series

Floats = NDArray[np.float64]


def measures(results: Results) -> dict[str, Measure]:
    """Return all outcomes that runs of this experiment have, by name; the first is judged where none is asked for.

    They are the last values of the metrics that arms are compared by, the best values of the score and of the
    validation loss, and the catalogue's entries that apply.
    """
    design = results.design
    best = [design.score, design.find("loss", "valid")]
    found: list[Measure] = [
        *design.outcomes,
        *(_best(metric) for metric in dict.fromkeys(best) if metric is not None),
        *_entries(results),
    ]
    return {measure.name: measure for measure in found}


def outcome_names(results: Results) -> tuple[str, ...]:
    """Return the names of all outcomes, as `measures` has them."""
    return tuple(measures(results))


def run_outcomes(results: Results) -> dict[int, dict[str, float | None]]:
    """Return every run's outcomes, by its id; None where there is no answer, as all are of a run that has not finished.

    So are those of an arm that was pruned: what its runs had come to is not what others came to at their end. `best_*`
    are of all epochs, `diverged` is 1 or 0, and the catalogue's entries explain themselves.

    A run that diverged has no values, whatever it had reached before: only `diverged`, its time, and `steps_to_target`
    where it had come there. The runs of a range test or a coordinate check have none either: they are not to be
    ranked.
    """
    entries, counted = _entries(results), results.design.ranks
    names, gone = (*outcome_names(results), "diverged"), pruned_arms(results.rungs)
    found: dict[int, dict[str, float | None]] = {}
    for run in results.runs:
        found[run.id] = mine = dict.fromkeys(names)
        if run.status != "succeeded" or run.arm in gone:
            continue
        mine["diverged"] = float(run.outcome == "diverged")
        whole = not mine["diverged"] and counted
        if whole:
            mine |= {m.name: finite_or_none(run.final.get(m.name)) for m in results.design.outcomes}
        mine |= {e.name: e.of_run(run, results) for e in entries if e.of_run and (whole or e.of_diverged)}
    best = {m.name: m for m in (results.design.score, results.design.find("loss", "valid")) if m is not None}
    reading: dict[str, list[OutcomeEntry]] = {name: [] for name in best}
    for entry in entries:
        metric = entry.reads(results)
        if metric is not None:
            reading.setdefault(metric, []).append(entry)
    for metric, readers in reading.items():
        for series in results.series(metric):  # a metric after the other: together they may be gigabytes
            mine = found[series.run_id]
            if mine["diverged"] is not None and len(series.values):
                whole = not mine["diverged"] and counted
                mine |= _of_curve(series, results, readers, best.get(metric), whole)
    return found


def values_of(results: Results, found: Mapping[int, Mapping[str, float | None]], names: Sequence[str]) -> Floats:
    """Return outcomes (names, arms, seeds), NaN where a run has none.

    A run that diverged has none, its time neither: it did less. Only that it had come to its target is kept.
    """
    kept = {entry.name for entry in _entries(results) if entry.compared_of_diverged}
    return np.array(
        [
            results.design.matrix(
                (run.arm, run.seed, found[run.id][name] if name in kept or not found[run.id]["diverged"] else None)
                for run in results.runs
            )
            for name in names
        ]
    )


def final_values(results: Results, metric: str) -> Floats:
    """Return last values (arms, seeds); NaN where a run has not finished, diverged, or has no value.

    Pruned arms have none: what their runs had reached on the way is not what others have at their end. The runs of a
    range test or a coordinate check have none either.
    """
    pruned = pruned_arms(results.rungs)
    return results.design.matrix(
        (run.arm, run.seed, finite_or_none(run.final.get(metric)))
        for run in results.runs
        if _counts(run) and run.arm not in pruned and results.design.ranks
    )


def _counts(run: RunResult) -> bool:
    return run.status == "succeeded" and run.outcome != "diverged"


def _entries(results: Results) -> list[OutcomeEntry]:
    score = results.design.score
    share = score is not None and score.share
    return [
        replace(entry, share=True) if entry.of_score and share else entry
        for entry in outcomes.values()
        if entry.applies(results)
    ]


def _best(metric: Metric) -> Measure:
    same = {field.name: getattr(metric, field.name) for field in fields(Measure)}
    return Measure(**same | {"name": f"best_{metric.name}", "label": f"best {metric.label}", "extreme": True})


def _of_curve(
    series: Series, results: Results, readers: Sequence[OutcomeEntry], best: Metric | None, whole: bool
) -> dict[str, float | None]:
    """Return the outcomes of one curve; for a run that diverged only those that do not depend on its end."""
    found: dict[str, float | None] = {}
    if best is not None and whole:
        finite = series.values[np.isfinite(series.values)]
        extreme = (finite.max() if best.sign > 0 else finite.min()) if len(finite) else None
        found[f"best_{best.name}"] = finite_or_none(extreme)
    for entry in readers:
        if entry.of_curve is not None and (whole or entry.of_diverged):
            found[entry.name] = entry.of_curve(series, results)
    return found
