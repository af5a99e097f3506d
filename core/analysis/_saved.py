"""What did not have to be trained."""

from collections.abc import Mapping
from typing import Any

from core.results import Results


def saved(results: Results) -> dict[str, Any]:
    """`updates` that runs which stopped early did not make, `of` all that the experiment has, and how many they are."""
    early = [run for run in results.runs if run.outcome == "stopped_early"]
    return {
        "updates": sum(run.steps_total - run.steps_done for run in early),
        "of": sum(run.steps_total for run in results.runs),
        "runs_stopped_early": len(early),
    }


def saved_sentence(found: Mapping[str, Any]) -> list[str]:
    """The same in words; nothing where nothing was saved."""
    if not found["updates"]:
        return []
    share = 100 * found["updates"] / found["of"]
    runs = found["runs_stopped_early"]
    return [
        f"Saved: {found['updates']:,} of {found['of']:,} updates ({share:.0f} %), because {runs} "
        f"run{'s' if runs > 1 else ''} stopped early. They count with their last values."
    ]
