"""Reports how far rounding alone moves runs, by their second trainings."""

import numpy as np

from core.analysis.outcomes import run_outcomes, values_of
from core.analysis.shapes import ArmRounding, Rounding
from core.analysis.statistics.intervals import Floats, Summary
from core.analysis.wording import difference
from core.finite import finite_or_none
from core.metrics import Measure
from core.results import Results


def rounding(results: Results, measure: Measure, values: Floats, found: list[Summary]) -> Rounding | None:
    """Return how far the second trainings' outcomes are from the first; None where there are none, or all share it.

    `values` are the first's, (arms, seeds), NaN where there is none, and `found` the summaries of its arms.

    - `arms`, in the design's order: `n` pairs of trainings that both came to a value, the `mean` and the `largest` of
      their absolute differences, and beside these `sd`, the spread of the first over seeds, and `sd_rounding`, the
      spread that rounding alone gives a run: the root of half the mean square of the differences. Of the pairs that
      have both ended, one alone came to a value in `unlike`: the other diverged, or was not finite.
    - `variance_share`: how much of the variance over seeds, the mean of the arms', is rounding's; 1 or more where a
      seed settles nothing, and pairs by seed are no nearer to each other than others. It is in every interval already.
    - `text`: the same in a sentence or two.
    """
    again = results.repeated
    if again is None or measure.shared:
        return None
    outcomes = run_outcomes(again)
    second = values_of(again, outcomes, [measure.name])[0]
    ended = results.design.matrix((run.arm, run.seed, float(run.status == "succeeded")) for run in results.runs)
    ended *= results.design.matrix((run.arm, run.seed, float(run.status == "succeeded")) for run in again.runs)
    unlike = (np.isfinite(values) != np.isfinite(second)) & (ended == 1)
    moved = np.abs(values - second)
    arms = [
        _arm(label, moved[i][np.isfinite(moved[i])], found[i].sd, int(unlike[i].sum()))
        for i, label in enumerate(results.design.labels)
    ]
    share = _variance_share(arms)
    return {"arms": arms, "variance_share": share, "text": _text(arms, share, measure)}


def _arm(label: str, moved: Floats, sd: float, unlike: int) -> ArmRounding:
    return {
        "label": label,
        "n": len(moved),
        "mean": float(moved.mean()) if len(moved) else None,
        "largest": float(moved.max()) if len(moved) else None,
        "sd": finite_or_none(sd),
        "sd_rounding": float(np.sqrt((moved**2).mean() / 2)) if len(moved) else None,
        "unlike": unlike,
    }


def _variance_share(arms: list[ArmRounding]) -> float | None:
    """Return the mean variance by rounding over that over seeds, of the arms that have both; None: no spread."""
    both = [(arm["sd_rounding"], arm["sd"]) for arm in arms if arm["sd"] is not None]
    known = [(rounded**2, sd**2) for rounded, sd in both if rounded is not None]
    whole = sum(of_seeds for _, of_seeds in known)
    return sum(rounded for rounded, _ in known) / whole if whole else None


def _text(arms: list[ArmRounding], share: float | None, measure: Measure) -> str:
    pairs, unlike = sum(arm["n"] for arm in arms), sum(arm["unlike"] for arm in arms)
    said = [_moved(arms, pairs, measure)]
    if share:
        percent = "less than 1" if share < 0.01 else f"{min(100, round(100 * share))}"
        said.append(f"That is {percent} % of the variance over seeds, and in every interval already.")
    if unlike:
        said.append(f"In {unlike} pair{'s' if unlike > 1 else ''} one of the two alone came to a value.")
    return " ".join(said)


def _moved(arms: list[ArmRounding], pairs: int, measure: Measure) -> str:
    how = "with every batch turned round"
    if not pairs:
        return f"No run has come to its {measure.label} twice: what rounding does to it is not known."
    worst = max(arms, key=lambda arm: arm["largest"] or 0.0)
    if not worst["largest"]:
        return (
            f"Rounding moved no {measure.label}: trained a second time {how}, all pairs (N = {pairs}) came to the same."
        )
    mean = sum((arm["mean"] or 0.0) * arm["n"] for arm in arms) / pairs
    spread = f", whose seeds have an sd of {difference(measure, worst['sd'])}" if worst["sd"] is not None else ""
    return (
        f"Rounding alone moves the {measure.label} of a run: trained a second time {how}, it differs by "
        f"{difference(measure, mean)} on average (N = {pairs} pairs) and by {difference(measure, worst['largest'])} "
        f'at most, of "{worst["label"]}"{spread}.'
    )
