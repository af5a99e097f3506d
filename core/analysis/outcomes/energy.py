"""The energy that a run took, which runs that train together share equally."""

from functools import partial

from core.analysis.outcomes import OutcomeEntry, outcomes
from core.results import Results


def _known(results: Results) -> bool:
    return any(run.energy_kwh is not None for run in results.runs)


_shared = partial(OutcomeEntry, direction="min", describes=True, shared=True, of_diverged=True, applies=_known)

outcomes.add(
    _shared(
        name="energy_kwh",
        label="energy",
        unit=" kWh",
        rank=80,
        explanation="The energy that a run took from the socket, measured or estimated.",
        of_run=lambda run, _results: run.energy_kwh,
    )
)
outcomes.add(
    _shared(
        name="co2e_g",
        label="carbon dioxide (CO2e)",
        unit=" g",
        rank=90,
        explanation="The carbon dioxide of that energy.",
        of_run=lambda run, _results: None if run.energy_kwh is None else run.co2e_g,
    )
)
