"""Outcomes: one number of every run for each question that can be asked of it; one file an outcome."""

from core.analysis.outcomes._catalogue import outcomes
from core.analysis.outcomes._entry import OutcomeEntry
from core.analysis.outcomes._runs import final_values, measures, outcome_names, run_outcomes, values_of

__all__ = ["OutcomeEntry", "final_values", "measures", "outcome_names", "outcomes", "run_outcomes", "values_of"]
