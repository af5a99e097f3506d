"""Reports the energy that the arms took, and what a point of accuracy cost."""

import numpy as np

from core.analysis.outcomes import outcomes
from core.analysis.report.page_text import count
from core.analysis.shapes import ArmEnergy, Energy
from core.analysis.statistics.intervals import summarize
from core.analysis.wording import number
from core.results import Results, RunResult

HOW = {
    "measured": "measured by the counters of the processors",
    "estimated": "estimated from the time that processors were busy: 12 W for a core (Green Algorithms' default), "
    "and a GPU's limit, 200 W where it is not known",
}


def energy(results: Results) -> Energy | None:
    """Return energy and CO2e of the runs that have any, in all and by arm; None where no run has.

    - `source` is "estimated" if any of it is; `kwh`, `co2e_g` and `runs` are of the whole experiment.
    - `arms`, in the spec's order: `n` runs, their total `kwh` and `co2e_g`; `mean_kwh` of a run with its 95 %
      interval `ci_low`, `ci_high`, in which runs that trained together do not differ; `kwh_per_point`, the energy of
      the runs that came to an accuracy over the sum of their final validation accuracies in percentage points, None
      in regression, in a range test or a coordinate check, for a pruned arm, and where that sum is 0.
    """
    known = [run for run in results.trained if run.energy_kwh is not None]
    score = results.design.score if results.design.ranks else None
    share = score.name if score is not None and score.share else None
    if not known:
        return None
    return {
        "source": "measured" if {run.energy_source for run in known} == {"measured"} else "estimated",
        "kwh": sum(run.energy_kwh or 0.0 for run in known),
        "co2e_g": sum(run.co2e_g or 0.0 for run in known),
        "runs": len(known),
        "arms": [_arm(label, [run for run in known if run.arm == label], share) for label in results.design.labels],
    }


def _arm(label: str, runs: list[RunResult], score: str | None) -> ArmEnergy:
    kwh = [run.energy_kwh or 0.0 for run in runs]
    mean = summarize(np.array(kwh, dtype=np.float64))
    over = [run for run in runs if run.status == "succeeded" and run.outcome in ("completed", "stopped_early")]
    scored = [(run.energy_kwh or 0.0, accuracy) for run in over if (accuracy := run.final.get(score or "")) is not None]
    points = 100 * sum(accuracy for _, accuracy in scored)
    pruned = any(run.outcome == "pruned" for run in runs)
    return {
        "label": label,
        "n": len(runs),
        "kwh": sum(kwh),
        "co2e_g": sum(run.co2e_g or 0.0 for run in runs),
        "mean_kwh": float(mean.mean) if runs else None,
        "ci_low": float(mean.ci_low) if len(runs) > 1 else None,
        "ci_high": float(mean.ci_high) if len(runs) > 1 else None,
        "kwh_per_point": sum(one for one, _ in scored) / points if points and not pruned else None,
    }


def energy_sentence(found: Energy | None) -> list[str]:
    """Return the whole experiment's energy in words, for a page; empty where it is not known."""
    if found is None:
        return []
    costly = [
        f'"{arm["label"]}": {amount(arm["kwh_per_point"])}' for arm in found["arms"] if arm["kwh_per_point"] is not None
    ]
    each = f" A point of validation accuracy took, by arm: {'; '.join(costly)}." if costly else ""
    carbon = number(outcomes["co2e_g"], found["co2e_g"])
    runs = count(found["runs"], "run")
    return [f"Energy: {amount(found['kwh'])} and {carbon} CO2e in {runs}, {HOW[found['source']]}.{each}"]


def amount(kwh: float) -> str:
    """Return energy in a unit that people can read."""
    for unit, size in (("kWh", 1.0), ("Wh", 1e-3), ("mWh", 1e-6)):
        if kwh >= size:
            return f"{kwh / size:.3g} {unit}"
    return f"{kwh / 1e-6:.3g} mWh"
