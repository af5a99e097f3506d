"""What did not have to be trained."""

from collections.abc import Mapping
from typing import Any

from core.analysis.wording import difference, metric_name, p_value
from core.results import Results


def saved(results: Results) -> dict[str, Any]:
    """`updates` that were not made because runs stopped early or were pruned, `of` all that the experiment has.

    `runs_stopped_early` and `runs_pruned` are how many they are; `pruned` has, for each pruned arm, the `epoch` after
    which it was given up and its comparison with the `best` arm there, as `decide_rung` found it.
    """
    ended = [run for run in results.runs if run.outcome in ("stopped_early", "pruned")]
    return {
        "updates": sum(run.steps_total - run.steps_done for run in ended),
        "of": sum(run.steps_total for run in results.runs),
        "runs_stopped_early": sum(run.outcome == "stopped_early" for run in ended),
        "runs_pruned": sum(run.outcome == "pruned" for run in ended),
        "pruned": [
            {**one, **{key: rung[key] for key in ("epoch", "metric", "looks", "level")}}
            for rung in results.rungs
            for one in rung["pruned"]
        ],
    }


def pruned_sentences(found: Mapping[str, Any]) -> list[str]:
    """Why each pruned arm has no final value, for the verdict."""
    return [
        f'"{one["arm"]}" was pruned after epoch {one["epoch"]} of its training, where its {metric_name(one["metric"])} '
        f'was worse than that of "{one["best"]}" by {difference(one["metric"], abs(one["difference"]))} '
        f"(N = {one['n']} pairs, p {p_value(one['p_adjusted'])} adjusted for all pairs of arms and "
        f"{one['looks']} look{'s' if one['looks'] > 1 else ''}). It is in no ranking."
        for one in found["pruned"]
    ]


def saved_sentence(found: Mapping[str, Any]) -> list[str]:
    """The same in words; nothing where nothing was saved."""
    if not found["updates"]:
        return []
    share = 100 * found["updates"] / found["of"]
    early, pruned = found["runs_stopped_early"], found["runs_pruned"]
    parts = [f"{early} stopped early and count with their last values"] if early else []
    parts += [f"{pruned} were pruned and are in no mean"] if pruned else []
    return [
        f"Saved: {found['updates']:,} of {found['of']:,} updates ({share:.0f} %). Of the runs {' and '.join(parts)}."
    ]
