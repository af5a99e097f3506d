"""What every run came to: one number for each question that can be asked of it."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import isotonic_regression

from core.analysis.statistics.intervals import RESOLUTION, Floats
from core.analysis.statistics.pruning import pruned_arms
from core.analysis.wording import direction
from core.datasets import epoch_metrics
from core.results import Results, RunResult, Series

TOLERANCE = 0.01
"""Of an accuracy (one percentage point) or R²: a run has converged when it stays this near to its best."""


def outcome_names(results: Results) -> tuple[str, ...]:
    """All outcomes that runs of this experiment have; the first is judged where none is asked for."""
    _, loss, score = epoch_metrics(results.task)
    return (
        *results.outcomes,
        *(f"best_{score}", f"best_{loss}", "loss_area"),
        *(["steps_to_target"] if results.spec.target is not None else []),
        *("epochs_to_converge", "generalization_gap", "stability", "steps_per_second", "seconds"),
        *(["energy_kwh", "co2e_g"] if any(run.energy_kwh is not None for run in results.runs) else []),
    )


def run_outcomes(results: Results) -> dict[int, dict[str, float | None]]:
    """Every run's outcomes, by its id; None where there is no answer, as all are of a run that has not finished.

    So are those of an arm that was pruned: what its runs had come to is not what others came to at their end.

    The score is the accuracy, in regression R²; both splits are scored in evaluation mode at the end of each epoch.

    - `valid_accuracy`, `valid_loss`, `train_accuracy` (`valid_r2`, `train_r2`), `train_loss`: the last values.
    - `best_valid_accuracy` (`best_valid_r2`), `best_valid_loss`: of all epochs.
    - `loss_area`: the area under the training loss by update, by trapezoids, over its length in updates: a mean loss,
      so that runs of different length compare.
    - `steps_to_target`: updates until the end of the first epoch whose `spec.target.metric` reached its value.
    - `epochs_to_converge`: epochs until the validation score was within 0.01 of its best and stayed so to the end.
    - `generalization_gap`: the last score on the training split less that on the validation split.
    - `stability`: how much the validation score jumps from epoch to epoch, in its own unit: the root mean square of its
      changes, after the trend was taken away, which is the monotone curve nearest to it (isotonic regression). 0 for a
      run that never goes back; needs three epochs. Less is steadier.
    - `seconds` by the clock from first update to end, and `steps_per_second`. Runs of a cohort share the machine.
    - `energy_kwh` and `co2e_g`, where it is known what was taken. Runs that train together share it equally.
    - `diverged`: 1 or 0.

    A run that diverged has no values, whatever it had reached before: only `diverged`, its time, and `steps_to_target`
    where it had come there. The runs of a range test have none either: they ended at a rate that nobody would use.
    """
    train_score, loss, score = epoch_metrics(results.task)
    target = results.spec.target
    names, counted = (*outcome_names(results), "diverged"), results.spec.lr_range is None
    found: dict[int, dict[str, float | None]] = {}
    gone = pruned_arms(results.rungs)
    for run in results.runs:
        found[run.id] = mine = dict.fromkeys(names)
        if run.status == "succeeded" and run.arm not in gone:
            mine |= {"diverged": float(run.outcome == "diverged")} | _time(run)
        if mine["diverged"] == 0 and counted:
            mine |= {metric: _finite(run.final.get(metric)) for metric in results.outcomes}
            mine["generalization_gap"] = _less(mine[train_score], mine[score])
    for metric in dict.fromkeys(("train_loss", loss, score, *([target.metric] if target is not None else []))):
        for one in results.series(metric):  # a metric after the other: together they may be gigabytes
            mine = found[one.run_id]
            if target is not None and metric == target.metric and mine["diverged"] is not None:
                epochs = _reached(one, target.value)
                mine["steps_to_target"] = None if epochs is None else epochs * results.steps_in_epoch(one.arm)
            if mine["diverged"] == 0 and counted:
                mine |= _of_curve(one, score)
    return found


def values_of(results: Results, outcomes: Mapping[int, Mapping[str, float | None]], names: Sequence[str]) -> Floats:
    """Outcomes (names, arms, seeds) in the spec's order, NaN where a run has none.

    A run that diverged has none, its time neither: it did less. Only that it had come to its target is kept.
    """
    arms = {arm.label: i for i, arm in enumerate(results.spec.expanded)}
    seeds = {seed: i for i, seed in enumerate(results.spec.seed_list)}
    values = np.full((len(names), len(arms), len(seeds)), np.nan)
    for run in results.runs:
        mine = outcomes[run.id]
        kept = ("steps_to_target",) if mine["diverged"] else names
        values[:, arms[run.arm], seeds[run.seed]] = [_nan(mine[name] if name in kept else None) for name in names]
    return values


def _of_curve(series: Series, score: str) -> dict[str, float | None]:
    """What one curve of a run that did not diverge tells."""
    values = series.values
    if not len(values):
        return {}
    if series.metric == "train_loss":
        return {"loss_area": _area(values)}
    if series.metric not in ("valid_loss", score):
        return {}
    finite = values[np.isfinite(values)]
    best = (finite.max() if direction(series.metric) > 0 else finite.min()) if len(finite) else None
    found = {f"best_{series.metric}": None if best is None else float(best)}
    return found | (
        {"epochs_to_converge": _converged(values), "stability": _jumps(values)} if series.metric == score else {}
    )


def _time(run: RunResult) -> dict[str, float | None]:
    rate = run.steps_done / run.seconds if run.seconds else None
    energy = {} if run.energy_kwh is None else {"energy_kwh": run.energy_kwh, "co2e_g": run.co2e_g}
    return {"seconds": run.seconds, "steps_per_second": rate, **energy}


def _area(losses: Floats) -> float | None:
    return _finite(float(np.trapezoid(losses)) / (len(losses) - 1) if len(losses) > 1 else float(losses[0]))


def _reached(series: Series, value: float) -> int | None:
    """Epochs until the metric reached the value."""
    sign = direction(series.metric)
    there = np.flatnonzero(sign * series.values >= sign * value)
    return int(series.steps[there[0]]) + 1 if len(there) else None


def _converged(values: Floats) -> float | None:
    if not np.isfinite(values).any():
        return None
    within = values >= np.nanmax(np.where(np.isfinite(values), values, np.nan)) - TOLERANCE
    outside = np.flatnonzero(~within)
    first = int(outside[-1]) + 1 if len(outside) else 0
    return float(first + 1) if first < len(values) else None


def _jumps(values: Floats) -> float | None:
    if len(values) < 3 or not np.isfinite(values).all():
        return None
    rest = values - isotonic_regression(values).x
    found = float(np.sqrt(np.mean(np.diff(rest) ** 2)))
    return 0.0 if found <= RESOLUTION * np.abs(values).max() else found  # of values that do not vary


def _less(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None


def _nan(value: float | None) -> float:
    return np.nan if value is None else value
