"""Reports the updates that did not have to be made."""

from typing import cast

from core.analysis.shapes import PrunedArm, Saved
from core.analysis.wording import difference, p_value
from core.design import Design
from core.metrics import Metric
from core.results import Results


def saved(results: Results) -> Saved:
    """Return `updates` that were not made because runs stopped early or were pruned, `of` all that the experiment has.

    `runs_stopped_early` and `runs_pruned` are how many they are; `pruned` has, for each pruned arm, the `epoch` after
    which it was given up and its comparison with the `best` arm there, as `decide_rung` found it.
    """
    ended = [run for run in results.trained if run.outcome in ("stopped_early", "pruned")]
    return {
        "updates": sum(run.steps_total - run.steps_done for run in ended),
        "of": sum(run.steps_total for run in results.trained),
        "runs_stopped_early": sum(run.outcome == "stopped_early" for run in ended),
        "runs_pruned": sum(run.outcome == "pruned" for run in ended),
        "pruned": [
            cast(PrunedArm, {**one, **{key: rung[key] for key in ("epoch", "metric", "looks", "level")}})
            for rung in results.rungs
            for one in rung["pruned"]
        ],
    }


def pruned_sentences(found: Saved, design: Design) -> list[str]:
    """Say why each pruned arm has no final value, for the verdict."""
    return [_pruned(one, design.metrics[one["metric"]]) for one in found["pruned"]]


def _pruned(one: PrunedArm, metric: Metric) -> str:
    return (
        f'"{one["arm"]}" was pruned after epoch {one["epoch"]} of its training, where its {metric.label} '
        f'was worse than that of "{one["best"]}" by {difference(metric, abs(one["difference"]))} '
        f"(N = {one['n']} pairs, p {p_value(one['p_adjusted'])} adjusted for all pairs of arms and "
        f"{one['looks']} look{'s' if one['looks'] > 1 else ''}). It is in no ranking."
    )


def saved_sentence(found: Saved) -> list[str]:
    """Return the updates that were saved in words; empty where there are none."""
    if not found["updates"]:
        return []
    share = 100 * found["updates"] / found["of"]
    early, pruned = found["runs_stopped_early"], found["runs_pruned"]
    parts = [f"{early} stopped early and count with their last values"] if early else []
    parts += [f"{pruned} were pruned and are in no mean"] if pruned else []
    return [
        f"Saved: {found['updates']:,} of {found['of']:,} updates ({share:.0f} %). Of the runs {' and '.join(parts)}."
    ]
