"""Says how seeds were added from look to look, and what that has saved."""

from core.analysis.looks import outline
from core.analysis.report.verdict import quoted
from core.analysis.statistics.sequential import look_levels
from core.results import Results


def looks_sentences(results: Results, alpha: float) -> list[str]:
    """Return the looks at adaptive seeds in sentences, for the verdict at alpha; none where seeds are not."""
    design, looks = results.design, [outline(look) for look in results.looks]
    if not design.looks:
        return []
    most, arms = design.looks[-1], len(design.arms)
    if not looks:
        return [f"Nothing is decided before the first look, after {design.looks[0]} of {most} seeds at most."]
    judged_at = zip(look_levels(tuple(design.looks), alpha / len(design.pairs)), looks, strict=False)
    levels = ", ".join(f"{level:.2g} after {look['seeds']}" for level, look in judged_at)
    text = [
        f"Seeds were added from look to look, {most} at most: a comparison was decided at the two-sided level {levels} "
        f"seeds, so that all looks and comparisons together err with a chance of {alpha:.3g}."
    ]
    if alpha != design.alpha:
        text.append(f"Whether more were trained was decided for a chance of {design.alpha:.3g}.")
    if looks[-1]["arms"]:
        said = "are trained" if goes_on(results) else "would have been trained next"
        return [*text, f"More seeds {said} of {quoted(looks[-1]['arms'])}."]
    trained = len({(run.arm, run.seed) for run in results.runs})
    if trained < arms * most:
        text.append(f"{arms * most - trained} of {arms * most} runs did not have to be trained.")
    return text


def goes_on(results: Results) -> bool:
    """Return whether runs are still to be trained: of a cancelled experiment none are."""
    return any(run.status in ("queued", "running") for run in results.runs)
